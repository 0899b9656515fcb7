/*
 * back_journal: which messages made what is known of which call, by number: what to keep for who follows, and what no more.
 */
#ifndef OTWAY_BACK_JOURNAL_H
#define OTWAY_BACK_JOURNAL_H

#include "otway/back.h"

struct journal;

struct journal *back_journal_new(void); /* NULL: out of memory */
void back_journal_free(struct journal *j);

/* A message was taken into account. d: borrowed until journal_noted gave it out. */
void back_journal_note(struct journal *j, uint32_t call, bool claimed, bool before, const struct datagram *d);
/* The next journal_note is of this note of another process: it is known, and not given out again. */
void back_journal_resume(struct journal *j, const struct back_note *n);

/* What was noted and not given out yet; false: nothing. */
bool back_journal_noted(struct journal *j, struct back_note *out);

/* A call is forgotten: so are its notes, and journal_forgotten tells their numbers; false: no more. */
void back_journal_gone(struct journal *j, uint32_t call);
bool back_journal_forgotten(struct journal *j, uint64_t *number);

#endif
