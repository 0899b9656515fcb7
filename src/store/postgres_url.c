/*
 * postgres_url: where a PostgreSQL store is, read strictly. What the URL says counts, and nothing else: no environment, no service
 * file. Passwords come out of files that only their owner reads; over a network the server proves who it is.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "otway/base/file.h"
#include "otway/base/text.h"
#include "postgres_inside.h"

#define PATIENCE     5
#define PATIENCE_MIN 2
#define PATIENCE_MAX 60
#define FORM         "write postgresql://USER@HOST/DATABASE?sslrootcert=FILE"

/* What a URL may say. */
static const char *const known[] = { "host", "port", "user", "dbname", "passfile", "sslmode", "sslrootcert", "sslcert",
	"sslkey", "sslcrl", "connect_timeout", "target_session_attrs" };

static bool is_known(const char *key)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], key) == 0)
			return true;
	return false;
}

static int put(struct postgres_target *t, const char *key, const char *value, struct err *err)
{
	if (t->count == POSTGRES_SETTINGS || (t->values[t->count] = strdup(value)) == NULL)
		return err_set(err, "out of memory");
	t->keys[t->count++] = key;
	return 0;
}

static const char *said(const PQconninfoOption *all, const char *key)
{
	for (; all->keyword != NULL; all++)
		if (strcmp(all->keyword, key) == 0)
			return all->val != NULL && all->val[0] != '\0' ? all->val : NULL;
	return NULL;
}

/* Sockets of this machine alone: each of the hosts is a folder, or none is named. */
static bool is_local(const char *hosts)
{
	struct bytes rest = bytes_of(hosts != NULL ? hosts : "");

	while (rest.len > 0) {
		struct bytes one = text_cut(rest, ',', &rest);

		if (one.len > 0 && one.at[0] != '/' && one.at[0] != '@')
			return false;
	}
	return true;
}

/* Known settings alone, none of them from the environment; the password from neither. */
static int check_said(const PQconninfoOption *all, struct err *err)
{
	if (said(all, "password") != NULL)
		return err_code(err, EXIT_REFUSED,
			"the URL has a password in it, which lists of processes and histories show to others; put it "
			"in a file "
			"that only you can read (a line HOST:PORT:DATABASE:USER:PASSWORD) and name that with "
			"passfile=FILE");
	for (; all->keyword != NULL; all++) {
		if (all->val != NULL && !is_known(all->keyword))
			return err_code(
				err, EXIT_USAGE, "'%s' is no setting that the URL of a store takes", all->keyword);
		if (all->envvar != NULL && getenv(all->envvar) != NULL)
			return err_code(err, EXIT_REFUSED,
				"%s is set in the environment, but a store is reached by what its URL says alone; "
				"unset it",
				all->envvar);
	}
	return 0;
}

static int check_network(const PQconninfoOption *all, struct err *err)
{
	const char *mode = said(all, "sslmode");

	if (mode != NULL && strcmp(mode, "verify-full") != 0)
		return err_code(err, EXIT_REFUSED,
			"sslmode=%.20s would let others read warrants on their way, or stand in for the database; over "
			"a network "
			"it is verify-full",
			mode);
	if (said(all, "sslrootcert") == NULL)
		return err_code(err, EXIT_USAGE,
			"a database that is reached by network proves itself by a certificate: name its CA's with "
			"sslrootcert=FILE");
	return 0;
}

/* The named file must be there; the usual one may be. libpq would pass over one that others can read, with a word on stderr. */
static int add_passfile(struct postgres_target *t, const char *named, struct err *err)
{
	const char *home = getenv("HOME");
	const struct passwd *user;
	char usual[4096];

	if (home == NULL || home[0] != '/') {
		user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : "/nonexistent";
	}
	snprintf(usual, sizeof(usual), "%s/.pgpass", home);
	if ((named != NULL || access(usual, F_OK) == 0) && file_private(named != NULL ? named : usual, err) < 0)
		return -1;
	return put(t, "passfile", named != NULL ? named : usual, err);
}

static int add_patience(struct postgres_target *t, const char *text, struct err *err)
{
	uint64_t seconds = PATIENCE;

	if (text != NULL && (!text_number(bytes_of(text), PATIENCE_MAX, &seconds) || seconds < PATIENCE_MIN))
		return err_code(err, EXIT_USAGE, "connect_timeout is a number of seconds, %d to %d", PATIENCE_MIN,
			PATIENCE_MAX);
	t->patience = (unsigned)seconds;
	return 0;
}

/* No encryption but TLS, a peer that vanished noticed in half a minute. */
static const char *const always[][2] = { { "gssencmode", "disable" }, { "client_encoding", "UTF8" },
	{ "application_name", "otway" }, { "keepalives_idle", "10" }, { "keepalives_interval", "5" },
	{ "keepalives_count", "3" } };

static int add_all(struct postgres_target *t, const PQconninfoOption *all, bool local, struct err *err)
{
	static const char *const as_said[] = { "host", "port", "user", "sslrootcert", "sslcert", "sslkey", "sslcrl",
		"target_session_attrs" };
	const char *database = said(all, "dbname") != NULL ? said(all, "dbname") : "otway";
	const char *host = said(all, "host");
	int rc = put(t, "dbname", database, err);

	for (size_t i = 0; rc == 0 && i < sizeof(as_said) / sizeof(as_said[0]); i++)
		if (said(all, as_said[i]) != NULL)
			rc = put(t, as_said[i], said(all, as_said[i]), err);
	for (size_t i = 0; rc == 0 && i < sizeof(always) / sizeof(always[0]); i++)
		rc = put(t, always[i][0], always[i][1], err);
	if (rc == 0)
		rc = put(t, "sslmode", local ? "disable" : "verify-full", err);
	if (rc == 0)
		rc = add_passfile(t, said(all, "passfile"), err);
	if (rc == 0)
		rc = add_patience(t, said(all, "connect_timeout"), err);
	snprintf(t->name, sizeof(t->name), "PostgreSQL database '%.40s' at %.80s", database,
		host != NULL ? host : "this machine");
	return rc;
}

int postgres_target_read(struct postgres_target *t, const char *place, struct err *err)
{
	PQconninfoOption *all = NULL;
	char *url = NULL;
	bool local;
	int rc = -1;

	*t = (struct postgres_target){ 0 };
	if (asprintf(&url, "postgresql:%s", place) < 0)
		return err_set(err, "out of memory");
	if (strncmp(place, "//", 2) == 0)
		all = PQconninfoParse(url, NULL); /* its own words would quote the URL, password and all */
	free(url);
	if (all == NULL)
		return err_code(err, EXIT_USAGE, "the URL of the store cannot be read; " FORM);
	local = is_local(said(all, "host"));
	if (check_said(all, err) == 0 && (local || check_network(all, err) == 0))
		rc = add_all(t, all, local, err);
	PQconninfoFree(all);
	if (rc < 0)
		postgres_target_clear(t);
	return rc;
}

void postgres_target_clear(struct postgres_target *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->values[i]);
	t->count = 0;
}
