/*
 * stage: the folder beside the case folder in which everything is made, so that what stands under the final name is
 * whole. Paths are below the stage. Every file is new, private to its owner, and its writes are checked when it is
 * closed.
 */
#ifndef DELIVERY_STAGE_H
#define DELIVERY_STAGE_H

#include <stdint.h>
#include <stdio.h>

#include "otway/base/err.h"

struct stage;

/* dir: not there yet, or an empty folder; else err. Makes nothing on disk. */
int stage_new(struct stage **out, const char *dir, struct err *err);

/* A folder that is there already, in which files are made where they stay: nothing is taken off the disk. */
int stage_at(struct stage **out, const char *dir, struct err *err);

/* Takes the stage off the disk, unless it was put in place. NULL is fine. */
void stage_free(struct stage *s);

/* Makes the stage; done when it is there already. */
int stage_begin(struct stage *s, struct err *err);

/* Makes one folder below the stage. */
int stage_dir(struct stage *s, const char *path, struct err *err);

/* A new file to write (and read back); or one that was written, to read. NULL: err. */
FILE *stage_create(struct stage *s, const char *path, struct err *err);
FILE *stage_read(struct stage *s, const char *path, struct err *err);

/* The same as descriptors: for appending (made when it is missing), for reading. */
int stage_append_fd(struct stage *s, const char *path, struct err *err);
int stage_read_fd(struct stage *s, const char *path, struct err *err);

/* Closes what stage_create gave; -1 when anything written to it was lost. */
int stage_close(FILE *file, const char *path, struct err *err);

/* One file below the stage takes the place (and name) of another. */
int stage_rename(struct stage *s, const char *from, const char *to, struct err *err);

/* Makes a file that long; one that is missing, or shorter, is no file of that size: zeroes stand where nothing was. */
int stage_cut(struct stage *s, const char *path, uint64_t size, struct err *err);

int64_t stage_size(struct stage *s, const char *path); /* -1: it is not there */
void stage_remove(struct stage *s, const char *path);

/* Everything to the disk, then under its final name. After it the stage is no longer there. */
int stage_place(struct stage *s, struct err *err);

/* The descriptor of the stage's folder, for walking; borrowed. */
int stage_fd(const struct stage *s);

/* "cannot write PATH: why", from errno; of the path what stands behind its first folder. Returns -1. */
int stage_failed(const char *path, struct err *err);

#endif
