/*
 * transaction: changes and readings, on a connection that may go. What was not committed is tried again where that may help and
 * changes nothing twice; what answers after a loss must be the store that was opened.
 */
#include <stdio.h>
#include <time.h>

#include "inside.h"

/* The pause before the second try, in nanoseconds; before each further one it is twice as long, and up to twice that by chance. */
#define PAUSE_FIRST (5 * 1000 * 1000)
#define TRIES       8

static const char unsure[] =
	"the connection was lost while the change was committed, so that nobody knows whether it was; "
	"do it again: what is there already is not done twice";

static enum db_failure failure_of(const struct store *s)
{
	return s->backend->failure != NULL ? s->backend->failure(s->db) : DB_FINAL;
}

static int take_id(void *arg, const struct db_value *c)
{
	const char *id = db_string(&c[0]);

	snprintf(arg, sizeof(((struct store *)0)->id), "%s", id != NULL ? id : "");
	return 0;
}

int store_identify(struct store *s, struct err *err)
{
	char id[sizeof(s->id)] = "";

	if (!s->backend->identified)
		return 0;
	if (store_ask(s, "SELECT id FROM store_identity", take_id, id, err) < 0)
		return -1;
	if (id[0] == '\0')
		return err_code(err, EXIT_INTEGRITY, "the store has lost its identity");
	if (s->id[0] != '\0' && strcmp(s->id, id) != 0)
		return err_code(err, EXIT_INTEGRITY, "another store answers than the one that was opened");
	memcpy(s->id, id, sizeof(s->id));
	return 0;
}

/* What answers now: of the version that we know, and the one that was opened? */
static int recognise(struct store *s, struct err *err)
{
	int version = s->backend->version(s->db, err);

	if (version < 0)
		return -1;
	if (version == 0)
		return err_code(err, EXIT_INTEGRITY, "an empty database answers in place of the store that was opened");
	if (version != (int)*s->backend->schema_count)
		return err_code(err, EXIT_REFUSED, "schema is version %d now, this program knows %d", version,
			(int)*s->backend->schema_count);
	return store_identify(s, err);
}

int store_reach(struct store *s, struct err *err)
{
	if (!s->lost)
		return 0;
	if (s->backend->reopen(s->db, err) < 0 || recognise(s, err) < 0)
		return err_in(err, "the connection to the warrant store was lost");
	s->lost = false;
	return 0;
}

/* What begins by a failure (the right to write is not to be had) is no transaction. */
static int begin_once(struct store *s, const char *how, struct err *err)
{
	if (s->backend->script(s->db, how, err) == 0)
		return 0;
	s->lost = failure_of(s) == DB_LOST;
	if (!s->lost)
		s->backend->script(s->db, "ROLLBACK", NULL);
	return -1;
}

static int begin(struct store *s, const char *how, struct err *err)
{
	if (store_reach(s, err) < 0)
		return -1;
	if (begin_once(s, how, err) == 0)
		return 0;
	return s->lost && store_reach(s, err) == 0 ? begin_once(s, how, err) : -1;
}

/* Why it failed must be asked before it is rolled back. */
static int finish(struct store *s, int rc, enum db_failure *why, struct err *err)
{
	bool committing = rc == 0;

	if (committing)
		rc = s->backend->script(s->db, "COMMIT", err);
	*why = rc != 0 ? failure_of(s) : DB_FINAL;
	s->lost = *why == DB_LOST;
	if (committing && s->lost)
		*why = DB_UNSURE;
	if (rc != 0 && !s->lost)
		s->backend->script(s->db, "ROLLBACK", NULL); /* the first error is the one to tell */
	return rc;
}

int store_attempt(struct store *s, const char *begins, int (*work)(struct store *s, void *arg, struct err *err),
	void *arg, struct err *err)
{
	struct err spare;
	enum db_failure why;

	if (begin(s, begins, err) < 0)
		return -1;
	return finish(s, work(s, arg, err != NULL ? err : &spare), &why, err);
}

static void pause_before(unsigned tries)
{
	uint64_t length = (uint64_t)PAUSE_FIRST << tries;
	uint32_t chance = 0;
	struct timespec pause;

	crypto_random((uint8_t *)&chance, sizeof(chance));
	length += length * chance / UINT32_MAX;
	pause = (struct timespec){ (time_t)(length / NSEC_PER_SEC), (long)(length % NSEC_PER_SEC) };
	nanosleep(&pause, NULL);
}

static int change(struct store *s, int (*work)(struct store *s, void *arg, struct err *err), void *arg, struct err *err)
{
	enum db_failure why;
	nsec_t now;
	int rc;

	for (unsigned tries = 0;; tries++) {
		if (begin(s, s->backend->begin_write, err) < 0)
			return -1;
		now = nsec_now();
		s->at = now - now % 1000; /* told in microseconds, so kept in them */
		rc = finish(s, work(s, arg, err), &why, err);
		if (why == DB_UNSURE)
			err_code(err, EXIT_UNREACHABLE, "%s", unsure);
		if (rc == 0 || (why != DB_AGAIN && why != DB_LOST) || tries == TRIES - 1)
			return rc;
		pause_before(tries);
	}
}

int store_change(struct store *s, int (*work)(struct store *s, void *arg, struct err *err), void *arg, struct err *err)
{
	struct err spare = { EXIT_FAILED, "" };
	struct err *e = err != NULL ? err : &spare;
	int rc;

	e->code = EXIT_FAILED;
	rc = change(s, work, arg, e);
	if (rc < 0 && e->code == EXIT_FAILED) { /* not a verdict of work: the database itself */
		e->code = EXIT_REFUSED;
		err_in(e, "refused, since the audit trail cannot be written");
	}
	return rc;
}

/* Not tried again once it began: what it tells may have been told already. */
int store_reading(struct store *s, int (*work)(struct store *s, void *arg, struct err *err), void *arg, struct err *err)
{
	return store_attempt(s, s->backend->begin_read, work, arg, err);
}

const char *store_id(const struct store *s)
{
	return s->id;
}

int store_changed(struct store *s, bool *changed, struct err *err)
{
	*changed = true;
	if (store_reach(s, err) < 0)
		return -1;
	if (s->backend->changed(s->db, changed, err) == 0)
		return 0;
	*changed = true;
	s->lost = failure_of(s) == DB_LOST;
	return -1;
}

int store_fd(struct store *s)
{
	return s->lost ? -1 : s->backend->fd(s->db);
}
