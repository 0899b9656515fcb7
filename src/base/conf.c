/* conf: the one file that sees libcyaml. Its schema is the list of settings; its log is where errors have their line. */
#include "otway/base/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include <cyaml/cyaml.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

#define FILE_MAX   ((size_t)1 << 20)
#define STRING_MAX 4096

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("store", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf, store, 1, STRING_MAX),
	CYAML_FIELD_STRING_PTR("kms_header", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf, kms_header, 1, 100),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf, fields) };

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

/* The line a key stands on, from 1; 0: on none. */
static unsigned line_of(struct bytes text, const char *key)
{
	unsigned number = 0;

	while (text.len > 0) {
		struct bytes line = text_cut(text, '\n', &text);

		number++;
		if (text_begins(text_trim(line), key))
			return number;
	}
	return 0;
}

static int unknown_key(const char *path, struct bytes text, const char *key, struct err *err)
{
	const char *nearest = NULL;
	unsigned best = 3;

	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
		if (text_distance(key, f->key) < best) {
			best = text_distance(key, f->key);
			nearest = f->key;
		}
	err_code(err, EXIT_USAGE, "%s: line %u: there is no setting '%.60s'", path, line_of(text, key), key);
	if (nearest != NULL && err != NULL) {
		size_t len = strlen(err->text);

		snprintf(err->text + len, sizeof(err->text) - len, "; did you mean '%s'?", nearest);
	}
	return -1;
}

static int explain(const char *path, struct bytes text, const struct told *t, struct err *err)
{
	static const char unexpected[] = "Unexpected key: ";

	if (strncmp(t->what, unexpected, sizeof(unexpected) - 1) == 0)
		return unknown_key(path, text, t->what + sizeof(unexpected) - 1, err);
	if (t->line > 0)
		return err_code(err, EXIT_USAGE, "%s: line %u: %s", path, t->line, t->what);
	return err_code(err, EXIT_USAGE, "%s: %s", path, t->what);
}

/* RFC 3261 25.1: a header's name is a token. */
static bool header_name(const char *name)
{
	for (; *name != '\0'; name++)
		if (!text_alpha((uint8_t)*name) && !text_digit((uint8_t)*name) && strchr("-.!%*_+`'~", *name) == NULL)
			return false;
	return true;
}

int conf_read(const char *path, struct conf *out, struct err *err)
{
	struct told told = { "", 0 };
	const cyaml_config_t config = {
		.log_fn = listen, .log_ctx = &told, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR
	};
	struct conf *loaded = NULL;
	struct buf text = { 0 };
	int rc = -1;

	*out = (struct conf){ 0 };
	if (file_read(path, FILE_MAX, &text, err) < 0)
		goto out;
	if (text.len > 0 &&
		cyaml_load_data(text.at, text.len, &config, &schema, (cyaml_data_t **)&loaded, NULL) != CYAML_OK) {
		explain(path, buf_bytes(&text), &told, err);
		goto out;
	}
	if (loaded != NULL && loaded->kms_header != NULL && !header_name(loaded->kms_header)) {
		err_code(err, EXIT_USAGE, "%s: kms_header: not the name of a SIP header", path);
		goto out;
	}
	if (loaded != NULL) {
		*out = *loaded; /* the caller's from here on */
		*loaded = (struct conf){ 0 };
	}
	rc = 0;
out:
	if (loaded != NULL)
		cyaml_free(&config, &schema, loaded, 0);
	buf_clear(&text);
	return rc < 0 ? err_in(err, "reading the configuration") : 0;
}

void conf_clear(struct conf *c)
{
	free(c->store);
	free(c->kms_header);
	*c = (struct conf){ 0 };
}
