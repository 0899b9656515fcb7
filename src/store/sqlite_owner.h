/*
 * sqlite_owner: root acts as the user that a store belongs to, so that it never does to that user's files what that user could not, and
 * every file that SQLite makes beside the store is that user's too.
 */
#ifndef OTWAY_STORE_SQLITE_OWNER_H
#define OTWAY_STORE_SQLITE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "otway/base/err.h"

struct sqlite_owner {
	bool other; /* we are root, and it is somebody else's */
	uid_t user;
	gid_t group;
	unsigned depth; /* how often it was entered */
};

/* Whose is the store at path, or its folder when it is not there yet: whoever may put another file in its place. */
void sqlite_owner_note(struct sqlite_owner *o, const char *path);

/* From here on, and until sqlite_owner_leave was called as often, files are the owner's business. Nothing happens where there is no
 * other. */
void sqlite_owner_enter(struct sqlite_owner *o);
void sqlite_owner_leave(struct sqlite_owner *o);

#endif
