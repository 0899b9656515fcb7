/* conf: the one file that sees libcyaml. Its schema is the list of settings; its log is where errors have their line. */
#include "otway/base/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include <cyaml/cyaml.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

#define FILE_MAX   ((size_t)1 << 20)
#define STRING_MAX 4096

static const cyaml_schema_value_t port = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };
static const cyaml_schema_value_t tunnel = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 40) };

#define PORTS(key, tunnel)                                                                                             \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_OPTIONAL, struct conf_tunnel_ports, tunnel.all, tunnel.all_count,   \
		&port, 1, CONF_PORTS)

static const cyaml_schema_field_t port_fields[] = {
	PORTS("vxlan", vxlan),
	PORTS("geneve", geneve),
	PORTS("gtpu", gtpu),
	PORTS("tzsp", tzsp),
	PORTS("hep", hep),
	PORTS("l2tp", l2tp),
	PORTS("esp", esp),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t decap_fields[] = {
	CYAML_FIELD_SEQUENCE("leave", CYAML_FLAG_OPTIONAL, struct conf_decap, leave, &tunnel, 0, CONF_TUNNELS),
	CYAML_FIELD_MAPPING("ports", CYAML_FLAG_OPTIONAL, struct conf_decap, ports, port_fields),
	CYAML_FIELD_UINT("depth", CYAML_FLAG_OPTIONAL, struct conf_decap, depth),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sip_fields[] = {
	CYAML_FIELD_SEQUENCE("ports", CYAML_FLAG_OPTIONAL, struct conf_sip, ports, &port, 0, CONF_SIP),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("store", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf, store, 1, STRING_MAX),
	CYAML_FIELD_STRING_PTR("kms_header", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf, kms_header, 1, 100),
	CYAML_FIELD_MAPPING("decap", CYAML_FLAG_OPTIONAL, struct conf, decap, decap_fields),
	CYAML_FIELD_MAPPING("sip", CYAML_FLAG_OPTIONAL, struct conf, sip, sip_fields),
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
static unsigned line_of(struct bytes text, const char *key)
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

static int unknown_key(const char *path, struct bytes text, const char *key, struct err *err)
{
	struct nearest best = { 3, "" };

	find_nearest(fields, "", key, &best);
	return err_code(err, EXIT_USAGE, "%s: line %u: there is no setting '%.60s'%s%s%s", path, line_of(text, key),
		key, best.path[0] != '\0' ? "; did you mean '" : "", best.path, best.path[0] != '\0' ? "'?" : "");
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

static int check(const char *path, struct bytes text, const struct conf *c, struct err *err)
{
	const struct conf_ports *ports = (const struct conf_ports *)&c->decap.ports;
	bool zero = false;

	if (c->kms_header != NULL && !header_name(c->kms_header))
		return err_code(err, EXIT_USAGE, "%s: kms_header: not the name of a SIP header", path);
	if (c->decap.depth > CONF_DEPTH || (c->decap.depth < CONF_DEPTH_MIN && line_of(text, "depth") > 0))
		return err_code(err, EXIT_USAGE, "%s: line %u: depth: from %d to %d", path, line_of(text, "depth"),
			CONF_DEPTH_MIN, CONF_DEPTH);
	for (size_t t = 0; t < sizeof(c->decap.ports) / sizeof(*ports); t++)
		for (unsigned i = 0; i < ports[t].all_count; i++)
			zero |= ports[t].all[i] == 0;
	for (unsigned i = 0; i < c->sip.ports_count; i++)
		zero |= c->sip.ports[i] == 0;
	if (zero)
		return err_code(
			err, EXIT_USAGE, "%s: line %u: ports: there is no port 0", path, line_of(text, "ports"));
	return 0;
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
	if (loaded != NULL && check(path, buf_bytes(&text), loaded, err) < 0)
		goto out;
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
	for (unsigned i = 0; i < c->decap.leave_count; i++)
		free(c->decap.leave[i]);
	*c = (struct conf){ 0 };
}
