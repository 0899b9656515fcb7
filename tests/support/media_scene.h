/*
 * media_scene: a media stage with one or two calls, senders that speak to it, and what came out, for tests.
 * Alice (192.0.2.1) is the caller, Bob (192.0.2.2) the callee; what one sends goes to the other's place.
 */
#ifndef TESTS_MEDIA_SCENE_H
#define TESTS_MEDIA_SCENE_H

#include "otway/media.h"
#include "srtp_sender.h"

#define SCENE_T0 (INT64_C(1700000000) * NSEC_PER_SEC)
#define MS       INT64_C(1000000)
#define OUT_MAX  65536

/* What media_next gave, with what it borrowed copied. */
struct got {
	struct media_packet packet;
	uint8_t clear[2048];
	uint8_t media[2048];
	char codec[20];
	size_t cover_count;
	uint32_t warrants[4];
};

struct scene {
	struct media *media;
	struct got *out;
	size_t count;
	nsec_t now;
};

/* A voice: RTP packets of 20 ms PCMU from one party to the other. */
struct voice {
	uint32_t ssrc;
	uint64_t index; /* of the next packet */
	uint32_t timestamp;
	struct addr src, dst;
	uint32_t phase;
};

struct addr at_addr(const char *text);
struct srtp_key scene_key(enum srtp_suite suite, uint8_t seed);

void scene_open(struct scene *s, const struct media_options *o);
void scene_close(struct scene *s);

void scene_cover(struct scene *s, uint32_t call, uint32_t warrant, nsec_t from, nsec_t until);
/* A place of an answered call with PCMU and telephone-event; returned to be changed and said again. */
struct place scene_place(struct scene *s, uint32_t call, const char *rtp, const char *profile, enum toward toward);
void scene_say_place(struct scene *s, const struct place *p);
void scene_give(struct scene *s, uint32_t call, const struct srtp_key *key, enum toward toward);
void scene_hang_up(struct scene *s, uint32_t call);

/* Alice and Bob in call 1 under RTP/SAVP, covered for ever. */
void scene_call(struct scene *s, const char *profile);
struct voice scene_alice(uint32_t ssrc, uint64_t index); /* sends to Bob */

/* The next clear RTP packet of a voice, and its payload's length; a step of 20 ms. */
size_t voice_speak(struct voice *v, uint8_t out[512]);

/* Hands a datagram to the stage when it wants it, at scene time, and takes what comes out. True: wanted. */
bool scene_send(struct scene *s, const struct addr *src, const struct addr *dst, struct bytes payload, bool truncated);

/* One packet of the voice, sealed by `key` (NULL: in clear); time goes on by 20 ms. */
void scene_speak(struct scene *s, struct voice *v, const struct srtp_key *key);
void scene_wait(struct scene *s, nsec_t time);
void scene_end(struct scene *s);

/* How many of that fate (and sort) came out; `reason` SEAL_REASONS: any. */
size_t scene_count(const struct scene *s, enum media_sort sort, enum media_fate fate, enum seal_reason reason);
uint64_t scene_counter(const struct scene *s, const char *name);

#endif
