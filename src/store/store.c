/*
 * store: opening by url, schema migrations, rows. What is kept lies in agency.c, warrant_*.c and audit.c.
 */
#include "otway/store.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inside.h"

static const struct backend *const backends[] = { &backend_sqlite, &backend_postgresql };

int store_run_values(struct store *s, const char *sql, db_row_fn fn, void *arg, struct err *err,
	const struct db_value *values, size_t count)
{
	return s->backend->run(s->db, sql, values, count, fn, arg, err);
}

int take_number(void *arg, const struct db_value *columns)
{
	*(int64_t *)arg = columns[0].number;
	return 0;
}

int take_text(void *arg, const struct db_value *columns)
{
	char **out = arg;
	bool ok = true;

	free(*out);
	*out = copy_text(&columns[0], &ok);
	return 0;
}

char *copy_text(const struct db_value *v, bool *ok)
{
	const char *text = db_string(v);
	char *copy = text != NULL ? strdup(text) : NULL;

	if (text != NULL && copy == NULL)
		*ok = false;
	return copy;
}

/* One step of the schema, unless somebody else was quicker. */
static int migrate(struct store *s, void *arg, struct err *err)
{
	int from = *(const int *)arg, there = s->backend->version(s->db, err);

	if (there != from)
		return there < 0 ? -1 : 0;
	if (s->backend->script(s->db, s->backend->schemas[from], err) < 0)
		return -1;
	if (from == 0)
		return store_run(s, "INSERT INTO schema_version (version) VALUES ($1)", NULL, NULL, err, db_number(1));
	return store_run(s, "UPDATE schema_version SET version = $1", NULL, NULL, err, db_number(from + 1));
}

static int settle_schema(struct store *s, struct err *err)
{
	int known = (int)*s->backend->schema_count, version;

	while ((version = s->backend->version(s->db, err)) >= 0 && version < known)
		if (store_attempt(s, s->backend->begin_write, migrate, &version, err) < 0)
			return -1;
	if (version > known)
		return err_code(err, EXIT_REFUSED, "schema is version %d, this program knows %d; use a newer otway",
			version, known);
	return version < 0 ? -1 : 0;
}

static const struct backend *backend_of(const char *url, const char **place, struct err *err)
{
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		size_t len = strlen(backends[i]->scheme);

		if (strncmp(url, backends[i]->scheme, len) == 0 && url[len] == ':') {
			*place = url + len + 1;
			return backends[i];
		}
	}
	err_code(err, EXIT_USAGE, "'%.*s' names no store; write sqlite:PATH or postgresql://USER@HOST/DATABASE",
		(int)strcspn(url, ":"), url);
	return NULL;
}

int store_begin(struct store **out, const struct backend *kind, const char *place, bool create, const char *actor,
	struct err *err)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->actor = strdup(actor)) == NULL) {
		store_free(s);
		return err_set(err, "out of memory");
	}
	s->backend = kind;
	if (kind->open(&s->db, kind, place, create, err) < 0 || settle_schema(s, err) < 0 ||
		store_identify(s, err) < 0) {
		store_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

int store_open(struct store **out, const char *url, bool create, const char *actor, struct err *err)
{
	const char *place;
	const struct backend *kind = backend_of(url, &place, err);

	if (kind == NULL || store_begin(out, kind, place, create, actor, err) < 0)
		return err_in(err, "opening the warrant store");
	return 0;
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	if (s->db != NULL)
		s->backend->close(s->db);
	free(s->actor);
	free(s);
}

int store_default_url(char *out, size_t size, struct err *err)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	const struct passwd *user;
	int len;

	if (home == NULL || home[0] != '/') {
		user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : NULL;
	}
	if (geteuid() == 0)
		len = snprintf(out, size, "sqlite:/var/lib/otway/otway.db");
	else if (data != NULL && data[0] == '/') /* a relative one counts as none, says its specification */
		len = snprintf(out, size, "sqlite:%s/otway/otway.db", data);
	else if (home != NULL && home[0] == '/')
		len = snprintf(out, size, "sqlite:%s/.local/share/otway/otway.db", home);
	else
		return err_code(
			err, EXIT_USAGE, "no home folder to keep the store in; name one with --store sqlite:PATH");
	if (len < 0 || (size_t)len >= size)
		return err_set(err, "the path of the store is too long; name another with --store sqlite:PATH");
	return 0;
}
