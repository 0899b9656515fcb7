/*
 * steps: what the call stage has to say, in order, until it is taken out.
 */
#ifndef OTWAY_CALL_STEPS_H
#define OTWAY_CALL_STEPS_H

#include "otway/model/step.h"

#include "held.h"

struct steps_node;

struct steps {
	struct steps_node *first, **last;
	struct steps_node *given; /* what `out` borrows from */
	struct step out;
	uint64_t lost; /* for want of memory */
};

void steps_init(struct steps *s);
void steps_clear(struct steps *s); /* in place; wipes */
bool steps_empty(const struct steps *s);

/* A record. `sip` (or NULL) gets a reference of its own; texts of events are copied, those of facts are borrowed. */
void steps_record(struct steps *s, const struct record *r, struct held *sip);

void steps_cover(struct steps *s, uint32_t call, nsec_t at, const struct cover *covers, size_t count);
void steps_place(struct steps *s, nsec_t at, const struct place *p);
void steps_key(struct steps *s, nsec_t at, const struct key_given *k);
void steps_wanted(struct steps *s, nsec_t at, const struct key_wanted *w); /* w is borrowed */
void steps_over(struct steps *s, uint32_t call, nsec_t at);
void steps_gone(struct steps *s, uint32_t call, nsec_t at);
void steps_close(struct steps *s, uint32_t call, nsec_t at);

/* The next step, borrowed until the next call of this; false when there is none. */
bool steps_next(struct steps *s, const struct step **out);

#endif
