/* conf_run: the settings of `otway run`: the schema is their list, the tables below it their ranges and defaults. */
#include "conf_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

#define STRING_MAX    4096
#define SOCKET_MAX    108 /* octets of a unix socket's path, with its NUL: sockaddr_un */
#define INTERFACE_MAX 16  /* of an interface's name, with its NUL: IFNAMSIZ */

static const cyaml_schema_value_t interface = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, STRING_MAX) };

#define TEXT(of, name) CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, of, name, 1, STRING_MAX)
#define NUMBER(name)   CYAML_FIELD_UINT(#name, CYAML_FLAG_OPTIONAL, struct conf_run, name)
#define BOOLEAN(name)  CYAML_FIELD_BOOL(#name, CYAML_FLAG_OPTIONAL, struct conf_run, name)

static const cyaml_schema_field_t users_fields[] = {
	TEXT(struct conf_users, control),
	TEXT(struct conf_users, intercept),
	TEXT(struct conf_users, keys),
	TEXT(struct conf_users, delivery),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t conf_run_fields[] = {
	CYAML_FIELD_SEQUENCE(
		"interfaces", CYAML_FLAG_OPTIONAL, struct conf_run, interfaces, &interface, 0, CONF_INTERFACES),
	BOOLEAN(prepare),
	NUMBER(intercepts),
	NUMBER(ring_mib),
	NUMBER(snaplen),
	NUMBER(retire_ms),
	BOOLEAN(midcall),
	NUMBER(midcall_mib),
	NUMBER(hold_kib),
	TEXT(struct conf_run, hold_time),
	TEXT(struct conf_run, lease),
	TEXT(struct conf_run, cases),
	NUMBER(rotate_mib),
	TEXT(struct conf_run, rotate_time),
	NUMBER(sync_ms),
	TEXT(struct conf_run, settle),
	NUMBER(held_mib),
	TEXT(struct conf_run, status),
	TEXT(struct conf_run, metrics),
	TEXT(struct conf_run, log_level),
	TEXT(struct conf_run, kms_files),
	BOOLEAN(without_landlock),
	NUMBER(watchdog_s),
	CYAML_FIELD_MAPPING("users", CYAML_FLAG_OPTIONAL, struct conf_run, users, users_fields),
	CYAML_FIELD_END,
};

/* Numbers: what may be, and what is meant when nothing is said. */
static const struct number {
	const char *name;
	size_t at;
	unsigned least, most, usual;
} numbers[] = {
#define OF(name, least, most, usual)                                                                                   \
	{                                                                                                              \
#name, offsetof(struct conf_run, name), least, most, usual                                             \
	}
	OF(intercepts, 1, CONF_INTERCEPTS, 0), /* as many as cores */
	OF(ring_mib, 1, 4096, 32),
	OF(snaplen, 512, 262144, 65535),
	OF(retire_ms, 1, 1000, 10),
	OF(midcall_mib, 1, 65536, 64),
	OF(hold_kib, 64, 1048576, 8192),
	OF(rotate_mib, 1, 1048576, 1024),
	OF(sync_ms, 10, 60000, 1000),
	OF(held_mib, 1, 1048576, 1024),
	OF(watchdog_s, 2, 600, 5),
#undef OF
};

/* Texts: what is meant when nothing is said, and whether they are spans of time. */
static const struct text {
	const char *name;
	size_t at;
	const char *usual;
	enum { SPAN, PATH, SOCKET, OTHER } kind;
} texts[] = {
#define OF(name, usual, kind)                                                                                          \
	{                                                                                                              \
#name, offsetof(struct conf_run, name), usual, kind                                                    \
	}
	OF(hold_time, "10m", SPAN),
	OF(lease, "24h", SPAN),
	OF(rotate_time, "24h", SPAN),
	OF(settle, "40s", SPAN),
	OF(cases, "/var/lib/otway/cases", PATH),
	OF(kms_files, "/etc/otway/kms", PATH),
	OF(status, "/run/otway/status", SOCKET),
	OF(log_level, "info", OTHER),
	OF(users.control, "otway-control", OTHER),
	OF(users.intercept, "otway-intercept", OTHER),
	OF(users.keys, "otway-keys", OTHER),
	OF(users.delivery, "otway-delivery", OTHER),
	OF(metrics, NULL, OTHER),
#undef OF
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned *number_of(const struct conf_run *r, const struct number *n)
{
	return (unsigned *)((char *)(uintptr_t)r + n->at);
}

static char **text_of(const struct conf_run *r, const struct text *t)
{
	return (char **)((char *)(uintptr_t)r + t->at);
}

bool conf_span(const char *text, nsec_t *out)
{
	char plus[32];
	struct err err;

	if (strlen(text) + 2 > sizeof(plus) || !text_digit((uint8_t)text[0]))
		return false;
	plus[0] = '+';
	memcpy(plus + 1, text, strlen(text) + 1);
	return nsec_parse(plus, 0, out, &err) == 0 && *out > 0;
}

/* Where in which file, for errors. */
struct place {
	const char *path;
	struct bytes text;
	struct err *err;
};

static int __attribute__((format(printf, 3, 4))) wrong(const struct place *p, const char *key, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_code(p->err, EXIT_USAGE, "%s: line %u: run: %s: %s", p->path, conf_line(p->text, key), key, what);
}

/* What the kernel takes as an interface's name: dev_valid_name. */
static bool interface_name(const char *name)
{
	if (strlen(name) >= INTERFACE_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++)
		if (*name == '/' || *name == ':' || (uint8_t)*name <= ' ' || *name == 0x7f)
			return false;
	return true;
}

static int check_interfaces(const struct place *p, const struct conf_run *r)
{
	for (unsigned i = 0; i < r->interfaces_count; i++) {
		if (!interface_name(r->interfaces[i]))
			return wrong(p, "interfaces", "entry %u is not the name of an interface", i + 1);
		for (unsigned k = 0; k < i; k++)
			if (strcmp(r->interfaces[i], r->interfaces[k]) == 0)
				return wrong(p, "interfaces", "%s is there twice", r->interfaces[i]);
	}
	return 0;
}

/* A path for a socket, or a port of this host: nobody else is told anything. */
static bool metrics_place(const char *text)
{
	static const char loopback[] = "127.0.0.1:", loopback_6[] = "[::1]:";
	struct bytes all = bytes_of(text);
	uint64_t port;

	if (strncmp(text, "unix:/", 6) == 0)
		return all.len - 5 < SOCKET_MAX;
	if (strncmp(text, loopback, sizeof(loopback) - 1) == 0)
		all = bytes_part(all, sizeof(loopback) - 1, SIZE_MAX);
	else if (strncmp(text, loopback_6, sizeof(loopback_6) - 1) == 0)
		all = bytes_part(all, sizeof(loopback_6) - 1, SIZE_MAX);
	else
		return false;
	return text_number(all, 65535, &port) && port > 0;
}

static bool level_name(const char *name)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };

	for (size_t i = 0; i < COUNT(levels); i++)
		if (strcmp(name, levels[i]) == 0)
			return true;
	return false;
}

static int check_text(const struct place *p, const struct text *t, const char *value)
{
	nsec_t span;

	if (t->kind == SPAN && !conf_span(value, &span))
		return wrong(p, t->name, "a span of time is a number and a unit (s, m, h, d, w), as in %s", t->usual);
	if ((t->kind == PATH || t->kind == SOCKET) && value[0] != '/')
		return wrong(p, t->name, "is a whole path, from / on");
	if (t->kind == SOCKET && strlen(value) >= SOCKET_MAX)
		return wrong(p, t->name, "is too long for a socket: %d octets at most", SOCKET_MAX - 1);
	if (strcmp(t->name, "metrics") == 0 && !metrics_place(value))
		return wrong(p, t->name, "is unix:PATH, 127.0.0.1:PORT or [::1]:PORT");
	if (strcmp(t->name, "log_level") == 0 && !level_name(value))
		return wrong(p, t->name, "is error, warning, info or debug");
	return 0;
}

int conf_run_check(const char *path, struct bytes text, const struct conf_run *r, struct err *err)
{
	const struct place p = { path, text, err };

	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct number *n = &numbers[i];
		unsigned value = *number_of(r, n);

		if (value > n->most || (value < n->least && conf_line(text, n->name) > 0))
			return wrong(&p, n->name, "from %u to %u", n->least, n->most);
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *value = *text_of(r, &texts[i]);

		if (value != NULL && check_text(&p, &texts[i], value) < 0)
			return -1;
	}
	return check_interfaces(&p, r);
}

static unsigned cores(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > CONF_INTERCEPTS ? CONF_INTERCEPTS : (unsigned)count;
}

bool conf_run_defaults(struct conf_run *r)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		unsigned *value = number_of(r, &numbers[i]);

		if (*value == 0)
			*value = numbers[i].usual > 0 ? numbers[i].usual : cores();
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		char **value = text_of(r, &texts[i]);

		if (*value == NULL && texts[i].usual != NULL && (*value = strdup(texts[i].usual)) == NULL)
			return false;
	}
	return true;
}

void conf_run_clear(struct conf_run *r)
{
	for (unsigned i = 0; i < r->interfaces_count; i++)
		free(r->interfaces[i]);
	for (size_t i = 0; i < COUNT(texts); i++)
		free(*text_of(r, &texts[i]));
	*r = (struct conf_run){ 0 };
}
