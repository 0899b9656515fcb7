/*
 * wants: keys of KMSs that a call wants: which (wanted.c), how many are kept (wants.c), what became of them (answered.c), and what is
 * told of that (wants_facts.c).
 */
#ifndef OTWAY_CALL_WANTS_H
#define OTWAY_CALL_WANTS_H

#include "calls.h"

static inline struct bytes want_key(const uint64_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

bool want_line(const struct call_stage *c, const struct sdp *offer, const struct sdp *answer,
	size_t i); /* no a=crypto counts */
void want_exchange(struct call_stage *c, struct call *call, const struct exchange *x, const struct sip_message *m,
	const struct sdp *offer, const struct sdp *answer, bool final);
void wants_tell(struct call_stage *c, struct call *call, nsec_t at); /* those that a warrant takes now */
void wants_mark(const struct call *call, struct place *p);           /* what became of them */
void wants_again(struct call_stage *c, struct call *into, const struct call *from);
bool wants_pending(const struct call *call, nsec_t at);
void wants_over(struct call_stage *c, struct call *call, nsec_t at, bool whatever); /* nothing is wanted any more */
void wants_forget(struct call_stage *c, struct call *call, nsec_t at);
/* Nobody takes its media any more: keys of KMSs are wiped; who takes it again wants them anew. */
void wants_drop(struct call_stage *c, struct call *call, nsec_t at);
/* A new one like that, its texts copied; NULL: it is there, or there is no room. Older ones give way to it. */
struct want *want_new(struct call_stage *c, struct call *call, const struct key_wanted *like);
void fact_add(struct call_stage *c, struct call *call, struct want *w); /* it is asked for now */
void fact_answer(struct call_stage *c, struct call *call, const struct want *w, const struct key_answer *a);
void facts_drop(struct call_stage *c, struct call *call);
void facts_free(struct call *call);
void facts_bury(struct call_stage *c);
void wants_free(struct call *call);    /* when what borrows from them is out */
void wants_bury(struct call_stage *c); /* those that gave way: likewise */

#endif
