/* intercept_resume: what the intercept before this one left with keys: the back knows its calls again before it hears anything new. */
#include "intercept.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

#define RESUME_WAIT (3 * NSEC_PER_SEC) /* keys may be started again itself */

/* A note that waits for the table of warrants. */
struct note_kept {
	struct note_kept *next;
	size_t len;
	uint8_t octets[];
};

void resume_begin(struct intercept *it)
{
	it->last_note = &it->notes;
	it->resuming = it->start->again || it->index == 0;
	it->resume_told = it->resume_whole = !it->start->again;
	it->resume_until = loop_now() + RESUME_WAIT;
	if (it->start->again)
		tell_all_anew(it); /* when it knows */
	if (it->start->again && crypto_random(it->token, sizeof(it->token)))
		crew_send(it->crew, ROLE_KEYS, 0, MSG_RESUME, (struct bytes){ it->token, sizeof(it->token) });
}

/* Of what was left something is missing. */
static void lose_note(struct intercept *it, enum alarm a, const char *what)
{
	char of[GAP_WHERE];

	snprintf(of, sizeof(of), "intercept %u", (unsigned int)it->index);
	if (it->notes_lost++ == 0)
		crew_alarm(it->crew, a, true, of,
			"%s was left by the one before: some of what went on is not known until it is set up anew",
			what);
}

static void keep_note(struct intercept *it, struct bytes plain)
{
	struct note_kept *k = it->note_octets < NOTES_HELD ? malloc(sizeof(*k) + plain.len) : NULL;

	if (k == NULL) {
		lose_note(it, ALARM_ROOM, "more messages than may be held");
		return;
	}
	k->next = NULL;
	k->len = plain.len;
	memcpy(k->octets, plain.at, plain.len);
	it->note_octets += plain.len;
	*it->last_note = k;
	it->last_note = &k->next;
}

static void take_left(struct intercept *it, const struct msg_checkpoint *c, struct bytes plain)
{
	if (c->number == MSG_CHECKPOINT_WHOLE) {
		it->resume_whole = true;
		return;
	}
	leave_keep(it, c);
	if (c->number % 2 == 0 && it->back != NULL)
		keep_note(it, plain);
	else if (c->number % 2 == 1)
		front_resume(it->front, plain);
}

void resume_take(struct intercept *it, struct bytes body)
{
	struct msg_checkpoint c;
	uint8_t *plain;
	size_t len = 0;

	if (!it->resuming || !it->resume_heard || !msg_get_checkpoint(body, &c))
		return;
	plain = malloc(c.sealed.len + 1);
	if (plain != NULL && seal_open(it, &c, plain, &len))
		take_left(it, &c, (struct bytes){ plain, len });
	else
		lose_note(it, ALARM_ROLE, "bug: something that this one cannot open");
	if (plain != NULL)
		secret_free(plain, c.sealed.len + 1);
}

void resume_heard(struct intercept *it, struct bytes token)
{
	it->resume_heard |= bytes_equal(token, (struct bytes){ it->token, sizeof(it->token) });
}

void resume_end(struct intercept *it, struct bytes token)
{
	it->resume_told |= it->resume_heard && bytes_equal(token, (struct bytes){ it->token, sizeof(it->token) });
	resume_try(it);
}

static void resume_note(struct intercept *it, struct bytes plain)
{
	struct back_note n = { 0 };
	struct datagram d;

	if (plain.len < NOTE_HEAD || !msg_get_datagram(bytes_part(plain, NOTE_HEAD, plain.len), &d) ||
		d.payload.at == NULL)
		return;
	n.number = be64(plain.at);
	n.call = be32(plain.at + 8);
	n.claimed = plain.at[12] & 1;
	n.before = plain.at[12] >> 1 & 1;
	n.datagram = &d;
	back_time(it->back, d.at);
	back_resume(it->back, &n);
	back_drain(it);
}

/* Calls that went on and are not known: what comes of them from here on is missing, and nobody knows until when. */
static void tell_lost(struct intercept *it)
{
	const nsec_t down = it->start->down != NSEC_NONE ? it->start->down : nsec_now();
	const struct gap g = { down, NSEC_NONE, GAP_STATE, "intercept 0", GAP_UNKNOWN };

	if (it->back == NULL || (it->resume_told && it->resume_whole && it->notes_lost == 0))
		return;
	if (!it->resume_told || !it->resume_whole)
		crew_alarm(it->crew, ALARM_ROLE, true, "intercept 0",
			"bug: what the one before knew did not come, or not all of it: calls that went on are not "
			"known until they are set up anew");
	send_gap(it, &g);
}

static bool awaits_table(const struct intercept *it)
{
	return it->back != NULL && !it->has_table && !it->stopping;
}

/*
 * The back knows its calls again before it hears anything new. For what was left it does not wait for long; for the table of warrants it
 * does, since without one there is nothing to intercept, and frames are in the ring meanwhile. Where no one was before, the store may be
 * away for long: then it does not.
 */
void resume_try(struct intercept *it)
{
	nsec_t now = loop_now(), until = now + TURN;
	bool late = now >= it->resume_until;

	if (!it->resuming || (!late && !it->resume_told) || (awaits_table(it) && !(late && !it->start->again)))
		return;
	while (it->notes != NULL) {
		struct note_kept *k = it->notes;

		if (loop_now() >= until && !it->stopping) {
			loop_later_soon(it->more); /* others have their turn: there may be very many */
			return;
		}
		it->notes = k->next;
		resume_note(it, (struct bytes){ k->octets, k->len });
		secret_free(k, sizeof(*k) + k->len);
	}
	tell_lost(it);
	it->last_note = &it->notes;
	it->resuming = false;
	if (it->start->again)
		tell_all_anew(it);
	front_begin(it);
}

void resume_free(struct intercept *it)
{
	while (it->notes != NULL) {
		struct note_kept *k = it->notes;

		it->notes = k->next;
		secret_free(k, sizeof(*k) + k->len);
	}
}
