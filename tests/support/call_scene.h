/*
 * call_scene: a stage for tests of call: SIP text goes in through the real sip stage, with the hits of warrants on whoever is
 * named; what comes out is kept to be looked at.
 */
#ifndef OTWAY_TESTS_CALL_SCENE_H
#define OTWAY_TESTS_CALL_SCENE_H

#include "otway/call.h"
#include "otway/sip.h"

#define SCENE_HEARD 8192
#define SCENE_T0    (INT64_C(1700000000) * NSEC_PER_SEC) /* time 0 of a scene */

/* A message by its parts; what is NULL or 0 is left out, or as usual. */
struct said {
	int ms;                   /* since SCENE_T0 */
	const char *src, *dst;    /* "10.0.0.1:5060" */
	const char *start;        /* "INVITE sip:bob@example.com", "200 OK" */
	const char *method;       /* of CSeq */
	unsigned int cseq;        /* 0: 1 */
	const char *call_id, *branch;
	const char *from, *from_tag, *to, *to_tag;
	const char *more;         /* further headers, each with its CRLF */
	const char *type, *body;  /* type NULL: application/sdp */
	size_t cut;               /* the capture has only so many octets of it; 0: all */
};

/* A step, copied deep. */
struct heard {
	struct step step;
	char *text;               /* of a SIP record: the message */
	uint8_t *packet;
	size_t packet_len;
};

struct scene {
	struct sip *sip;
	struct call_stage *call;
	struct warrant_set set;
	struct heard heard[SCENE_HEARD];
	size_t count;
	char *texts[256];
	size_t text_count;
};

/* A text that lives as long as the scene. */
const char *scene_text(struct scene *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "a=crypto:TAG SUITE inline:…" whose key begins with `first` and goes on counting. */
const char *scene_crypto(struct scene *s, unsigned int tag, const char *suite, uint8_t first);

/* An SDP of one audio line, `lines` (NULL: none) at its end. */
const char *scene_sdp(struct scene *s, const char *ip, unsigned int port, const char *profile, const char *lines);

void scene_begin(struct scene *s);
void scene_end(struct scene *s); /* frees all */

/* A warrant on uri from `from` to `until` ms; from INT_MIN and until INT_MAX: always. Its number. */
uint32_t scene_warrant(struct scene *s, const char *uri, enum warrant_scope scope, enum warrant_diverted diverted, int from,
		       int until);

/* As the pipeline does: taken when it hits or is known; false: it was neither. */
bool scene_say(struct scene *s, const struct said *m);
/* As one that undecided gave back. */
void scene_claim(struct scene *s, const struct said *m);
void scene_time(struct scene *s, int ms);
void scene_over(struct scene *s, int ms); /* call_end */

/* The last facts given of a call to a warrant; NULL: none. Strings live as long as the stage's own: until the next say. */
const struct call_facts *scene_facts(const struct scene *s, uint32_t warrant, uint32_t call);
size_t scene_records(const struct scene *s, enum record_kind kind, uint32_t warrant, uint32_t call);
size_t scene_steps(const struct scene *s, enum step_kind kind, uint32_t call);
/* The last word on a place "10.0.0.1:4000"; NULL: it was never said. */
const struct place *scene_place(const struct scene *s, uint32_t call, const char *addr);
/* The last key given with this first octet and this mark; NULL: none. */
const struct key_given *scene_key(const struct scene *s, uint32_t call, uint8_t first, bool chosen);
/* The cover of a warrant as said last; NULL: none. */
const struct cover *scene_cover(const struct scene *s, uint32_t warrant, uint32_t call);
/* A message went out to this warrant whose text holds `part`. */
const struct heard *scene_sip(const struct scene *s, uint32_t warrant, const char *part);

/* Draws what call has to say into the scene. */
void scene_hear(struct scene *s);

#endif
