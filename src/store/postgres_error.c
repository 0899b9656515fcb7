/*
 * postgres_error: failures in our words. What PostgreSQL says of a statement may quote what was in it, so its text goes no
 * further; its codes (appendix A of its manual) do.
 */
#include <ctype.h>
#include <stdio.h>

#include <libpq-fe.h>

#include "postgres_inside.h"

#define CODE_LEN 5

struct words {
	const char *code; /* or its beginning */
	enum db_failure failure;
	enum exit_code exit;
	const char *text;
};

static const struct words words[] = {
	{ "08", DB_LOST, EXIT_UNREACHABLE, "the connection was lost" },
	{ "23505", DB_AGAIN, EXIT_FAILED, "others write at the same time; try again" }, /* we look before we insert */
	{ "25006", DB_FINAL, EXIT_FAILED, "cannot be written: read-only" },
	{ "25P03", DB_LOST, EXIT_UNREACHABLE, "the connection was given up, since nothing was asked for too long" },
	{ "28P01", DB_FINAL, EXIT_REFUSED,
		"the password of that user is missing or wrong; passfile=FILE says where it is" },
	{ "28", DB_FINAL, EXIT_REFUSED, "it does not let that user in" },
	{ "3D000", DB_FINAL, EXIT_NOT_FOUND, "there is no such database; deploy/postgresql.sql tells how it is made" },
	{ "40001", DB_AGAIN, EXIT_FAILED, "others write at the same time; try again" },
	{ "40P01", DB_AGAIN, EXIT_FAILED, "others write at the same time; try again" },
	{ "42501", DB_FINAL, EXIT_REFUSED, "that user may not do this; deploy/postgresql.sql tells which roles may" },
	{ "42P01", DB_FINAL, EXIT_INTEGRITY, "a table of the store is missing; put back a copy" },
	{ "53100", DB_FINAL, EXIT_FAILED, "its disk is full" },
	{ "53300", DB_FINAL, EXIT_UNREACHABLE, "it has too many connections" },
	{ "55P03", DB_FINAL, EXIT_FAILED, "another program keeps it locked; try again" },
	{ "57014", DB_FINAL, EXIT_FAILED, "a statement took too long and was given up; try again" },
	{ "57P03", DB_LOST, EXIT_UNREACHABLE, "it is starting or shutting down; try again" },
	{ "57P", DB_LOST, EXIT_UNREACHABLE, "it ended the connection" },
	{ "XX00", DB_FINAL, EXIT_INTEGRITY, "the database is damaged; put back a copy" },
};

static int tell(struct postgres *db, const char *code, struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(words[i].code, code, strlen(words[i].code)) == 0) {
			db->failure = words[i].failure;
			return err_code(err, words[i].exit, "%s: %s", db->target.name, words[i].text);
		}
	return err_set(err, "%s: the database refuses it (SQLSTATE %.5s)", db->target.name, code);
}

int postgres_refused(struct postgres *db, const PGresult *r, struct err *err)
{
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	db->failure = DB_FINAL;
	if (code == NULL)
		return postgres_unreached(db, db->conn, err);
	if (strcmp(code, "P0001") == 0 && text != NULL) /* our own triggers speak */
		return err_set(err, "%s: %.200s", db->target.name, text);
	return tell(db, code, err);
}

/* The server's code stands alone after its severity (verbosity "sqlstate"), at the end of a line: "… FATAL:  28P01". */
static bool code_of(const char *message, char code[CODE_LEN + 1])
{
	const char *at = message;

	while ((at = strstr(at, ":  ")) != NULL) {
		at += 3;
		if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != CODE_LEN ||
			(at[CODE_LEN] != '\0' && at[CODE_LEN] != '\n'))
			continue;
		memcpy(code, at, CODE_LEN);
		code[CODE_LEN] = '\0';
		return true;
	}
	return false;
}

int postgres_unreached(struct postgres *db, const PGconn *conn, struct err *err)
{
	const char *message = conn != NULL ? PQerrorMessage(conn) : "";
	char code[CODE_LEN + 1], line[300];
	size_t len;

	db->failure = DB_LOST;
	if (code_of(message, code)) {
		tell(db, code, err);
		db->failure = DB_LOST; /* whatever the reason: there is no connection */
		return -1;
	}
	snprintf(line, sizeof(line), "%s", message);
	for (len = strlen(line); len > 0 && isspace((unsigned char)line[len - 1]);)
		line[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = ' ';
	return err_code(err, EXIT_UNREACHABLE, "%s: cannot be reached%s%s", db->target.name, len > 0 ? ": " : "", line);
}
