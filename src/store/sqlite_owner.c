/*
 * sqlite_owner: effective ids, put on around each of SQLite's doings and taken off behind it. Root's real and saved ids stay, so the way
 * back is always open; what root opened before stays open.
 */
#include "sqlite_owner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_anothers(struct sqlite_owner *o, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || st.st_uid == 0)
		return false;
	*o = (struct sqlite_owner){ true, st.st_uid, st.st_gid, 0 };
	return true;
}

void sqlite_owner_note(struct sqlite_owner *o, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash != NULL && slash != path ? strndup(path, (size_t)(slash - path)) : NULL;

	*o = (struct sqlite_owner){ 0 };
	if (geteuid() == 0 && (folder == NULL || !is_anothers(o, folder)))
		is_anothers(o, path);
	free(folder);
}

/* Failing is not possible for root, but if it happened nothing may be done under the wrong name. */
static void must(int rc)
{
	if (rc < 0)
		abort();
}

void sqlite_owner_enter(struct sqlite_owner *o)
{
	if (!o->other || o->depth++ > 0)
		return;
	must(setegid(o->group));
	must(seteuid(o->user));
}

void sqlite_owner_leave(struct sqlite_owner *o)
{
	if (!o->other || --o->depth > 0)
		return;
	must(seteuid(0));
	must(setegid(getgid()));
}
