/*
 * intercept_calls: calls that are played at the cable of an intercept_scene, and what the role makes of them. Alice (192.0.2.1) calls Bob
 * (192.0.2.2), who is the target of warrant 9.
 */
#ifndef OTWAY_TESTS_INTERCEPT_CALLS_H
#define OTWAY_TESTS_INTERCEPT_CALLS_H

#include "intercept_scene.h"

#define WARRANT 9

struct phone_call {
	const char *id;      /* its Call-ID */
	uint16_t alice, bob; /* ports of media */
	bool keyed;          /* its keys are a KMS's */
	unsigned more;       /* lines of media beside the first, at the next ports */
	unsigned said;       /* messages, so far */
};

/* As control says it: a lease of an hour, and the warrant. */
void say_table(struct intercept_scene *s);

/* Ports for Bob, from that number on, at which media from this port of Alice belongs to that intercept of two. */
uint16_t port_owned(uint16_t alice, uint16_t from, uint32_t owner);

void phone_invite(struct intercept_scene *s, struct phone_call *c);
void phone_answer(struct intercept_scene *s, struct phone_call *c);
void phone_set_up(struct intercept_scene *s, struct phone_call *c);              /* both */
void phone_info(struct intercept_scene *s, struct phone_call *c, size_t octets); /* with a body of so many */
void phone_hang_up(struct intercept_scene *s, struct phone_call *c);
/* The INVITE of it, as a front tells it. */
void phone_signal(struct intercept_scene *s, struct phone_call *c, nsec_t at);

/* An RTP packet (of PCMU) from Alice to Bob, in an IP packet of `size` octets. */
void phone_voice(struct intercept_scene *s, const struct phone_call *c, uint32_t ssrc, uint16_t seq, size_t size);

/* A step about media, as intercept 0 says it: who takes a call, where Bob receives, and that it is over. */
void step_cover(struct intercept_scene *s, enum seat from, uint32_t call);
void step_place(struct intercept_scene *s, enum seat from, uint32_t call, const struct phone_call *c, bool waiting);
void step_close(struct intercept_scene *s, enum seat from, uint32_t call);

/* The next record for delivery of a SIP message, of an RTP packet. False: none came in that time. */
struct heard_sip {
	uint32_t call, warrant;
	nsec_t at;
	char start[24];
};
bool heard_sip(struct intercept_scene *s, nsec_t span, struct heard_sip *out);
struct heard_voice {
	uint32_t call, warrant, ssrc;
	uint16_t seq;
};
bool heard_voice(struct intercept_scene *s, nsec_t span, struct heard_voice *out);
/* The next step that another intercept is told. */
bool heard_step(struct intercept_scene *s, enum seat at, nsec_t span, struct step *out);

/* What keys were given: whole messages, in their order. */
struct kept {
	struct buf bodies[16];
	size_t count;
};
void kept_forget(struct kept *k);
/* As keys answers one that follows; and none of it is left. */
void give_back(struct intercept_scene *s, struct kept *k);
/* A first one that has died in call 1, all of which it had told, and left in k. Returns when the call began. */
nsec_t died_in_a_call(struct intercept_scene *s, uint32_t fronts, struct kept *k);

/* So many messages were refused so far. */
void refused(struct intercept_scene *s, uint64_t count);

#endif
