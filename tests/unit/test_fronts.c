/*
 * front: several of them and one back give the media that one pipeline gives, however frames are dealt to them; and one that is replaced
 * while calls run goes on. Captures are named on the command line. What passes between them goes over the octets of their messages.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/back.h"
#include "otway/base/table.h"
#include "otway/capture.h"
#include "otway/decap.h"
#include "otway/front.h"
#include "otway/model/msg.h"
#include "otway/pipeline.h"

#define FRONTS 4
#define TICK   (NSEC_PER_SEC / 10)

/* What came out: a line of text for each packet, and when it came. */
struct line {
	nsec_t at;
	char text[320];
	char told[128]; /* what was known of its stream then */
};
struct lines {
	struct line *all;
	size_t count, room;
};

/* A message that is on its way from one to another, or was. */
struct sent {
	struct sent *next;
	uint32_t to;
	uint64_t frame; /* at which it was sent */
	size_t len;
	uint8_t octets[];
};
struct queue {
	struct sent *first, **last;
};

enum dealing { DEAL_BY_HASH, DEAL_WRAPPED_AT_RANDOM };

struct crew {
	uint32_t count;
	struct front *fronts[FRONTS];
	struct back *back;
	struct queue forwarded, steps; /* steps: all that were said */
	struct sent **heard[FRONTS];   /* the next step that a front hears */
	uint64_t frame, lag, slow;     /* what is sent arrives so many frames later; and did, until the end */
	struct lines lines;
	nsec_t now, told;
	uint32_t dead; /* the front that is not there; FRONTS: none */
	uint64_t forwards;
};

static char **captures;
static int capture_count;

static void lines_add(struct lines *l, uint32_t warrant, const struct media_packet *p)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	struct line *line;

	if (l->count == l->room) {
		l->room = l->room * 2 + 1024;
		l->all = realloc(l->all, l->room * sizeof(*l->all));
		assert_non_null(l->all);
	}
	line = &l->all[l->count++];
	memset(line, 0, sizeof(*line));
	line->at = p->at;
	snprintf(line->text, sizeof(line->text), "%lld w%u c%u %d %d %d %s %s %08x %llu %u %u %016llx %016llx",
		(long long)p->at, warrant, p->call, p->sort, p->fate, p->reason, addr_text(&p->flow.src, src),
		addr_text(&p->flow.dst, dst), p->ssrc, (unsigned long long)p->index, p->pt, p->timestamp,
		(unsigned long long)table_hash(p->clear), (unsigned long long)table_hash(p->packet));
	snprintf(line->told, sizeof(line->told), "%s %s %s %d %d %u %d", p->kind, p->profile, p->codec, p->toward,
		p->suite, p->rekeys, p->learned);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void lines_sort(struct lines *l)
{
	if (l->count > 0)
		qsort(l->all, l->count, sizeof(*l->all), compare);
}

static void queue_add(struct queue *q, uint32_t to, uint64_t frame, struct bytes octets)
{
	struct sent *s = malloc(sizeof(*s) + octets.len);

	assert_non_null(s);
	s->next = NULL;
	s->to = to;
	s->frame = frame;
	s->len = octets.len;
	memcpy(s->octets, octets.at, octets.len);
	if (q->first == NULL)
		q->last = &q->first;
	*q->last = s;
	q->last = &s->next;
}

static struct sent *queue_take(struct queue *q)
{
	struct sent *s = q->first;

	if (s == NULL)
		return NULL;
	q->first = s->next;
	if (q->first == NULL)
		q->last = &q->first;
	return s;
}

static void queue_clear(struct queue *q)
{
	struct sent *s;

	while ((s = queue_take(q)) != NULL)
		free(s);
}

/* Everybody in the captures is a target, or one of them. */
static void targets(struct warrant_set *set, size_t most)
{
	static const char *const uris[] = { "sip:alice@ims.example", "sip:bob@ims.example", "sip:carol@ims.example",
		"sip:dan@ims.example", "sip:alice@10.77.0.11", "sip:bob@10.77.0.12", "tel:+15550100",
		"sip:alice@[fd77::b]", "sip:bob@[fd77::c]" };

	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]) && i < most; i++) {
		struct target t = { .uri = (char *)(uintptr_t)uris[i] };
		struct warrant w = { .number = i + 1,
			.liid = "L",
			.agency = (char *)(uintptr_t) "a",
			.authority = (char *)(uintptr_t) "b",
			.targets = &t,
			.target_count = 1,
			.from = INT64_MIN + 1,
			.until = NSEC_EVER,
			.scope = SCOPE_ALL,
			.trust_from = true };

		assert_true(identity_parse(bytes_of(uris[i]), &t.id));
		assert_true(warrant_add(set, &w));
	}
}

/* One pipeline. */

static void draw(struct pipeline *p, struct lines *out)
{
	const struct record *r;

	while (pipeline_next(p, &r))
		if (r->kind == RECORD_MEDIA)
			lines_add(out, r->warrant, &r->media);
}

static struct capture *open_capture(const char *path)
{
	struct capture *c = NULL;
	struct err err = { 0 };

	if (capture_open_files(&c, &path, 1, false, decap_knows, &err) < 0)
		fail_msg("%s cannot be read", path);
	return c;
}

static struct lines by_one(const char *path, size_t most)
{
	struct pipeline *p = pipeline_new(NULL);
	struct capture *c = open_capture(path);
	struct warrant_set set = { 0 };
	struct lines out = { 0 };
	struct frame f;
	struct err err = { 0 };

	targets(&set, most);
	assert_true(pipeline_targets(p, &set));
	while (capture_next(c, &f, &err) > 0) {
		pipeline_take(p, &f);
		draw(p, &out);
	}
	pipeline_end(p);
	draw(p, &out);
	lines_sort(&out);
	warrant_set_clear(&set);
	capture_free(c);
	pipeline_free(p);
	return out;
}

/* Several fronts. */

static struct front *front_of(const struct crew *c, uint32_t i)
{
	struct front *f = front_new(&(struct front_options){ .fronts = c->count, .own = i });

	assert_non_null(f);
	return f;
}

static void tell_step(struct front *f, const struct sent *s)
{
	static struct step step;

	assert_true(msg_get_step((struct bytes){ s->octets, s->len }, &step));
	front_step(f, &step);
}

/* Steps that have arrived. */
static void hear(struct crew *c, uint32_t i)
{
	for (; i != c->dead && *c->heard[i] != NULL && (*c->heard[i])->frame + c->lag <= c->frame;
		c->heard[i] = &(*c->heard[i])->next)
		tell_step(c->fronts[i], *c->heard[i]);
}

static void back_says(struct crew *c)
{
	const struct step *s;
	struct sip_esp esp;
	struct buf b = { 0 };

	while (back_next(c->back, &s)) {
		buf_reset(&b);
		if (msg_put_step(&b, s))
			queue_add(&c->steps, 0, c->frame, buf_bytes(&b));
	}
	for (uint32_t i = 0; i < c->count; i++)
		hear(c, i);
	while (back_esp(c->back, &esp))
		for (uint32_t i = 0; i < c->count; i++)
			if (i != c->dead)
				front_esp(c->fronts[i], &esp);
	buf_clear(&b);
}

static void forward(struct crew *c, uint32_t to, const struct datagram *d)
{
	struct buf b = { 0 };

	assert_true(to < c->count);
	assert_true(msg_put_datagram(&b, d));
	queue_add(&c->forwarded, to, c->frame, buf_bytes(&b));
	buf_clear(&b);
	c->forwards++;
}

static void media_out(struct crew *c, const struct media_packet *p, const struct cover *covers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (covers[i].from <= p->at && p->at < covers[i].until)
			lines_add(&c->lines, covers[i].warrant, p);
}

/* Until it has nothing more. */
static void drain_one(struct crew *c, uint32_t i)
{
	const struct media_packet *p;
	const struct cover *covers;
	struct front_out o;
	size_t count;

	if (i == c->dead)
		return;
	for (;;) {
		if (front_media(c->fronts[i], &p, &covers, &count)) {
			media_out(c, p, covers, count);
		} else if (front_next(c->fronts[i], &o)) {
			if (o.kind == FRONT_FORWARD)
				forward(c, o.to, o.datagram);
			if (o.kind == FRONT_SIGNAL) {
				back_take(c->back, o.datagram);
				back_says(c);
			}
		} else {
			return;
		}
	}
}

static void drain(struct crew *c)
{
	struct sent *s;

	back_says(c);
	for (uint32_t i = 0; i < c->count; i++)
		drain_one(c, i);
	while (c->forwarded.first != NULL && c->forwarded.first->frame + c->lag <= c->frame) {
		s = queue_take(&c->forwarded);
		struct datagram d;

		assert_true(msg_get_datagram((struct bytes){ s->octets, s->len }, &d));
		if (s->to != c->dead) {
			front_forwarded(c->fronts[s->to], &d);
			for (uint32_t i = 0; i < c->count; i++)
				drain_one(c, (s->to + i) % c->count);
		}
		free(s);
	}
}

static void crew_open(struct crew *c, uint32_t count, size_t most, uint64_t lag)
{
	struct warrant_set set = { 0 };

	*c = (struct crew){
		.count = count, .lag = lag, .slow = lag, .dead = FRONTS, .now = NSEC_NONE, .told = NSEC_NONE
	};
	c->back = back_new(&(struct back_options){ 0 });
	targets(&set, most);
	assert_true(c->back != NULL && back_targets(c->back, &set));
	warrant_set_clear(&set);
	for (uint32_t i = 0; i < count; i++)
		c->fronts[i] = front_of(c, i);
	c->steps.last = &c->steps.first;
	for (uint32_t i = 0; i < count; i++)
		c->heard[i] = &c->steps.first;
}

static void crew_end(struct crew *c)
{
	c->lag = 0;
	for (uint32_t i = 0; i < c->count; i++)
		front_end_signals(c->fronts[i]);
	drain(c);
	back_end(c->back, c->now);
	drain(c);
	for (uint32_t i = 0; i < c->count; i++)
		front_end(c->fronts[i]);
	drain(c);
	lines_sort(&c->lines);
}

static void crew_close(struct crew *c)
{
	queue_clear(&c->forwarded);
	queue_clear(&c->steps);
	free(c->lines.all);
	back_free(c->back);
	for (uint32_t i = 0; i < c->count; i++)
		front_free(c->fronts[i]);
}

static void tell_time(struct crew *c, nsec_t at)
{
	if (c->now == NSEC_NONE || at > c->now)
		c->now = at;
	if (c->told != NSEC_NONE && c->now - c->told < TICK)
		return;
	c->told = c->now;
	back_time(c->back, c->now);
	for (uint32_t i = 0; i < c->count; i++)
		if (i != c->dead)
			front_time(c->fronts[i], c->now);
	drain(c);
}

static void crew_take(struct crew *c, uint32_t to, const struct frame *f)
{
	c->frame++;
	if (to != c->dead) {
		if (front_take(c->fronts[to], f))
			drain_one(c, to);
	}
	drain(c);
	tell_time(c, f->at);
}

/* What the kernel spreads frames by: outer addresses, and ports of what is no fragment, the same both ways. */

static uint32_t add_octets(uint32_t sum, const uint8_t *p, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return sum + hash;
}

static uint32_t ports_hash(struct bytes rest, uint8_t protocol)
{
	if (rest.len < 4 || (protocol != 6 && protocol != 17 && protocol != 132))
		return 0;
	return add_octets(add_octets(0, rest.at, 2), rest.at + 2, 2);
}

static uint32_t hash_ip(struct bytes ip, bool *wrapped)
{
	uint8_t protocol;
	bool fragment;
	uint32_t hash;
	size_t header;

	if (ip.len >= 20 && ip.at[0] >> 4 == 4) {
		protocol = ip.at[9];
		header = (ip.at[0] & 15u) * 4;
		fragment = (be16(ip.at + 6) & 0x3fff) != 0;
		hash = add_octets(add_octets(0, ip.at + 12, 4), ip.at + 16, 4);
	} else if (ip.len >= 40 && ip.at[0] >> 4 == 6) {
		protocol = ip.at[6];
		header = 40;
		fragment = protocol == 44;
		hash = add_octets(add_octets(0, ip.at + 8, 16), ip.at + 24, 16);
	} else {
		return 0;
	}
	*wrapped = fragment || (protocol != 6 && protocol != 17 && protocol != 132);
	return fragment ? hash : hash + ports_hash(bytes_part(ip, header, ip.len), protocol);
}

static bool tunnel_port(struct bytes ip)
{
	static const uint16_t ports[] = { 4789, 4790, 8472, 6081, 2152, 37008, 9060, 1701, 4500 };
	size_t header = ip.len > 0 && ip.at[0] >> 4 == 6 ? 40 : 20;

	for (size_t i = 0; ip.len >= header + 4 && i < sizeof(ports) / sizeof(ports[0]); i++)
		if (be16(ip.at + header + 2) == ports[i])
			return true;
	return false;
}

static uint32_t deal(const struct frame *f, enum dealing how, uint32_t count, uint32_t *random)
{
	bool plain = f->link == 1 && f->bytes.len > 34 &&
		     (be16(f->bytes.at + 12) == 0x0800 || be16(f->bytes.at + 12) == 0x86dd);
	struct bytes ip = bytes_part(f->bytes, 14, f->bytes.len);
	bool wrapped = true;
	uint32_t hash = plain ? hash_ip(ip, &wrapped) : 0;

	wrapped = wrapped || (plain && tunnel_port(ip));
	if (how == DEAL_WRAPPED_AT_RANDOM && wrapped) {
		*random = *random * 1664525 + 1013904223;
		hash = *random >> 8;
	}
	hash ^= hash >> 15;
	return hash % count;
}

/* What is known of a stream is known later where steps take their time. */
static void are_equal(const struct lines *one, const struct lines *several, const char *path, const struct crew *c)
{
	static const struct line none = { .text = "(none)" };

	for (size_t i = 0; i < one->count || i < several->count; i++) {
		const struct line *a = i < one->count ? &one->all[i] : &none;
		const struct line *b = i < several->count ? &several->all[i] : &none;

		if (strcmp(a->text, b->text) != 0 || (c->slow == 0 && strcmp(a->told, b->told) != 0))
			fail_msg("%s with %u fronts (%zu packets, %zu alone):\n%s %s\nalone:\n%s %s", path, c->count,
				several->count, one->count, b->text, b->told, a->text, a->told);
	}
}

static uint64_t by_several(const char *path, uint32_t count, enum dealing how, uint64_t lag, const struct lines *one)
{
	struct capture *cap = open_capture(path);
	struct crew c;
	struct frame f;
	struct err err = { 0 };
	uint32_t random = count;
	uint64_t forwards;

	crew_open(&c, count, lag > 0 ? 1 : SIZE_MAX, lag);
	while (capture_next(cap, &f, &err) > 0)
		crew_take(&c, deal(&f, how, count, &random), &f);
	crew_end(&c);
	are_equal(one, &c.lines, path, &c);
	forwards = c.forwards;
	crew_close(&c);
	capture_free(cap);
	return forwards;
}

static void several_fronts_give_what_one_gives(void **state)
{
	uint64_t forwards = 0;
	size_t packets = 0;

	(void)state;
	for (int i = 0; i < capture_count; i++) {
		struct lines one = by_one(captures[i], SIZE_MAX), alice = by_one(captures[i], 1);

		packets += one.count;
		for (uint32_t count = 2; count <= FRONTS; count++) {
			forwards += by_several(captures[i], count, DEAL_BY_HASH, 0, &one);
			forwards += by_several(captures[i], count, DEAL_WRAPPED_AT_RANDOM, 0, &one);
			forwards += by_several(captures[i], count, DEAL_BY_HASH, 15, &alice);
		}
		free(alice.all);
		free(one.all);
	}
	assert_true(packets > 1000 && forwards > 1000);
}

/* A front dies, and half a second later another one is there. */

#define DEAD_FOR (NSEC_PER_SEC / 2)

struct death {
	nsec_t from, settled, until;
};

static struct buf state_of(struct front *f)
{
	struct buf b = { 0 };

	while (front_state(f, &b))
		;
	return b;
}

static void kill_front(struct crew *c, uint32_t which, struct buf *state, struct death *d)
{
	*state = state_of(c->fronts[which]);
	d->from = c->now;
	d->settled = front_settled(c->fronts[which]);
	front_free(c->fronts[which]);
	c->fronts[which] = NULL;
	c->dead = which;
}

static void replace_front(struct crew *c, struct buf *state, struct death *d)
{
	uint32_t which = c->dead;

	d->until = c->now;
	c->fronts[which] = front_of(c, which);
	c->dead = FRONTS;
	front_resume(c->fronts[which], buf_bytes(state));
	buf_clear(state);
	c->heard[which] = &c->steps.first;
	hear(c, which);
	front_time(c->fronts[which], c->now);
	drain(c);
}

/* What is missing is of the time when it was dead, or waited in its memory. */
static size_t is_all_but(const struct lines *one, const struct lines *several, const struct death *d, const char *path)
{
	size_t j = 0, missing = 0;

	for (size_t i = 0; i < one->count; i++) {
		const struct line *line = &one->all[i];

		if (j < several->count && strcmp(line->text, several->all[j].text) == 0) {
			j++;
			continue;
		}
		if (line->at < d->settled || line->at > d->until + NSEC_PER_SEC / 10)
			fail_msg("%s: missing though nobody was dead: %s\nnext: %s", path, line->text,
				j < several->count ? several->all[j].text : "(none)");
		missing++;
	}
	if (j < several->count)
		fail_msg("%s: more than one front alone gives: %s", path, several->all[j].text);
	return missing;
}

static size_t replaced(const char *path, uint32_t which, const struct lines *one)
{
	struct capture *cap = open_capture(path);
	nsec_t when = one->all[one->count / 2].at;
	struct death d = { NSEC_EVER, NSEC_EVER, NSEC_EVER };
	struct buf state = { 0 };
	struct crew c;
	struct frame f;
	struct err err = { 0 };
	uint32_t random = 1;
	size_t missing;

	crew_open(&c, 2, SIZE_MAX, 0);
	while (capture_next(cap, &f, &err) > 0) {
		if (c.dead == FRONTS && d.from == NSEC_EVER && f.at >= when)
			kill_front(&c, which, &state, &d);
		if (c.dead != FRONTS && f.at >= d.from + DEAD_FOR)
			replace_front(&c, &state, &d);
		crew_take(&c, deal(&f, DEAL_BY_HASH, 2, &random), &f);
	}
	if (c.dead != FRONTS)
		replace_front(&c, &state, &d);
	crew_end(&c);
	missing = is_all_but(one, &c.lines, &d, path);
	crew_close(&c);
	capture_free(cap);
	return missing;
}

static void when_a_front_is_replaced_only_the_time_between_is_missing(void **state)
{
	size_t missing = 0, all = 0;

	(void)state;
	for (int i = 0; i < capture_count; i++) {
		struct lines one = by_one(captures[i], SIZE_MAX);

		for (uint32_t which = 0; which < 2 && one.count > 100; which++) {
			missing += replaced(captures[i], which, &one);
			all += one.count;
		}
		free(one.all);
	}
	assert_true(missing > 0 && missing < all / 4);
}

/* What went by just now to a place is its owner's; so much of it at once that not all has room is lost, and that is told. */
static void what_another_front_owns_is_forwarded_or_told_to_be_lost(void **state)
{
	enum { PACKETS = 12000 };
	uint8_t octets[14 + 28 + 20] = { [12] = 8,
		[14] = 0x45,
		[17] = 48,
		[23] = 17,
		[26] = 10,
		[29] = 1,
		[30] = 10,
		[33] = 2,
		[39] = 28,
		[42] = 0x80 };
	struct front *f = front_new(&(struct front_options){ .fronts = 2, .own = 0, .recent_octets = (size_t)4 << 20 });
	struct step place = { .kind = STEP_PLACE, .at = PACKETS, .call = 1 };
	uint64_t forwarded = 0, lost = 0, others = 0;
	nsec_t until = 0;
	struct front_out o;

	(void)state;
	assert_non_null(f);
	put_be16(octets + 36, 4000);
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct datagram d = { .proto = IP_PROTO_UDP };

		put_be16(octets + 34, (uint16_t)(10000 + i));
		if (front_take(f, &(struct frame){ .at = i, .link = 1, .bytes = { octets, sizeof(octets) } }))
			assert_false(front_next(f, &o));
		assert_true(addr_parse(bytes_of("10.0.0.2:4000"), &d.flow.dst) &&
			    addr_parse(bytes_of("10.0.0.1:1"), &d.flow.src));
		d.flow.src.port = (uint16_t)(10000 + i);
		d.payload.at = octets;
		others += decap_owner(&d, 2) == 1;
	}
	assert_true(addr_parse(bytes_of("10.0.0.2:4000"), &place.place.rtp));
	front_step(f, &place);
	while (front_next(f, &o)) {
		if (o.kind == FRONT_FORWARD) {
			assert_int_equal(o.to, 1);
			forwarded++;
		} else if (o.kind == FRONT_LOST) {
			lost += o.packets;
			assert_true(o.from > 4096 && o.from <= o.until && o.until < PACKETS);
			until = o.until;
		}
	}
	assert_int_equal(forwarded, 4096);
	assert_true(others > 4096 && until > 0);
	assert_int_equal(lost, others - forwarded);
	front_free(f);
}

static void drain_media(struct front *f, unsigned of[3])
{
	const struct media_packet *p;
	const struct cover *covers;
	struct front_out o;
	size_t count;

	for (bool more = true; more;) {
		more = front_media(f, &p, &covers, &count);
		if (more && p->call < 3)
			of[p->call]++;
		more = more || front_next(f, &o);
	}
}

/* A place of a call that is over is said again, as when its key comes late, while packets of the next call wait there to be described. */
static void a_call_that_is_over_takes_nothing_of_the_one_that_has_its_ports_next(void **state)
{
	enum { PACKETS = 5 };
	uint8_t octets[14 + 28 + 172] = { [12] = 8,
		[14] = 0x45,
		[17] = 200,
		[23] = 17,
		[26] = 10,
		[29] = 1,
		[30] = 10,
		[33] = 2,
		[34] = 0x27,
		[35] = 0x10,
		[36] = 0x0f,
		[37] = 0xa0,
		[39] = 180,
		[42] = 0x80,
		[53] = 9 };
	const nsec_t ms = 1000000, then = 8 * NSEC_PER_SEC;
	struct front *f = front_new(&(struct front_options){ 0 });
	struct step place = { .kind = STEP_PLACE, .at = ms, .call = 1 };
	unsigned of[3] = { 0 };

	(void)state;
	assert_non_null(f);
	assert_true(addr_parse(bytes_of("10.0.0.2:4000"), &place.place.rtp));
	front_step(f,
		&(struct step){ .kind = STEP_COVER, .call = 1, .covers = { { 7, 0, NSEC_EVER } }, .cover_count = 1 });
	front_step(f, &place);
	front_step(f, &(struct step){ .kind = STEP_CLOSE, .at = 2 * ms, .call = 1 });
	for (uint32_t i = 0; i < PACKETS; i++) {
		put_be16(octets + 44, (uint16_t)i);
		if (front_take(f, &(struct frame){
					  .at = then + i * 20 * ms, .link = 1, .bytes = { octets, sizeof(octets) } }))
			drain_media(f, of);
	}
	front_step(f, &place);
	drain_media(f, of);
	front_step(f,
		&(struct step){ .kind = STEP_COVER, .call = 2, .covers = { { 7, 0, NSEC_EVER } }, .cover_count = 1 });
	place.call = 2;
	place.at = then;
	front_step(f, &place);
	drain_media(f, of);
	front_end(f);
	drain_media(f, of);
	assert_int_equal(of[2], PACKETS);
	front_free(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_fronts_give_what_one_gives),
		cmocka_unit_test(what_another_front_owns_is_forwarded_or_told_to_be_lost),
		cmocka_unit_test(a_call_that_is_over_takes_nothing_of_the_one_that_has_its_ports_next),
		cmocka_unit_test(when_a_front_is_replaced_only_the_time_between_is_missing),
	};

	captures = argv + 1;
	capture_count = argc - 1;
	return argc > 1 ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
