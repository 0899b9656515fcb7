/*
 * sqlite_watch: SQLite tells nobody that it committed, but the end of a commit is that the journal goes out of its folder
 * (rollback journal, mode DELETE), which inotify tells.
 */
#include "sqlite_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

void sqlite_watch_note(struct sqlite_watch *w, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		w->device = st.st_dev;
		w->inode = st.st_ino;
	}
}

void sqlite_watch_begin(struct sqlite_watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : NULL;

	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->watching = true;
	if (w->fd >= 0 &&
		(folder == NULL || inotify_add_watch(w->fd, folder,
					   IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR) < 0)) {
		close(w->fd);
		w->fd = -1;
	}
	free(folder);
}

void sqlite_watch_end(struct sqlite_watch *w)
{
	if (w->watching && w->fd >= 0)
		close(w->fd);
	w->watching = false;
}

int sqlite_watch_look(struct sqlite_watch *w, const char *path, struct err *err)
{
	char events[4096];
	struct stat st;

	while (w->fd >= 0 && read(w->fd, events, sizeof(events)) > 0)
		;
	if (stat(path, &st) < 0)
		return err_code(err, EXIT_INTEGRITY, "%s: the store is gone: %s", path, strerror(errno));
	if (st.st_dev != w->device || st.st_ino != w->inode)
		return err_code(
			err, EXIT_INTEGRITY, "%s: another file is in the place of the store that was opened", path);
	return 0;
}
