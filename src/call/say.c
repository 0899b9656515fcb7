/*
 * say: what media is told: places and keys, kept as long as the call is open, so that a warrant that comes later gets them
 * too, and so that nothing is said twice. Nothing is said of a call whose media nobody takes.
 */
#include "calls.h"
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define PLACE_HEAD offsetof(struct place, formats)

static size_t formats_octets(uint8_t count)
{
	return count * sizeof(struct media_format);
}

static void unfold(const struct said_place *s, struct place *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out, s->head, PLACE_HEAD + formats_octets(s->format_count));
	out->format_count = s->format_count;
}

static bool place_same(const struct said_place *s, const struct place *p)
{
	return s->format_count == p->format_count &&
	       memcmp(s->head, p, PLACE_HEAD + formats_octets(p->format_count)) == 0;
}

static bool fold(struct said_place *s, const struct place *p, nsec_t at)
{
	size_t octets = PLACE_HEAD + formats_octets(p->format_count);
	struct place *head = malloc(octets);

	if (head == NULL)
		return false;
	memcpy(head, p, octets);
	free(s->head);
	*s = (struct said_place){ at, head, p->format_count };
	return true;
}

static struct said_place *said_at(const struct call *call, const struct place *p)
{
	for (size_t i = 0; i < call->place_count; i++)
		if (call->places[i].head->line == p->line && addr_equal(&call->places[i].head->rtp, &p->rtp))
			return &call->places[i];
	return NULL;
}

static void place_keep(struct call_stage *c, struct call *call, const struct place *p, nsec_t at)
{
	if (call->place_count >= PLACES_MAX) {
		c->dropped++;
		return;
	}
	if (call->place_count == call->place_room) {
		size_t room = call->place_room > 0 ? call->place_room * 2 : 4;
		struct said_place *grown = realloc(call->places, room * sizeof(*grown));

		if (grown == NULL)
			return;
		call->places = grown;
		call->place_room = room;
	}
	call->places[call->place_count] = (struct said_place){ 0 };
	call->place_count += fold(&call->places[call->place_count], p, at);
}

/* What was sent here before may still be under way: formats stay known unless their number means something else now. */
static void keep_formats(const struct said_place *s, struct place *p)
{
	for (size_t i = 0; i < s->format_count && p->format_count < MEDIA_FORMATS; i++) {
		bool known = false;

		for (size_t j = 0; j < p->format_count; j++)
			known |= p->formats[j].pt == s->head->formats[i].pt;
		if (!known)
			p->formats[p->format_count++] = s->head->formats[i];
	}
}

void say_place(struct call_stage *c, struct call *call, const struct place *p, nsec_t at)
{
	struct said_place *said = said_at(call, p);
	struct place place = *p;

	place.call = call->number;
	wants_mark(call, &place);
	if (said != NULL) {
		keep_formats(said, &place);
		/* What is agreed stands until a new offer is answered, and may be refused (RFC 3264 8). */
		if (place_same(said, &place) || (said->head->answered && !place.answered))
			return;
		fold(said, &place, at);
	} else {
		place_keep(c, call, &place, at);
	}
	if (call->covered)
		steps_place(&c->steps, at, &place);
}

void say_marks(struct call_stage *c, struct call *call, nsec_t at)
{
	struct place place;

	for (size_t i = 0; i < call->place_count; i++) {
		struct said_place *said = &call->places[i];

		unfold(said, &place);
		wants_mark(call, &place);
		if (place_same(said, &place))
			continue;
		said->head->waiting = place.waiting;
		said->head->refusal = place.refusal;
		if (call->covered)
			steps_place(&c->steps, at, &place);
	}
}

static bool key_same(const struct key_given *a, const struct key_given *b)
{
	return a->line == b->line && a->chosen == b->chosen && a->toward == b->toward &&
	       addr_equal(&a->sender, &b->sender) && addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) &&
	       a->ssrc_set == b->ssrc_set && a->ssrc == b->ssrc && srtp_key_same(&a->key, &b->key) &&
	       a->key.mki_len == b->key.mki_len && memcmp(a->key.mki, b->key.mki, a->key.mki_len) == 0;
}

/* Doubles the room; what is left behind is wiped. */
static bool keys_grow(struct call *call)
{
	size_t room = call->key_room > 0 ? call->key_room * 2 : 4;
	struct said_key *grown = malloc(room * sizeof(*grown));

	if (grown == NULL)
		return false;
	if (call->key_count > 0)
		memcpy(grown, call->keys, call->key_count * sizeof(*grown));
	if (call->keys != NULL)
		secret_free(call->keys, call->key_room * sizeof(*grown));
	call->keys = grown;
	call->key_room = room;
	return true;
}

void say_key(struct call_stage *c, struct call *call, const struct key_given *k, nsec_t at)
{
	struct key_given key = *k;

	key.call = call->number;
	for (size_t i = 0; i < call->key_count; i++)
		if (key_same(&call->keys[i].key, &key)) {
			secret_wipe(&key, sizeof(key));
			return;
		}
	if (call->key_count >= KEYS_MAX)
		c->dropped++;
	else if (call->key_count < call->key_room || keys_grow(call))
		call->keys[call->key_count++] = (struct said_key){ at, key };
	if (call->covered)
		steps_key(&c->steps, at, &key);
	secret_wipe(&key, sizeof(key));
}

static bool has_call_id(const struct call *call, const char *call_id)
{
	for (size_t i = 0; i < call->leg_count; i++)
		if (call->legs[i]->call_id != NULL && strcmp(call->legs[i]->call_id, call_id) == 0)
			return true;
	return false;
}

void say_drop_kms(struct call *call)
{
	for (size_t i = call->key_count; i-- > 0;)
		if (call->keys[i].key.key.source == KEY_KMS) {
			call->keys[i] = call->keys[--call->key_count];
			secret_wipe(&call->keys[call->key_count], sizeof(call->keys[0]));
		}
}

void say_file_keys(struct call_stage *c, struct call *call, nsec_t at)
{
	for (const struct file_key *f = c->file_keys; f != NULL; f = f->next)
		if (f->call_id == NULL || has_call_id(call, f->call_id))
			say_key(c, call, &f->key, at);
}

void say_all(struct call_stage *c, struct call *call)
{
	struct place place;

	for (size_t i = 0; i < call->place_count; i++) {
		unfold(&call->places[i], &place);
		place.call = call->places[i].head->call = call->number;
		steps_place(&c->steps, call->places[i].at, &place);
	}
	for (size_t i = 0; i < call->key_count; i++) {
		call->keys[i].key.call = call->number;
		steps_key(&c->steps, call->keys[i].at, &call->keys[i].key);
	}
}

void say_again(struct call_stage *c, struct call *into, const struct call *from)
{
	struct place place;

	for (size_t i = 0; i < from->place_count; i++) {
		unfold(&from->places[i], &place);
		say_place(c, into, &place, from->places[i].at);
	}
	wants_again(c, into, from);
	for (size_t i = 0; i < from->key_count; i++)
		say_key(c, into, &from->keys[i].key, from->keys[i].at);
}

void say_close(struct call_stage *c, struct call *call, nsec_t at)
{
	if (call->covered && !call->closed)
		steps_close(&c->steps, call->number, at);
	call->closed = true;
	wants_over(c, call, at, false);
	if (!wants_pending(call, at))
		say_forget(call);
}

void say_forget(struct call *call)
{
	for (size_t i = 0; i < call->place_count; i++)
		free(call->places[i].head);
	free(call->places);
	if (call->keys != NULL)
		secret_free(call->keys, call->key_room * sizeof(*call->keys));
	call->places = NULL;
	call->keys = NULL;
	call->place_count = call->place_room = call->key_count = call->key_room = 0;
}
