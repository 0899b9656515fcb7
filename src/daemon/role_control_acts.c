/* role_control_acts: what is to be in the audit trail: written together what came together, and answered. */
#include "role_control_keeper.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH 512 /* records of the trail in one transaction */

static void answer(struct keeper *k, size_t count, bool written)
{
	struct buf body = { 0 };

	for (size_t i = 0; i < count; i++) {
		buf_reset(&body);
		msg_put_audited(&body, k->acts[i].number, written);
		keeper_tell(k, MSG_AUDITED, &body);
		free((void *)k->acts[i].act);
	}
	memmove(k->acts, k->acts + count, (k->count - count) * sizeof(*k->acts));
	k->count -= count;
	buf_clear(&body);
}

static int write_acts(struct keeper *k, size_t count, struct err *err)
{
	struct store_act all[BATCH];

	for (size_t i = 0; i < count; i++)
		all[i] = (struct store_act){ k->acts[i].act, k->acts[i].subject, k->acts[i].detail };
	if (store_audit_all(k->store, all, count, err) < 0)
		return -1;
	return 0;
}

static void tell_audit(struct keeper *k, const struct err *why)
{
	if (why != NULL)
		keeper_tell_alarm(k, ALARM_AUDIT, true, "", why->text);
	else if (k->audit_trouble)
		keeper_tell_alarm(k, ALARM_AUDIT, false, "", "");
	k->audit_trouble = why != NULL;
}

/* Into what is not known to be the right store nothing is written, nor into a file that is not in its place any more. */
void keeper_on_acts(void *arg)
{
	struct keeper *k = arg;
	struct err err = { EXIT_FAILED, "" };

	while (k->count > 0) {
		size_t count = k->count < BATCH ? k->count : BATCH;

		keeper_unwatch(k);
		if (k->store == NULL) {
			answer(k, k->count, false);
		} else if (keeper_look(k, &err) == 0 && write_acts(k, count, &err) == 0 && keeper_check(k, &err) == 0) {
			tell_audit(k, NULL);
			answer(k, count, true);
		} else if (err.code == EXIT_UNREACHABLE || err.code == EXIT_INTEGRITY) {
			keeper_lose(k, &err);
		} else {
			tell_audit(k, &err);
			answer(k, count, false);
		}
	}
	if (k->store != NULL)
		keeper_on_look(k);
}

/* Its three texts in one piece of memory. */
static bool keep_act(struct msg_audit *out, const struct msg_audit *a)
{
	size_t act = strlen(a->act) + 1, subject = strlen(a->subject) + 1, detail = strlen(a->detail) + 1;
	char *text = malloc(act + subject + detail);

	if (text == NULL)
		return false;
	memcpy(text, a->act, act);
	memcpy(text + act, a->subject, subject);
	memcpy(text + act + subject, a->detail, detail);
	*out = (struct msg_audit){ a->number, text, text + act, text + act + subject };
	return true;
}

void keeper_act(struct keeper *k, struct bytes body)
{
	struct msg_audit a;

	if (!msg_get_audit(body, &a))
		return;
	if (k->count == k->room) {
		struct msg_audit *grown = realloc(k->acts, (k->room * 2 + 64) * sizeof(*grown));

		if (grown == NULL)
			_exit(EXIT_FAILED);
		k->acts = grown;
		k->room = k->room * 2 + 64;
	}
	if (!keep_act(&k->acts[k->count++], &a))
		_exit(EXIT_FAILED);
	loop_later_soon(k->later);
}
