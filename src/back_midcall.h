/*
 * back_midcall: warrants that begin during calls: which of them are due, and which kept set-ups may be theirs.
 */
#ifndef OTWAY_BACK_MIDCALL_H
#define OTWAY_BACK_MIDCALL_H

#include "otway/model/warrant.h"
#include "otway/setups.h"

struct midcall;

struct midcall *midcall_new(size_t octets); /* NULL: out of memory */
void midcall_free(struct midcall *m);
struct setups *midcall_setups(struct midcall *m);

/* The table was replaced: those that were not in the one before are to be looked for once they are in force. */
void midcall_table(struct midcall *m, const struct warrant_set *before, const struct warrant_set *now);

/* Those that are in force now and were not looked for yet; NULL: none. Borrowed until the next call of this. */
const struct warrant_set *midcall_due(struct midcall *m, const struct warrant_set *table, nsec_t now);

/* Call-ID of a kept set-up that may name one of them, one after the other; false: no more. Borrowed until the next call on m. */
bool midcall_next(struct midcall *m, struct bytes *call_id);

#endif
