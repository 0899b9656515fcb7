/* conf: the program's settings. The schema is their list. */
#include "otway/base/conf.h"

#include <stdlib.h>

#include "conf_run.h"
#include "otway/base/file.h"
#include "otway/base/text.h"

#define STRING_MAX 4096
#define FILE_MAX   ((size_t)128 << 10) /* so that it fits a message between roles */

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
	CYAML_FIELD_MAPPING("run", CYAML_FLAG_OPTIONAL, struct conf, run, conf_run_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf, fields) };

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
	if (c->decap.depth > CONF_DEPTH || (c->decap.depth < CONF_DEPTH_MIN && conf_line(text, "depth") > 0))
		return err_code(err, EXIT_USAGE, "%s: line %u: depth: from %d to %d", path, conf_line(text, "depth"),
			CONF_DEPTH_MIN, CONF_DEPTH);
	for (size_t t = 0; t < sizeof(c->decap.ports) / sizeof(*ports); t++)
		for (unsigned i = 0; i < ports[t].all_count; i++)
			zero |= ports[t].all[i] == 0;
	for (unsigned i = 0; i < c->sip.ports_count; i++)
		zero |= c->sip.ports[i] == 0;
	if (zero)
		return err_code(
			err, EXIT_USAGE, "%s: line %u: ports: there is no port 0", path, conf_line(text, "ports"));
	return conf_run_check(path, text, &c->run, err);
}

int conf_parse(const char *path, struct bytes text, struct conf *out, struct err *err)
{
	struct conf *loaded = NULL;
	int rc = -1;

	*out = (struct conf){ 0 };
	if (conf_load_text(path, &schema, (void **)&loaded, text, err) < 0)
		goto out;
	if (loaded != NULL && check(path, text, loaded, err) < 0)
		goto out;
	if (loaded != NULL) {
		*out = *loaded; /* the caller's from here on */
		*loaded = (struct conf){ 0 };
	}
	rc = 0;
out:
	conf_unload(&schema, loaded);
	return rc < 0 ? err_in(err, "reading the configuration") : 0;
}

int conf_read(const char *path, struct conf *out, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	*out = (struct conf){ 0 };
	rc = file_read(path, FILE_MAX, &text, err) < 0 ? err_in(err, "reading the configuration")
						       : conf_parse(path, buf_bytes(&text), out, err);
	buf_clear(&text);
	return rc;
}

void conf_clear(struct conf *c)
{
	free(c->store);
	free(c->kms_header);
	for (unsigned i = 0; i < c->decap.leave_count; i++)
		free(c->decap.leave[i]);
	conf_run_clear(&c->run);
	*c = (struct conf){ 0 };
}
