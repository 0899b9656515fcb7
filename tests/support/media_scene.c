/* media_scene: a media stage, its calls, and what came out of it. */
#include "media_scene.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "otway/base/text.h"

#define ALICE "192.0.2.1:4000"
#define BOB   "192.0.2.2:5000"

struct addr at_addr(const char *text)
{
	struct addr a;
	bool ok = addr_parse(bytes_of(text), &a);

	assert(ok);
	(void)ok;
	return a;
}

struct srtp_key scene_key(enum srtp_suite suite, uint8_t seed)
{
	struct srtp_key k = { .suite = suite, .source = KEY_SDES };

	for (uint8_t i = 0; i < suite_facts(suite)->key; i++)
		k.key[i] = (uint8_t)(seed + 11 * i);
	for (uint8_t i = 0; i < suite_facts(suite)->salt; i++)
		k.salt[i] = (uint8_t)(seed ^ (29 * i));
	return k;
}

void scene_open(struct scene *s, const struct media_options *o)
{
	*s = (struct scene){ .media = media_new(o), .now = SCENE_T0 };
	/* Room for many, of which most scenes need few: memory that is never touched costs nothing. */
	s->out = mmap(NULL, OUT_MAX * sizeof(struct got), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(s->media != NULL && s->out != MAP_FAILED);
}

void scene_close(struct scene *s)
{
	media_free(s->media);
	munmap(s->out, OUT_MAX * sizeof(struct got));
}

static void collect(struct scene *s)
{
	const struct media_packet *p;
	const struct cover *covers;
	size_t count;

	while (media_next(s->media, &p, &covers, &count)) {
		struct got *g = &s->out[s->count++];

		assert(s->count < OUT_MAX && p->clear.len <= sizeof(g->clear) && p->media.len <= sizeof(g->media));
		g->packet = *p;
		memcpy(g->clear, p->clear.at, p->clear.len);
		if (p->media.len > 0)
			memcpy(g->media, p->media.at, p->media.len);
		g->packet.clear.at = g->clear;
		g->packet.media.at = g->media;
		snprintf(g->codec, sizeof(g->codec), "%s", p->codec);
		g->packet.codec = g->codec;
		g->cover_count = count;
		for (size_t i = 0; i < count && i < 4; i++)
			g->warrants[i] = covers[i].warrant;
	}
}

/* The step is large: it lives on the heap. */
static struct step *step_new(const struct scene *s, enum step_kind kind, uint32_t call)
{
	struct step *step = calloc(1, sizeof(*step));

	assert(step != NULL);
	step->kind = kind;
	step->call = call;
	step->at = s->now;
	return step;
}

static void say(struct scene *s, struct step *step)
{
	media_step(s->media, step);
	free(step);
	collect(s);
}

void scene_cover(struct scene *s, uint32_t call, uint32_t warrant, nsec_t from, nsec_t until)
{
	struct step *step = step_new(s, STEP_COVER, call);

	step->cover_count = 1;
	step->covers[0] = (struct cover){ warrant, from, until };
	say(s, step);
}

void scene_say_place(struct scene *s, const struct place *p)
{
	struct step *step = step_new(s, STEP_PLACE, p->call);

	step->place = *p;
	say(s, step);
}

struct place scene_place(struct scene *s, uint32_t call, const char *rtp, const char *profile, enum toward toward)
{
	struct place p = { .call = call, .toward = toward, .answered = true, .format_count = 2 };

	p.rtp = at_addr(rtp);
	p.rtcp = p.rtp;
	p.rtcp.port++;
	snprintf(p.kind, sizeof(p.kind), "audio");
	snprintf(p.profile, sizeof(p.profile), "%s", profile);
	p.secure = strstr(profile, "SAVP") != NULL;
	p.formats[0] = (struct media_format){ .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 };
	p.formats[1] = (struct media_format){ .pt = 101, .name = "telephone-event", .clock = 8000, .channels = 1 };
	scene_say_place(s, &p);
	return p;
}

void scene_give(struct scene *s, uint32_t call, const struct srtp_key *key, enum toward toward)
{
	struct step *step = step_new(s, STEP_KEY, call);

	step->key = (struct key_given){ .call = call, .chosen = true, .toward = toward, .key = *key };
	say(s, step);
}

void scene_hang_up(struct scene *s, uint32_t call)
{
	say(s, step_new(s, STEP_CLOSE, call));
}

void scene_call(struct scene *s, const char *profile)
{
	scene_cover(s, 1, 7, INT64_MIN + 1, NSEC_EVER);
	scene_place(s, 1, ALICE, profile, TOWARD_CALLER);
	scene_place(s, 1, BOB, profile, TOWARD_CALLEE);
}

struct voice scene_alice(uint32_t ssrc, uint64_t index)
{
	return (struct voice){
		.ssrc = ssrc, .index = index, .timestamp = 5000, .src = at_addr(ALICE), .dst = at_addr(BOB)
	};
}

/* mu-law (ITU-T G.711) of a linear sample. */
static uint8_t mu_law(int sample)
{
	int sign = sample < 0 ? 0x80 : 0, exponent = 7;

	sample = (sample < 0 ? -sample : sample) + 132;
	for (int mask = 0x4000; exponent > 0 && (sample & mask) == 0; mask >>= 1)
		exponent--;
	return (uint8_t) ~(sign | exponent << 4 | (sample >> (exponent + 3) & 15));
}

size_t voice_speak(struct voice *v, uint8_t out[512])
{
	out[0] = 0x80;
	out[1] = 0;
	put_be16(out + 2, (uint16_t)v->index);
	put_be32(out + 4, v->timestamp);
	put_be32(out + 8, v->ssrc);
	for (int i = 0; i < 160; i++, v->phase++) {
		int saw = (int)(v->phase * 37 % 1000) - 500, slow = (int)(v->phase * 3 % 700) - 350;

		out[12 + i] = mu_law(saw * 8 + slow * 5);
	}
	v->index++;
	v->timestamp += 160;
	return 172;
}

/* The payload lies in an IP packet made up around it, as the stage is to see it. */
bool scene_send(struct scene *s, const struct addr *src, const struct addr *dst, struct bytes payload, bool truncated)
{
	uint8_t packet[4096] = { 0x45 };
	struct datagram d = { .at = s->now, .proto = IP_PROTO_UDP, .truncated = truncated, .flow = { *src, *dst } };
	bool wanted;

	memcpy(packet + 28, payload.at, payload.len);
	d.packet = (struct bytes){ packet, 28 + payload.len };
	d.payload = (struct bytes){ packet + 28, payload.len };
	media_time(s->media, s->now);
	collect(s);
	wanted = media_wants(s->media, &d);
	if (wanted)
		media_take(s->media, &d);
	memset(packet, 0xee, sizeof(packet)); /* it was borrowed for the call only */
	collect(s);
	return wanted;
}

void scene_speak(struct scene *s, struct voice *v, const struct srtp_key *key)
{
	uint8_t clear[512], sealed[1024];
	uint64_t index = v->index;
	size_t len = voice_speak(v, clear);

	if (key != NULL) {
		len = sender_rtp(key, index, (struct bytes){ clear, len }, sealed);
		scene_send(s, &v->src, &v->dst, (struct bytes){ sealed, len }, false);
	} else {
		scene_send(s, &v->src, &v->dst, (struct bytes){ clear, len }, false);
	}
	s->now += 20 * MS;
}

void scene_wait(struct scene *s, nsec_t time)
{
	s->now += time;
	media_time(s->media, s->now);
	collect(s);
}

void scene_end(struct scene *s)
{
	media_end(s->media);
	collect(s);
}

size_t scene_count(const struct scene *s, enum media_sort sort, enum media_fate fate, enum seal_reason reason)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct media_packet *p = &s->out[i].packet;

		n += p->sort == sort && p->fate == fate && (reason == SEAL_REASONS || p->reason == reason);
	}
	return n;
}

uint64_t scene_counter(const struct scene *s, const char *name)
{
	struct counter counters[32];
	size_t n = media_counts(s->media, counters, 32);

	for (size_t i = 0; i < n; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	return UINT64_MAX;
}
