/* output: JSON lines, confirmations and tables on standard output. */
#include "inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otway/base/text.h"

#define COLUMNS_MAX 16

void output_json(json_t *value)
{
	if (value != NULL && json_dumpf(value, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(value);
}

void output_say(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet || c->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void output_note(const struct cli *c, const char *fmt, ...)
{
	char text[1024];
	json_t *note;
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!c->json) {
		fprintf(stderr, "otway: %s\n", text);
		return;
	}
	note = json_pack("{s:{s:s}}", "note", "text", text);
	json_dumpf(note, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(note);
}

json_t *output_time(nsec_t at)
{
	char text[NSEC_TEXT];

	return at != NSEC_NONE ? json_string(nsec_text(at, text)) : json_null();
}

json_t *output_hash(const uint8_t hash[SHA256_LEN])
{
	char hex[SHA256_HEX];

	return json_string(text_hex((struct bytes){ hash, SHA256_LEN }, hex));
}

void output_row(struct output_table *t, const char *const *cells, size_t columns)
{
	char **grown = realloc(t->cells, (t->count + columns) * sizeof(*grown));

	if (grown == NULL) {
		t->failed = true;
		return;
	}
	t->cells = grown;
	t->columns = columns;
	for (size_t i = 0; i < columns; i++) {
		t->cells[t->count] = strdup(cells[i]);
		t->failed |= t->cells[t->count++] == NULL;
	}
}

/* Characters, not octets. */
static int width(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static void print_cells(const struct output_table *t)
{
	bool align = isatty(STDOUT_FILENO) != 0;
	int widest[COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < t->count; i++)
		if (width(t->cells[i]) > widest[i % t->columns])
			widest[i % t->columns] = width(t->cells[i]);
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % t->columns;

		fputs(t->cells[i], stdout);
		if (column + 1 == t->columns)
			putchar('\n');
		else if (align)
			printf("%*s", widest[column] - width(t->cells[i]) + 2, "");
		else
			putchar('\t');
	}
}

void output_table(struct output_table *t, bool print)
{
	if (print && t->failed)
		fputs("otway: out of memory\n", stderr);
	else if (print)
		print_cells(t);
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct output_table){ 0 };
}
