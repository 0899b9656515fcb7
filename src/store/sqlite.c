/*
 * sqlite: the embedded backend. One file, private to its owner; of warrants with a rollback journal: a single file to copy, and
 * readable where nothing can be written. Writes of warrants are rare, so each is made as durable as can be (synchronous EXTRA is FULL, and the
 * folder is synced after the journal is gone).
 */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "otway/base/file.h"
#include "sqlite_owner.h"
#include "sqlite_watch.h"

#define BUSY_MS 5000

struct sqlite {
	sqlite3 *handle;
	char *path;
	const struct backend *kind;
	struct sqlite_watch watch;
	struct sqlite_owner owner;
};

/* What went wrong, in words that say what to do. */
static int sqlite_failed(struct sqlite *db, struct err *err)
{
	int code = sqlite3_extended_errcode(db->handle), errnum = sqlite3_system_errno(db->handle);

	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return err_set(err, "%s: not a database", db->path);
	case SQLITE_CORRUPT:
		return err_code(err, EXIT_INTEGRITY, "%s: the file is damaged; put back a copy", db->path);
	case SQLITE_READONLY:
		return err_set(err, "%s: cannot be written: read-only", db->path);
	case SQLITE_FULL:
		return err_set(err, "%s: the disk is full", db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, "%s: another program keeps it locked; try again", db->path);
	case SQLITE_NOMEM:
		return err_set(err, "out of memory");
	case SQLITE_CANTOPEN:
		return err_set(
			err, "%s: cannot be opened: %s", db->path, errnum != 0 ? strerror(errnum) : "not a file");
	case SQLITE_IOERR:
		return err_set(err, "%s: cannot be read or written: %s", db->path,
			errnum != 0 ? strerror(errnum) : sqlite3_errstr(code));
	default:
		return err_set(err, "%s: %s", db->path, sqlite3_errmsg(db->handle));
	}
}

static int bind(struct sqlite *db, sqlite3_stmt *stmt, const struct db_value *values, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct db_value *v = &values[i];
		const char *text = v->octets.len > 0 ? (const char *)v->octets.at : "";
		char name[24];
		int at, rc;

		snprintf(name, sizeof(name), "$%zu", i + 1);
		at = sqlite3_bind_parameter_index(stmt, name);
		if (v->kind == DB_NUMBER)
			rc = sqlite3_bind_int64(stmt, at, v->number);
		else if (v->kind == DB_TEXT)
			rc = sqlite3_bind_text64(stmt, at, text, v->octets.len, SQLITE_STATIC, SQLITE_UTF8);
		else if (v->kind == DB_OCTETS)
			rc = sqlite3_bind_blob64(stmt, at, text, v->octets.len, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(stmt, at);
		if (rc != SQLITE_OK)
			return sqlite_failed(db, err);
	}
	return 0;
}

static struct db_value column(sqlite3_stmt *stmt, int i)
{
	const void *at;

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		return db_number(sqlite3_column_int64(stmt, i));
	case SQLITE_TEXT:
		at = sqlite3_column_text(stmt, i);
		return (struct db_value){ .kind = at != NULL ? DB_TEXT : DB_NULL,
			.octets = { at, (size_t)sqlite3_column_bytes(stmt, i) } };
	case SQLITE_BLOB:
		at = sqlite3_column_blob(stmt, i);
		return (struct db_value){ .kind = DB_OCTETS, .octets = { at, (size_t)sqlite3_column_bytes(stmt, i) } };
	default:
		return (struct db_value){ .kind = DB_NULL };
	}
}

static int rows(struct sqlite *db, sqlite3_stmt *stmt, db_row_fn fn, void *arg, struct err *err)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct db_value columns[DB_COLUMNS] = { 0 };
		int count = sqlite3_column_count(stmt), stop;

		for (int i = 0; i < count && i < DB_COLUMNS; i++)
			columns[i] = column(stmt, i);
		stop = fn != NULL ? fn(arg, columns) : 0;
		if (stop != 0)
			return stop;
	}
	return rc == SQLITE_DONE ? 0 : sqlite_failed(db, err);
}

static int sqlite_run(void *arg_db, const char *sql, const struct db_value *values, size_t count, db_row_fn fn,
	void *arg, struct err *err)
{
	struct sqlite *db = arg_db;
	sqlite3_stmt *stmt = NULL;
	int rc;

	sqlite_owner_enter(&db->owner);
	rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) == SQLITE_OK ? bind(db, stmt, values, count, err)
									       : sqlite_failed(db, err);
	if (rc == 0)
		rc = rows(db, stmt, fn, arg, err);
	sqlite3_finalize(stmt);
	sqlite_owner_leave(&db->owner);
	return rc;
}

static int sqlite_script(void *arg_db, const char *sql, struct err *err)
{
	struct sqlite *db = arg_db;
	int rc;

	sqlite_owner_enter(&db->owner);
	rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sqlite_failed(db, err);
	sqlite_owner_leave(&db->owner);
	return rc;
}

static int take_number(void *arg, const struct db_value *columns)
{
	*(int64_t *)arg = columns[0].number;
	return 0;
}

static int sqlite_version(void *arg_db, struct err *err)
{
	struct sqlite *db = arg_db;
	int64_t tables = 0, id = 0, version = 0;

	if (sqlite_run(db, "SELECT COUNT(*) FROM sqlite_master", NULL, 0, take_number, &tables, err) < 0 ||
		sqlite_run(db, "PRAGMA application_id", NULL, 0, take_number, &id, err) < 0)
		return -1;
	if (tables == 0)
		return 0;
	if (id != db->kind->application)
		return err_set(err, "%s: a database, but no otway store that '%s' makes", db->path, db->kind->maker);
	if (sqlite_run(db, "SELECT MAX(version) FROM schema_version", NULL, 0, take_number, &version, err) < 0)
		return -1;
	return version > 0 && version < INT32_MAX ? (int)version
						  : err_set(err, "%s: its schema has no version", db->path);
}

/* SQLite would make it as the umask says; we say 0600 whatever that is. Its journal takes the same mode. */
static int make_file(const char *path, struct err *err)
{
	char *folder = strdup(path), *slash = folder != NULL ? strrchr(folder, '/') : NULL;
	int fd, rc = 0;

	if (folder == NULL)
		return err_set(err, "out of memory");
	if (slash != NULL && slash != folder) {
		*slash = '\0';
		rc = file_make_dirs(folder, err);
	}
	free(folder);
	if (rc < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno != EEXIST)
		return err_set(err, "%s: cannot be made: %s", path, strerror(errno));
	if (fd >= 0) {
		fchmod(fd, 0600);
		close(fd);
	}
	return 0;
}

static int check_file(const char *path, const struct backend *kind, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return err_code(err, EXIT_NOT_FOUND, "%s: no store is there; '%s' makes one", path, kind->maker);
	if (file_private(path, err) < 0)
		return -1;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, "%s: not a file", path);
	return 0;
}

static void sqlite_close(void *arg_db)
{
	struct sqlite *db = arg_db;

	if (db == NULL)
		return;
	sqlite_watch_end(&db->watch);
	sqlite_owner_enter(&db->owner);
	sqlite3_close(db->handle);
	sqlite_owner_leave(&db->owner);
	free(db->path);
	free(db);
}

/* Deleted content is overwritten, nothing spills into temporary files, and a crafted file gets no say in what runs. */
static const char settings[] = "PRAGMA foreign_keys = ON; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;"
			       "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
			       "PRAGMA mmap_size = 0;";

/* Many small writes: a log beside the file, synced with each of them (FULL), costs a sixth of a journal and loses as little. */
static const char busy_settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

static int sqlite_settle(struct sqlite *db, bool create, struct err *err)
{
	int version;
	char id[64];

	sqlite3_busy_timeout(db->handle, BUSY_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_extended_result_codes(db->handle, 1);
	if (sqlite_script(db, settings, err) < 0 || (db->kind->busy && sqlite_script(db, busy_settings, err) < 0))
		return -1;
	version = sqlite_version(db, err);
	if (version < 0)
		return -1;
	if (version == 0 && !create)
		return err_code(
			err, EXIT_NOT_FOUND, "%s: no store is there yet; '%s' makes one", db->path, db->kind->maker);
	snprintf(id, sizeof(id), "PRAGMA application_id = %d", (int)db->kind->application);
	return version == 0 ? sqlite_script(db, id, err) : 0;
}

static int open_file(struct sqlite *db, bool create, struct err *err)
{
	if ((create && make_file(db->path, err) < 0) || check_file(db->path, db->kind, err) < 0)
		return -1;
	if (sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return sqlite_failed(db, err);
	sqlite_watch_note(&db->watch, db->path);
	return sqlite_settle(db, create, err);
}

static int sqlite_open(void **out, const struct backend *kind, const char *place, bool create, struct err *err)
{
	struct sqlite *db;
	int rc;

	if (place[0] == '\0')
		return err_code(err, EXIT_USAGE, "a store is named as sqlite:PATH");
	db = calloc(1, sizeof(*db));
	/* A name of our own: SQLite reads "" and ":memory:" as something else than a file. */
	if (db == NULL || asprintf(&db->path, "%s%s", place[0] == '/' ? "" : "./", place) < 0) {
		free(db);
		return err_set(err, "out of memory");
	}
	db->kind = kind;
	sqlite_owner_note(&db->owner, db->path);
	sqlite_owner_enter(&db->owner);
	rc = open_file(db, create, err);
	sqlite_owner_leave(&db->owner);
	if (rc < 0)
		sqlite_close(db);
	else
		*out = db;
	return rc;
}

static int sqlite_changed(void *arg_db, bool *changed, struct err *err)
{
	struct sqlite *db = arg_db;
	bool first = !db->watch.watching;
	int64_t version = 0;
	int rc;

	sqlite_owner_enter(&db->owner);
	if (first)
		sqlite_watch_begin(&db->watch, db->path);
	rc = sqlite_watch_look(&db->watch, db->path, err);
	if (rc == 0)
		rc = sqlite_run(db, "PRAGMA data_version", NULL, 0, take_number, &version, err);
	sqlite_owner_leave(&db->owner);
	if (rc < 0)
		return -1;
	*changed = first || version != db->watch.version;
	db->watch.version = version;
	return 0;
}

static int sqlite_fd(void *arg_db)
{
	const struct sqlite *db = arg_db;

	return db->watch.watching ? db->watch.fd : -1;
}

/* Both kinds lie in files of the same make. */
#define SQLITE_WAYS                                                                                                    \
	.scheme = "sqlite", .open = sqlite_open, .close = sqlite_close, .run = sqlite_run, .script = sqlite_script,    \
	.version = sqlite_version, .changed = sqlite_changed, .fd = sqlite_fd, .begin_read = "BEGIN",                  \
	.begin_write = "BEGIN IMMEDIATE"

const struct backend backend_sqlite = {
	SQLITE_WAYS,
	.application = 0x6f747779, /* "otwy" */
	.maker = "otway agency add",
	.identified = true,
	.schemas = schema_sqlite,
	.schema_count = &schema_sqlite_count,
};

const struct backend backend_keys = {
	SQLITE_WAYS,
	.application = 0x6f74776b, /* "otwk" */
	.maker = "otway kms serve",
	.busy = true,
	.schemas = schema_keys,
	.schema_count = &schema_keys_count,
};
