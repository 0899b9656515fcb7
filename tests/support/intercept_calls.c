/* intercept_calls: calls at the cable, octet by octet. */
#include "intercept_calls.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "otway/decap.h"

#define A    "sip:alice@ims.example"
#define B    "sip:bob@ims.example"
#define HOUR (3600 * NSEC_PER_SEC)

enum { ETHERNET = 14, HEADERS = 28 }; /* of IPv4 and UDP */

static const uint8_t alice[4] = { 192, 0, 2, 1 }, bob[4] = { 192, 0, 2, 2 };

void say_table(struct intercept_scene *s)
{
	static char uri[] = B, none[] = "";
	struct target target = { .uri = uri };
	struct warrant w = { .number = WARRANT, .liid = "LI-9", .agency = none, .authority = none, .targets = &target };
	struct msg_lease l = { scene_now(), scene_now() + HOUR };
	struct buf body = { 0 };

	assert_true(identity_parse(bytes_of(uri), &target.id));
	w.target_count = 1;
	w.from = scene_now() - HOUR;
	w.until = NSEC_EVER;
	w.scope = SCOPE_ALL;
	seat_tell(s, CONTROL, MSG_TABLE_BEGIN, &body);
	assert_true(msg_put_warrant(&body, &w, true, false, false));
	seat_tell(s, CONTROL, MSG_WARRANT, &body);
	assert_true(msg_put_lease(&body, &l));
	seat_tell(s, CONTROL, MSG_TABLE_END, &body);
	identity_clear(&target.id);
	scene_settle(s); /* it is in force */
}

static struct addr addr_of(const uint8_t ip[4], uint16_t port)
{
	struct addr a = { .family = 4, .port = port };

	memcpy(a.ip, ip, 4);
	return a;
}

uint16_t port_owned(uint16_t from_alice, uint16_t from, uint32_t owner)
{
	struct datagram d = { .proto = IP_PROTO_UDP, .payload = bytes_of("RTP") };

	d.flow.src = addr_of(alice, from_alice);
	for (;; from = (uint16_t)(from + 2)) {
		d.flow.dst = addr_of(bob, from);
		if (decap_owner(&d, 2) == owner)
			return from;
	}
}

static void put_udp(struct buf *out, bool from_alice, uint16_t src, uint16_t dst, struct bytes payload)
{
	uint8_t h[HEADERS] = { 0x45, [8] = 64, [9] = IP_PROTO_UDP };

	put_be16(h + 2, (uint16_t)(HEADERS + payload.len));
	memcpy(h + 12, from_alice ? alice : bob, 4);
	memcpy(h + 16, from_alice ? bob : alice, 4);
	put_be16(h + 20, src);
	put_be16(h + 22, dst);
	put_be16(h + 24, (uint16_t)(8 + payload.len));
	buf_add(out, h, sizeof(h));
	buf_add(out, payload.at, payload.len);
}

static void send_udp(struct intercept_scene *s, bool from_alice, uint16_t src, uint16_t dst, struct bytes payload)
{
	static const uint8_t ethernet[ETHERNET] = { 2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2, 8, 0 };
	struct buf frame = { 0 };

	buf_add(&frame, ethernet, sizeof(ethernet));
	put_udp(&frame, from_alice, src, dst, payload);
	while (send(s->wire, frame.at, frame.len, 0) < 0)
		assert_int_equal(errno, ENOBUFS); /* the other end had no room: once more */
	s->sent++;
	buf_clear(&frame);
}

static void put_sdp(struct buf *out, const struct phone_call *c, bool of_alice)
{
	const char *host = of_alice ? "192.0.2.1" : "192.0.2.2";

	buf_printf(out, "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/%s 0\r\n", host,
		host, of_alice ? c->alice : c->bob, c->keyed ? "SAVP" : "AVP");
	for (unsigned i = 1; i <= c->more; i++)
		buf_printf(out, "m=audio %u RTP/AVP 0\r\n", (of_alice ? c->alice : c->bob) + 2 * i);
	if (c->keyed) /* version 1 of MIKEY, TRANSFER_INIT or TRANSFER_RESP (RFC 6043), and nothing more */
		buf_printf(out, "a=key-mgmt:mikey %s\r\n", of_alice ? "AQ4BAQ==" : "AQ8CAg==");
}

/* A message; body NULL: none. */
static void put_message(
	struct buf *out, struct phone_call *c, const char *start, const char *cseq, const struct buf *body)
{
	bool invites = strncmp(start, "INVITE", 6) == 0, sdp = body != NULL && strstr(cseq, "INVITE") != NULL;

	buf_printf(out,
		"%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s%s\r\nFrom: <" A ">;tag=a\r\nTo: <" B
		">%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %zu\r\n\r\n",
		start, c->id, cseq, invites ? "" : ";tag=b", c->id, cseq,
		sdp ? "Content-Type: application/sdp\r\n" : "", body != NULL ? body->len : 0);
	if (body != NULL)
		buf_add(out, body->at, body->len);
	c->said++;
}

static void say(struct intercept_scene *s, struct phone_call *c, bool from_alice, const char *start, const char *cseq,
	const struct buf *body)
{
	struct buf text = { 0 };

	put_message(&text, c, start, cseq, body);
	send_udp(s, from_alice, 5060, 5060, buf_bytes(&text));
	buf_clear(&text);
}

void phone_invite(struct intercept_scene *s, struct phone_call *c)
{
	struct buf sdp = { 0 };

	put_sdp(&sdp, c, true);
	say(s, c, true, "INVITE " B " SIP/2.0", "1 INVITE", &sdp);
	buf_clear(&sdp);
}

void phone_answer(struct intercept_scene *s, struct phone_call *c)
{
	struct buf sdp = { 0 };

	put_sdp(&sdp, c, false);
	say(s, c, false, "SIP/2.0 200 OK", "1 INVITE", &sdp);
	buf_clear(&sdp);
}

void phone_set_up(struct intercept_scene *s, struct phone_call *c)
{
	phone_invite(s, c);
	phone_answer(s, c);
}

void phone_info(struct intercept_scene *s, struct phone_call *c, size_t octets)
{
	struct buf body = { 0 };
	char cseq[24];

	assert_non_null(buf_room(&body, octets));
	memset(body.at, 'i', octets);
	body.len = octets;
	snprintf(cseq, sizeof(cseq), "%u INFO", c->said + 1);
	say(s, c, true, "INFO " B " SIP/2.0", cseq, &body);
	buf_clear(&body);
}

void phone_hang_up(struct intercept_scene *s, struct phone_call *c)
{
	char cseq[24];

	snprintf(cseq, sizeof(cseq), "%u BYE", c->said + 1);
	say(s, c, true, "BYE " B " SIP/2.0", cseq, NULL);
	say(s, c, false, "SIP/2.0 200 OK", cseq, NULL);
}

void phone_signal(struct intercept_scene *s, struct phone_call *c, nsec_t at)
{
	struct buf sdp = { 0 }, text = { 0 }, packet = { 0 }, body = { 0 };
	struct datagram d = { .at = at, .proto = IP_PROTO_UDP, .header = 8 };

	put_sdp(&sdp, c, true);
	put_message(&text, c, "INVITE " B " SIP/2.0", "1 INVITE", &sdp);
	put_udp(&packet, true, 5060, 5060, buf_bytes(&text));
	d.flow = (struct flow){ addr_of(alice, 5060), addr_of(bob, 5060) };
	d.packet = buf_bytes(&packet);
	d.payload = bytes_part(d.packet, HEADERS, d.packet.len);
	assert_true(msg_put_datagram(&body, &d));
	seat_tell(s, OTHER, MSG_SIGNAL, &body);
	buf_clear(&packet);
	buf_clear(&text);
	buf_clear(&sdp);
}

void phone_voice(struct intercept_scene *s, const struct phone_call *c, uint32_t ssrc, uint16_t seq, size_t size)
{
	uint8_t rtp[65536] = { 0x80 };

	assert_true(size > HEADERS + 12 && size < sizeof(rtp));
	memset(rtp + 12, 0xd5, size - HEADERS - 12);
	put_be16(rtp + 2, seq);
	put_be32(rtp + 4, (uint32_t)((size - HEADERS - 12) * seq));
	put_be32(rtp + 8, ssrc);
	send_udp(s, true, c->alice, c->bob, (struct bytes){ rtp, size - HEADERS });
}

static void tell_step(struct intercept_scene *s, enum seat from, const struct step *step)
{
	struct buf body = { 0 };

	assert_true(msg_put_step(&body, step));
	seat_tell(s, from, MSG_STEP, &body);
}

void step_cover(struct intercept_scene *s, enum seat from, uint32_t call)
{
	struct step step = { .kind = STEP_COVER, .at = scene_now(), .call = call, .cover_count = 1 };

	step.covers[0] = (struct cover){ WARRANT, NSEC_NONE, NSEC_EVER };
	tell_step(s, from, &step);
}

void step_place(struct intercept_scene *s, enum seat from, uint32_t call, const struct phone_call *c, bool waiting)
{
	struct step step = { .kind = STEP_PLACE, .at = scene_now(), .call = call };

	step.place = (struct place){ .call = call,
		.toward = TOWARD_CALLEE,
		.rtp = addr_of(bob, c->bob),
		.answered = true,
		.kind = "audio",
		.profile = "RTP/AVP",
		.formats = { { 0, "PCMU", 8000, 1, "" } },
		.format_count = 1 };
	if (c->keyed) {
		strcpy(step.place.profile, "RTP/SAVP");
		step.place.secure = step.place.mikey = true;
		step.place.waiting = waiting;
		step.place.refusal = waiting ? SEAL_NONE : SEAL_KMS_REFUSED;
	}
	tell_step(s, from, &step);
}

void step_close(struct intercept_scene *s, enum seat from, uint32_t call)
{
	tell_step(s, from, &(struct step){ .kind = STEP_CLOSE, .at = scene_now(), .call = call });
}

/* The next record of that kind; its views lie in body. */
static bool heard(struct intercept_scene *s, enum record_kind kind, nsec_t span, struct record *r, struct buf *body)
{
	static struct datagram d;
	struct msg_room room = { { 0 } };
	bool there = false;

	while (!there && scene_came(s, DELIVERY, MSG_RECORD, span, body)) {
		assert_true(msg_get_record(buf_bytes(body), r, &d, &room));
		there = r->kind == kind;
		msg_room_clear(&room);
	}
	return there;
}

bool heard_sip(struct intercept_scene *s, nsec_t span, struct heard_sip *out)
{
	struct buf body = { 0 };
	struct record r;
	bool there = heard(s, RECORD_SIP, span, &r, &body);

	*out = (struct heard_sip){ 0 };
	if (there) {
		*out = (struct heard_sip){ .call = r.call, .warrant = r.warrant, .at = r.at };
		snprintf(out->start, sizeof(out->start), "%.*s", (int)sizeof(out->start) - 1,
			(const char *)r.sip->payload.at);
	}
	buf_clear(&body);
	return there;
}

bool heard_voice(struct intercept_scene *s, nsec_t span, struct heard_voice *out)
{
	struct buf body = { 0 };
	struct record r;
	bool there = heard(s, RECORD_MEDIA, span, &r, &body);

	*out = (struct heard_voice){ 0 };
	if (there)
		*out = (struct heard_voice){ r.call, r.warrant, be32(r.media.payload.at + 8),
			be16(r.media.payload.at + 2) };
	buf_clear(&body);
	return there;
}

bool heard_step(struct intercept_scene *s, enum seat at, nsec_t span, struct step *out)
{
	struct buf body = { 0 };
	bool there = scene_came(s, at, MSG_STEP, span, &body);

	if (there)
		assert_true(msg_get_step(buf_bytes(&body), out));
	buf_clear(&body);
	return there;
}

void kept_forget(struct kept *k)
{
	for (size_t i = 0; i < k->count; i++)
		buf_clear(&k->bodies[i]);
	k->count = 0;
}

static void keep(struct intercept_scene *s, struct kept *k)
{
	*k = (struct kept){ .count = 0 };
	while (scene_came(s, KEYS, MSG_CHECKPOINT, SOON, &k->bodies[k->count]))
		assert_true(++k->count < 15);
	buf_clear(&k->bodies[k->count]);
}

void give_back(struct intercept_scene *s, struct kept *k)
{
	struct buf token = { 0 }, again = { 0 };

	assert_true(scene_came(s, KEYS, MSG_RESUME, LONG, &token));
	assert_true(token.len > 0);
	buf_add(&again, token.at, token.len);
	seat_tell(s, KEYS, MSG_RESUME, &again);
	for (size_t i = 0; i < k->count; i++)
		seat_tell(s, KEYS, MSG_RESUMED, &k->bodies[i]);
	seat_tell(s, KEYS, MSG_RESUME_END, &token);
}

nsec_t died_in_a_call(struct intercept_scene *s, uint32_t fronts, struct kept *k)
{
	static struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct heard_sip sip;

	intercept_begin(s, 0, fronts, false);
	say_table(s);
	phone_set_up(s, &call);
	assert_true(heard_sip(s, LONG, &sip));
	keep(s, k);
	assert_true(k->count >= 2);
	intercept_kill(s);
	scene_forget(s, DELIVERY);
	scene_forget(s, CONTROL);
	scene_forget(s, OTHER);
	return sip.at;
}

void refused(struct intercept_scene *s, uint64_t count)
{
	scene_settle(s);
	assert_int_equal(scene_count(s, "messages_refused", ""), count);
}
