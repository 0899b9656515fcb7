/*
 * file: the few things we ask of a file system, with errors that name what, where and what to do.
 */
#ifndef OTWAY_BASE_FILE_H
#define OTWAY_BASE_FILE_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"

/* Refuses (EXIT_REFUSED) a file or directory that others than its owner may read or write. */
int file_private(const char *path, struct err *err);

/* Reads a whole file of at most `max` octets into out (appended). */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);

/* Makes a directory and what is missing above it, mode 0700. */
int file_make_dirs(const char *path, struct err *err);

/* Removes a directory and all below it; never follows a symbolic link. */
int file_remove_tree(const char *path, struct err *err);

/* 1: there and a directory with nothing in it; 0: not there; -1 with err: anything else. */
int file_empty_dir(const char *path, struct err *err);

#endif
