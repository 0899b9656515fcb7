/*
 * postgres_link: the connection. Nothing is waited for without an end, even where the server stands still; one that went is hung up.
 */
#include <poll.h>
#include <time.h>

#include <libpq-fe.h>

#include "postgres_inside.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool wait_for(const PGconn *conn, short events, int64_t until)
{
	struct pollfd p = { PQsocket(conn), events, 0 };
	int64_t left = until - now_ms();

	return left > 0 && p.fd >= 0 && (poll(&p, 1, (int)left) > 0 || now_ms() < until);
}

void postgres_hang_up(struct postgres *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->listening = false;
	db->failure = DB_LOST;
}

static int silent(struct postgres *db, struct err *err)
{
	postgres_hang_up(db);
	return err_code(err, EXIT_UNREACHABLE, "%s: does not answer", db->target.name);
}

/* libpq would print what the server remarks. */
static void say_nothing(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

int postgres_dial(struct postgres *db, struct err *err)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	int64_t until = now_ms() + (int64_t)db->target.patience * 1000;
	PGconn *conn = PQconnectStartParams(db->target.keys, (const char *const *)db->target.values, 0);
	int rc;

	if (conn == NULL)
		return err_set(err, "out of memory");
	PQsetNoticeProcessor(conn, say_nothing, NULL);
	PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
	db->conn = conn;
	while (PQstatus(conn) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		if (!wait_for(conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
			return silent(db, err);
		next = PQconnectPoll(conn);
	}
	if (PQstatus(conn) == CONNECTION_OK)
		return 0;
	rc = PQconnectionNeedsPassword(conn)
		     ? err_code(err, EXIT_REFUSED, "%s: wants a password; passfile=FILE says where it is",
			       db->target.name)
		     : postgres_unreached(db, conn, err);
	postgres_hang_up(db);
	return rc;
}

static bool succeeded(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

int postgres_went(struct postgres *db, struct err *err)
{
	int rc = postgres_unreached(db, db->conn, err);

	postgres_hang_up(db);
	return rc;
}

/* The result of what was sent: of several statements the last one's, or that of the first which failed. */
int postgres_collect(struct postgres *db, PGresult **out, struct err *err)
{
	int64_t until = now_ms() + (int64_t)(2 * db->target.patience + 1) * 1000;
	PGresult *last = NULL, *r;

	for (;;) {
		while (PQisBusy(db->conn)) {
			if (wait_for(db->conn, POLLIN, until) && PQconsumeInput(db->conn))
				continue;
			PQclear(last);
			return now_ms() < until ? postgres_went(db, err) : silent(db, err);
		}
		if ((r = PQgetResult(db->conn)) == NULL)
			break;
		if (last != NULL && !succeeded(last)) {
			PQclear(r);
			continue;
		}
		PQclear(last);
		last = r;
	}
	*out = last;
	if (last != NULL && succeeded(last))
		return 0;
	if (last == NULL)
		return postgres_went(db, err);
	postgres_refused(db, last, err);
	PQclear(last);
	if (db->failure == DB_LOST || PQstatus(db->conn) == CONNECTION_BAD)
		postgres_hang_up(db);
	return -1;
}

bool postgres_more(const struct postgres *db)
{
	struct pollfd p = { PQsocket(db->conn), POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}
