/*
 * back and front: a warrant that begins during a call, what is kept for that and when it is wiped; and a second half that dies and is
 * made again from notes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/media_scene.h"
#include "otway/back.h"
#include "otway/front.h"

#define LINK_RAW 101
#define A        "sip:alice@ims.example"
#define B        "sip:bob@ims.example"
#define NOTES    64
#define CRYPTO   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"

/* What came out, as far as these tests ask. */
struct heard {
	size_t sip, before, calls, clear, sealed, gone;
	nsec_t first_clear;
	uint32_t call;
	char answer[64]; /* first line of the last message of RECORD_BEFORE */
};

struct note {
	struct back_note note;
	struct datagram datagram;
	uint8_t octets[2048];
};

struct line {
	struct front *front;
	struct back *back;
	nsec_t now;
	struct voice alice, bob;
	struct srtp_key key, bobs; /* what each seals by */
	char inline_key[64], inline_bobs[64];
	struct heard heard;
	struct note notes[NOTES];
	size_t note_count;
};

static void keep_note(struct line *l, const struct back_note *n)
{
	struct note *to = &l->notes[l->note_count++];

	assert_true(l->note_count <= NOTES && n->datagram->packet.len <= sizeof(to->octets));
	to->note = *n;
	to->datagram = *n->datagram;
	memcpy(to->octets, n->datagram->packet.at, n->datagram->packet.len);
	to->datagram.packet.at = to->octets;
	to->datagram.payload.at = to->octets + (n->datagram->payload.at - n->datagram->packet.at);
	to->note.datagram = &to->datagram;
}

static void forget_note(struct line *l, uint64_t number)
{
	for (size_t i = 0; i < l->note_count; i++)
		if (l->notes[i].note.number == number)
			l->notes[i].note.number = 0;
}

static void record(struct line *l, const struct record *r)
{
	l->heard.sip += r->kind == RECORD_SIP;
	l->heard.calls += r->kind == RECORD_CALL;
	l->heard.call = r->call;
	if (r->kind != RECORD_BEFORE)
		return;
	l->heard.before++;
	snprintf(l->heard.answer, sizeof(l->heard.answer), "%.*s", 14, (const char *)r->sip->payload.at);
}

static void packet(struct line *l, const struct media_packet *p, const struct cover *covers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (p->at < covers[i].from || p->at >= covers[i].until)
			continue;
		if (p->fate == MEDIA_CLEAR && l->heard.clear++ == 0)
			l->heard.first_clear = p->at;
		l->heard.sealed += p->fate == MEDIA_SEALED;
	}
}

static bool steps(struct line *l)
{
	const struct step *s;
	bool any = false;

	while (back_next(l->back, &s)) {
		any = true;
		if (s->kind == STEP_RECORD)
			record(l, &s->record);
		else if (s->kind == STEP_NOTE)
			keep_note(l, s->note);
		else if (s->kind == STEP_FORGET)
			forget_note(l, s->forget);
		l->heard.gone += s->kind == STEP_GONE;
		front_step(l->front, s);
	}
	return any;
}

static void drain(struct line *l)
{
	const struct media_packet *p;
	const struct cover *covers;
	struct front_out o;
	size_t count;

	for (;;) {
		if (front_media(l->front, &p, &covers, &count))
			packet(l, p, covers, count);
		else if (steps(l))
			continue;
		else if (!front_next(l->front, &o))
			return;
		else if (o.kind == FRONT_SIGNAL)
			back_take(l->back, o.datagram);
	}
}

static void send(struct line *l, const struct addr *src, const struct addr *dst, const void *payload, size_t len)
{
	uint8_t p[2048] = { 0x45 };
	struct frame f = { .at = l->now, .link = LINK_RAW, .wire_len = (uint32_t)(28 + len), .bytes = { p, 28 + len } };

	assert_true(28 + len <= sizeof(p));
	put_be16(p + 2, (uint16_t)(28 + len));
	p[8] = 64;
	p[9] = IP_PROTO_UDP;
	memcpy(p + 12, src->ip, 4);
	memcpy(p + 16, dst->ip, 4);
	put_be16(p + 20, src->port);
	put_be16(p + 22, dst->port);
	put_be16(p + 24, (uint16_t)(8 + len));
	memcpy(p + 28, payload, len);
	front_take(l->front, &f);
	back_time(l->back, l->now);
	drain(l);
}

static void say(struct line *l, bool from_alice, const char *start, const char *cseq, const char *ip)
{
	struct addr alice = at_addr("192.0.2.1:5060"), bob = at_addr("192.0.2.2:5060");
	struct buf text = { 0 }, sdp = { 0 };
	bool request = start[0] > '9';

	if (ip != NULL)
		buf_printf(&sdp,
			"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n" CRYPTO
			"%s\r\n",
			ip, ip, from_alice ? l->inline_key : l->inline_bobs);
	buf_printf(&text,
		"%s%s%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s\r\nFrom: <" A ">;tag=a\r\nTo: <" B
		">%s\r\nCall-ID: one\r\nCSeq: %s\r\n%sContent-Length: %zu\r\n\r\n",
		request ? "" : "SIP/2.0 ", start, request ? " SIP/2.0" : "", cseq,
		strcmp(start, "INVITE " B) == 0 ? "" : ";tag=b", cseq,
		ip != NULL ? "Content-Type: application/sdp\r\n" : "", sdp.len);
	if (sdp.len > 0)
		buf_add(&text, sdp.at, sdp.len);
	send(l, from_alice ? &alice : &bob, from_alice ? &bob : &alice, text.at, text.len);
	buf_clear(&text);
	buf_clear(&sdp);
	l->now += 10 * MS;
}

static void base64(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3, out += 4) {
		uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];

		for (int k = 0; k < 4; k++)
			out[k] = digits[v >> (18 - 6 * k) & 63];
	}
	*out = '\0';
}

static void open_back(struct line *l, size_t setups)
{
	l->back = back_new(&(struct back_options){ .setups = setups, .journal = true });
	assert_non_null(l->back);
}

static void make_key(uint8_t seed, struct srtp_key *key, char *inline_key)
{
	uint8_t material[30];

	*key = scene_key(AES_CM_128_HMAC_SHA1_80, seed);
	memcpy(material, key->key, 16);
	memcpy(material + 16, key->salt, 14);
	base64(material, sizeof(material), inline_key);
}

static void open_line(struct line *l, size_t setups)
{
	memset(l, 0, sizeof(*l));
	l->front = front_new(&(struct front_options){ .fronts = 1 });
	assert_non_null(l->front);
	open_back(l, setups);
	l->now = SCENE_T0;
	make_key(7, &l->key, l->inline_key);
	make_key(8, &l->bobs, l->inline_bobs);
	l->alice = scene_alice(1, 100);
	l->alice.src.port = l->alice.dst.port = 4000;
	l->bob = scene_alice(2, 100);
	l->bob.src = l->alice.dst;
	l->bob.dst = l->alice.src;
}

static void close_line(struct line *l)
{
	back_free(l->back);
	front_free(l->front);
}

static void warrant_from(struct line *l, nsec_t from)
{
	struct target target = { .uri = (char *)B };
	struct warrant w = { .number = 1,
		.targets = &target,
		.target_count = 1,
		.from = from,
		.until = NSEC_EVER,
		.scope = SCOPE_ALL,
		.agency = (char *)"agency",
		.authority = (char *)"order" };
	struct warrant_set set = { &w, 1 };

	identity_parse(bytes_of(B), &target.id);
	assert_true(back_targets(l->back, &set));
}

static void set_up(struct line *l)
{
	say(l, true, "INVITE " B, "1 INVITE", "192.0.2.1");
	say(l, false, "200 OK", "1 INVITE", "192.0.2.2");
	say(l, true, "ACK " B, "1 ACK", NULL);
}

static void speak_as(struct line *l, struct voice *v, size_t packets)
{
	uint8_t clear[512], sealed[600];

	for (size_t i = 0; i < packets; i++, l->now += 20 * MS) {
		uint64_t index = v->index;
		size_t len = voice_speak(v, clear);

		len = sender_rtp(v == &l->bob ? &l->bobs : &l->key, index, (struct bytes){ clear, len }, sealed);
		send(l, &v->src, &v->dst, sealed, len);
	}
}

static void speak(struct line *l, size_t packets)
{
	speak_as(l, &l->alice, packets);
}

static uint64_t count_of(const struct line *l, const char *name)
{
	struct counter all[96];
	size_t n = back_counts(l->back, all, 96);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	return UINT64_MAX;
}

static void a_warrant_that_begins_during_a_call_gets_it_from_then_on(void **state)
{
	struct line l;
	nsec_t begun;

	(void)state;
	open_line(&l, 1 << 20);
	set_up(&l);
	speak(&l, 100);
	assert_int_equal(count_of(&l, "setups"), 1);
	assert_true(count_of(&l, "setups_octets") <= 4096);
	assert_int_equal(l.heard.clear + l.heard.before + l.heard.calls, 0);
	begun = l.now - 50 * MS; /* what the store did with it takes a moment */
	warrant_from(&l, begun);
	speak(&l, 100);
	assert_int_equal(l.heard.before, 2); /* the offer and the answer */
	assert_string_equal(l.heard.answer, "SIP/2.0 200 OK");
	assert_int_equal(l.heard.sip, 0); /* they are no signalling of the time of the warrant */
	assert_true(l.heard.calls > 0);
	assert_true(l.heard.first_clear >= begun && l.heard.first_clear < begun + 20 * MS);
	assert_int_equal(l.heard.clear, 102);
	assert_int_equal(l.heard.sealed, 0);
	say(&l, true, "BYE " B, "2 BYE", NULL);
	say(&l, false, "200 OK", "2 BYE", NULL);
	assert_int_equal(l.heard.sip, 2);
	assert_int_equal(count_of(&l, "setups"), 0);
	close_line(&l);
}

static void the_one_who_answered_is_heard_too(void **state)
{
	struct line l;

	(void)state;
	open_line(&l, 1 << 20);
	say(&l, true, "INVITE " B, "1 INVITE", "192.0.2.1");
	say(&l, false, "180 Ringing", "1 INVITE", NULL);
	say(&l, false, "200 OK", "1 INVITE", "192.0.2.2");
	say(&l, true, "ACK " B, "1 ACK", NULL);
	speak(&l, 5);
	speak_as(&l, &l.bob, 5);
	warrant_from(&l, l.now);
	speak_as(&l, &l.bob, 50);
	assert_int_equal(l.heard.before, 2);
	assert_int_equal(l.heard.clear, 50);
	assert_int_equal(l.heard.sealed, 0);
	close_line(&l);
}

static void without_the_option_nothing_is_kept_and_nothing_begins_during_a_call(void **state)
{
	struct line l;

	(void)state;
	open_line(&l, 0);
	set_up(&l);
	warrant_from(&l, l.now);
	speak(&l, 100);
	assert_int_equal(count_of(&l, "setups"), UINT64_MAX);
	assert_int_equal(l.heard.before + l.heard.clear + l.heard.sealed + l.heard.sip, 0);
	close_line(&l);
}

static void a_warrant_in_the_table_begins_by_itself_during_a_call(void **state)
{
	struct line l;
	nsec_t from;

	(void)state;
	open_line(&l, 1 << 20);
	from = l.now + NSEC_PER_SEC;
	warrant_from(&l, from);
	set_up(&l);
	speak(&l, 100); /* two seconds */
	assert_int_equal(l.heard.before, 2);
	assert_true(l.heard.first_clear >= from && l.heard.first_clear < from + 20 * MS);
	close_line(&l);
}

static void a_set_up_that_nobody_answers_or_that_is_ended_leaves_nothing(void **state)
{
	struct line l;

	(void)state;
	open_line(&l, 1 << 20);
	say(&l, true, "INVITE " B, "1 INVITE", "192.0.2.1");
	assert_int_equal(count_of(&l, "setups"), 1);
	l.now += 182 * NSEC_PER_SEC;
	speak(&l, 1);
	assert_int_equal(count_of(&l, "setups"), 0);
	assert_int_equal(count_of(&l, "setups_octets"), 0);
	close_line(&l);
}

/* The back dies in the middle of a call; its notes make another one know what it knew. */
static void who_follows_a_back_that_died_goes_on_with_its_calls(void **state)
{
	struct line l;
	size_t notes, calls, sip;
	uint32_t call;

	(void)state;
	open_line(&l, 0);
	warrant_from(&l, SCENE_T0 - NSEC_PER_SEC);
	set_up(&l);
	speak(&l, 50);
	assert_int_equal(l.heard.clear, 50);
	call = l.heard.call;
	sip = l.heard.sip;
	notes = l.note_count;
	assert_int_equal(notes, 3);
	back_free(l.back);
	open_back(&l, 0);
	warrant_from(&l, SCENE_T0 - NSEC_PER_SEC);
	for (size_t i = 0; i < notes; i++) {
		back_resume(l.back, &l.notes[i].note);
		drain(&l);
	}
	assert_int_equal(l.note_count, notes);  /* what is known is not noted again */
	assert_int_equal(l.heard.sip, 2 * sip); /* the same once more: whoever has them passes them over */
	assert_int_equal(l.heard.call, call);
	speak(&l, 50);
	assert_int_equal(l.heard.clear, 100);
	calls = l.heard.calls;
	say(&l, true, "BYE " B, "2 BYE", NULL);
	say(&l, false, "200 OK", "2 BYE", NULL);
	assert_true(l.heard.calls > calls);
	l.now += 120 * NSEC_PER_SEC;
	speak(&l, 1);
	assert_int_equal(l.heard.gone, 1);
	for (size_t i = 0; i < l.note_count; i++)
		assert_int_equal(l.notes[i].note.number, 0);
	close_line(&l);
}

static void notes_of_a_warrant_that_is_gone_lead_to_nothing(void **state)
{
	static const struct warrant_set none;
	struct line l;
	struct heard before;

	(void)state;
	open_line(&l, 0);
	warrant_from(&l, SCENE_T0 - NSEC_PER_SEC);
	set_up(&l);
	back_free(l.back);
	open_back(&l, 0);
	assert_true(back_targets(l.back, &none));
	before = l.heard;
	for (size_t i = 0; i < 3; i++) {
		back_resume(l.back, &l.notes[i].note);
		drain(&l);
	}
	assert_memory_equal(&before, &l.heard, sizeof(before));
	close_line(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_warrant_that_begins_during_a_call_gets_it_from_then_on),
		cmocka_unit_test(the_one_who_answered_is_heard_too),
		cmocka_unit_test(without_the_option_nothing_is_kept_and_nothing_begins_during_a_call),
		cmocka_unit_test(a_warrant_in_the_table_begins_by_itself_during_a_call),
		cmocka_unit_test(a_set_up_that_nobody_answers_or_that_is_ended_leaves_nothing),
		cmocka_unit_test(who_follows_a_back_that_died_goes_on_with_its_calls),
		cmocka_unit_test(notes_of_a_warrant_that_is_gone_lead_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
