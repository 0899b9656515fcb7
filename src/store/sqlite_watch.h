/*
 * sqlite_watch: has somebody else written to an SQLite file, and is it the file still?
 */
#ifndef OTWAY_STORE_SQLITE_WATCH_H
#define OTWAY_STORE_SQLITE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "otway/base/err.h"

struct sqlite_watch {
	int fd; /* inotify on the folder of the file; -1: none */
	bool watching;
	int64_t version; /* PRAGMA data_version, as last seen */
	dev_t device;
	ino_t inode;
};

/* Which file was opened. */
void sqlite_watch_note(struct sqlite_watch *w, const char *path);

/* path: of the open database. Where the folder cannot be watched, there is no fd, and no error. */
void sqlite_watch_begin(struct sqlite_watch *w, const char *path);
void sqlite_watch_end(struct sqlite_watch *w);

/* Takes in what the folder told. EXIT_INTEGRITY: the file is gone, or another is in its place. */
int sqlite_watch_look(struct sqlite_watch *w, const char *path, struct err *err);

#endif
