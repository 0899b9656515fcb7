/* supervise_stop: the end in good order: who makes something ends before who takes it in, so that everything on its way arrives. */
#include "notify.h"
#include "otway/base/log.h"
#include "supervise.h"

/* Who ends when, and how long each has for what is under way. */
static const struct stage {
	enum role role;
	nsec_t span;
} stages[] = {
	{ ROLE_INTERCEPT, 10 * NSEC_PER_SEC },
	{ ROLE_KEYS, 5 * NSEC_PER_SEC },
	{ ROLE_DELIVERY, 30 * NSEC_PER_SEC }, /* cases are closed: sound, reports, manifests */
	{ ROLE_CONTROL, 5 * NSEC_PER_SEC },
};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

bool supervise_end_reached(const struct child *c)
{
	for (unsigned i = 0; i < c->s->stage && i < STAGES; i++)
		if (stages[i].role == c->role)
			return true;
	return false;
}

static void enter(struct supervise *s)
{
	const struct stage *now = &stages[s->stage++];

	s->stage_until = loop_now() + now->span;
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].role == now->role)
			child_send(&s->children[i], MSG_STOP, (struct bytes){ NULL, 0 });
}

/* Somebody of the stage that is under way. */
static struct child *left(struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid != 0 && s->children[i].role == stages[s->stage - 1].role)
			return &s->children[i];
	return NULL;
}

void supervise_end_go_on(struct supervise *s)
{
	if (left(s) != NULL && loop_now() > s->stage_until) {
		for (size_t i = 0; i < s->child_count; i++) {
			if (s->children[i].pid == 0 || s->children[i].role != stages[s->stage - 1].role)
				continue;
			log_warning("%s does not end by itself; it is ended", s->children[i].name);
			child_kill(&s->children[i]);
		}
		s->stage_until = loop_now() + NSEC_PER_SEC;
	}
	while (left(s) == NULL && s->stage < STAGES)
		enter(s);
	if (left(s) == NULL)
		loop_stop(s->loop);
}

void supervise_end(struct supervise *s)
{
	if (s->stage > 0) { /* once more: whoever asks is in a hurry */
		for (size_t i = 0; i < s->child_count; i++)
			child_kill(&s->children[i]);
		s->stage = STAGES;
		return;
	}
	enter(s);
	if (!s->failed)
		notify_say(s->notify, "STOPPING=1");
	supervise_status(s);
	supervise_end_go_on(s);
}
