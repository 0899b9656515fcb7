/*
 * conf_load: a YAML file by a schema. libcyaml's log is where errors have their line.
 */
#include "conf_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

#define FILE_MAX ((size_t)1 << 20)

/* What libcyaml says while it reads: the first line is what is wrong, a later one where. */
struct told {
	char what[256];
	unsigned line;
};

static void __attribute__((format(printf, 3, 0))) listen(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct told *t = ctx;
	char text[256];
	const char *line;

	(void)level;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	line = strstr(text, "(line: ");
	if (t->what[0] == '\0')
		snprintf(t->what, sizeof(t->what), "%s", strncmp(text, "Load: ", 6) == 0 ? text + 6 : text);
	else if (line != NULL && t->line == 0)
		t->line = (unsigned)strtoul(line + 7, NULL, 10);
}

/* Is this key named on the line, with its colon? */
static bool names(struct bytes line, const char *key)
{
	size_t len = strlen(key);

	for (size_t at = 0; at + len < line.len; at++) {
		struct bytes behind = text_trim(bytes_part(line, at + len, SIZE_MAX));

		if (line.at[at] == '#')
			return false;
		if (memcmp(line.at + at, key, len) == 0 && behind.len > 0 && behind.at[0] == ':' &&
			(at == 0 || memchr(" \t{,\"'", line.at[at - 1], 6) != NULL))
			return true;
	}
	return false;
}

/* The line a key stands on, from 1; 0: on none. */
unsigned conf_line(struct bytes text, const char *key)
{
	unsigned number = 0;

	while (text.len > 0) {
		struct bytes line = text_cut(text, '\n', &text);

		number++;
		if (names(line, key))
			return number;
	}
	return 0;
}

struct nearest {
	unsigned distance;
	char path[100]; /* "decap.ports.vxlan" */
};

/* The setting whose name is nearest to a key, wherever it belongs. */
static void find_nearest(const cyaml_schema_field_t *f, const char *above, const char *key, struct nearest *best)
{
	for (; f->key != NULL; f++) {
		unsigned distance = text_distance(key, f->key);
		char path[100];

		snprintf(path, sizeof(path), "%s%s%s", above, above[0] != '\0' ? "." : "", f->key);
		if (distance < best->distance) {
			best->distance = distance;
			memcpy(best->path, path, sizeof(path));
		}
		if (f->value.type == CYAML_MAPPING)
			find_nearest(f->value.mapping.fields, path, key, best);
	}
}

static int unknown_key(
	const char *path, const cyaml_schema_field_t *fields, struct bytes text, const char *key, struct err *err)
{
	struct nearest best = { 3, "" };

	find_nearest(fields, "", key, &best);
	return err_code(err, EXIT_USAGE, "%s: line %u: there is no setting '%.60s'%s%s%s", path, conf_line(text, key),
		key, best.path[0] != '\0' ? "; did you mean '" : "", best.path, best.path[0] != '\0' ? "'?" : "");
}

static int explain(
	const char *path, const cyaml_schema_field_t *fields, struct bytes text, const struct told *t, struct err *err)
{
	static const char unexpected[] = "Unexpected key: ";

	if (strncmp(t->what, unexpected, sizeof(unexpected) - 1) == 0)
		return unknown_key(path, fields, text, t->what + sizeof(unexpected) - 1, err);
	if (t->line > 0)
		return err_code(err, EXIT_USAGE, "%s: line %u: %s", path, t->line, t->what);
	return err_code(err, EXIT_USAGE, "%s: %s", path, t->what);
}

int conf_load_text(const char *path, const cyaml_schema_value_t *schema, void **out, struct bytes text, struct err *err)
{
	struct told told = { "", 0 };
	const cyaml_config_t config = {
		.log_fn = listen, .log_ctx = &told, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR
	};

	*out = NULL;
	if (text.len > 0 && cyaml_load_data(text.at, text.len, &config, schema, out, NULL) != CYAML_OK)
		return explain(path, schema->mapping.fields, text, &told, err);
	return 0;
}

int conf_load(const char *path, const cyaml_schema_value_t *schema, void **out, struct buf *text, struct err *err)
{
	*out = NULL;
	return file_read(path, FILE_MAX, text, err) < 0 ? -1 : conf_load_text(path, schema, out, buf_bytes(text), err);
}

void conf_unload(const cyaml_schema_value_t *schema, void *loaded)
{
	const cyaml_config_t config = { .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR };

	if (loaded != NULL)
		cyaml_free(&config, schema, loaded, 0);
}
