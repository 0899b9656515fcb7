/*
 * cases_journal: what came in, in files of entries with length and checksum, so that what a process that died wrote half of is known.
 */
#ifndef DELIVERY_CASES_JOURNAL_H
#define DELIVERY_CASES_JOURNAL_H

#include "otway/base/bytes.h"

#include "cases_append.h"

enum journal_type {
	JOURNAL_PERIOD = 1, /* the folder's name and its beginning */
	JOURNAL_WARRANT,    /* msg_warrant: as it is known now */
	JOURNAL_CALL,       /* a call began: its id, the run and its number there */
	JOURNAL_GAP,        /* msg_gap */
	JOURNAL_ROTATED,    /* nothing new begins here: when */
	JOURNAL_RECORD,     /* msg_record */
	JOURNAL_FORGED,     /* of a call: so many forged packets of a sort */
	JOURNAL_HELD,       /* msg_held */
	JOURNAL_TYPES
};

/* Appends an entry to `out`. False: out of memory. */
bool journal_entry(struct buf *out, enum journal_type type, struct bytes body);

/* Reads the entries of one file in their order. */
struct journal;

/* From an offset on, where an entry begins. There is no such file: as if it were empty. */
int journal_open(struct journal **out, struct stage *stage, const char *path, uint64_t from, struct err *err);
void journal_free(struct journal *j);

/* 1: an entry, borrowed until the next call; 0: no more, or what follows is not whole; -1: err. */
int journal_next(struct journal *j, enum journal_type *type, struct bytes *body, struct err *err);

/* Where the next entry begins: behind the last whole one. */
uint64_t journal_offset(const struct journal *j);

#endif
