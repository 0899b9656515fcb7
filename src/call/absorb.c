/* absorb: two calls that are one: the legs, facts and messages of one become the other's. */
#include "calls.h"

/* Whose set-up came first tells who called whom. */
static void absorb_facts(struct call *into, struct call *from)
{
	bool earlier = from->started != NSEC_NONE && (into->started == NSEC_NONE || from->started < into->started);

	if (earlier) {
		into->started = from->started;
		if (from->callee != NULL) {
			into->callee = call_text(into, bytes_of(from->callee));
			into->callee_id = from->callee_id;
		}
	}
	if (from->caller != NULL &&
		(into->caller == NULL || (earlier && (from->caller_asserted || !into->caller_asserted)))) {
		into->caller = call_text(into, bytes_of(from->caller));
		into->caller_asserted = from->caller_asserted;
		into->caller_is_sip = from->caller_is_sip;
	}
	for (size_t i = 0; i < from->caller_count && into->caller_count < IDS_MAX; i++)
		into->callers[into->caller_count++] = from->callers[i];
	if (into->answered == NSEC_NONE && from->answered != NSEC_NONE) {
		into->answered = from->answered;
		into->outcome = CALL_ANSWERED;
	}
	into->set_up_seen |= from->set_up_seen;
	into->rang |= from->rang;
	into->cancelled |= from->cancelled;
	for (size_t i = 0; i < from->diversion_count && call_has_room_to_divert(into); i++) {
		const struct call_diversion *d = &from->diversions[i];

		into->diverted[into->diversion_count] = from->diverted[i];
		into->diversions[into->diversion_count++] = (struct call_diversion){
			.service = d->service,
			.cause = d->cause,
			.by = call_text(into, bytes_of(d->by)),
			.to = call_text(into, bytes_of(d->to)),
		};
	}
}

/* Its messages are news for those who take the call already; for others they are its past. */
static void absorb_history(struct call_stage *c, struct call *into, struct call *from)
{
	for (size_t i = 0; i < from->history_count; i++) {
		takers_record(c, into, from->history[i].held, from->history[i].at);
		history_keep(into, from->history[i].held, from->history[i].at);
	}
}

void call_absorb(struct call_stage *c, struct call *into, struct call *from)
{
	struct token *t;

	if (into->leg_count + from->leg_count > LEGS_MAX)
		return;
	absorb_facts(into, from);
	absorb_history(c, into, from);
	for (size_t i = 0; i < from->leg_count; i++)
		leg_insert(into, from->legs[i]);
	if (into->number != 0)
		c->legs_counted += from->leg_count;
	from->leg_count = 0;
	while ((t = from->tokens) != NULL) {
		from->tokens = t->next;
		t->call = into;
		t->next = into->tokens;
		into->tokens = t;
		into->token_count++;
	}
	say_again(c, into, from);
	call_list_ids(into);
	into->changed = true;
	call_forget(c, from);
}
