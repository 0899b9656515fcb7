/*
 * front: frames are taken apart; signalling is made whole and given out, media of open calls is opened. One of several gives what
 * another one owns to that one.
 */
#include "otway/front.h"

#include <stdlib.h>

#include "otway/decap.h"
#include "otway/media.h"
#include "otway/recent.h"
#include "foreign.h"

#define RECENT_OCTETS ((size_t)1 << 20)
#define RECENT_SPAN   NSEC_PER_SEC
#define TICK          (NSEC_PER_SEC / 10) /* how often the stages are told the time */
#define SET_BACK      (60 * NSEC_PER_SEC) /* time that goes back so far is another time */
#define ESP_MAX       64                  /* associations that wait to be told to decap */

struct front {
	struct decap *decap;
	struct sip *sip;
	struct media *media;
	struct recent *recent;
	uint32_t fronts, own;
	struct datagram datagram;    /* the one in hand, which sip borrows */
	struct sip_esp esp[ESP_MAX]; /* of the network, not of a subscriber */
	size_t esp_count;
	struct foreign foreign; /* out of the ring of recent ones, that other fronts own */
	nsec_t now, told;       /* of the newest packet; what the stages were told last */
	bool plain;             /* the one in hand came by the short way, and is somebody's */
	bool sip_empty;         /* it is known to have nothing: most packets are nobody's, and need not ask it */
	bool media_empty;       /* likewise */
	bool held_asked;        /* media may want packets back that lie elsewhere */
	bool spill, tell_unclaimed;
};

struct front *front_new(const struct front_options *o)
{
	struct front *f = calloc(1, sizeof(*f));
	struct decap_options decap;

	if (f == NULL)
		return NULL;
	if (o->decap != NULL)
		decap = *o->decap;
	else
		decap_options_init(&decap);
	f->fronts = decap.fronts = o->fronts > 1 ? o->fronts : 0;
	f->own = decap.own = o->own;
	f->spill = o->spill;
	f->tell_unclaimed = o->tell_unclaimed;
	f->now = f->told = NSEC_NONE;
	f->decap = decap_new(&decap);
	f->sip = sip_new(NULL);
	f->media = media_new(&(struct media_options){
		.hold_octets = o->hold_octets, .hold_time = o->hold_time, .prints = o->prints, .spill = o->spill });
	f->recent = recent_new(o->recent_octets > 0 ? o->recent_octets : RECENT_OCTETS, RECENT_SPAN);
	if (f->decap == NULL || f->sip == NULL || f->media == NULL || f->recent == NULL ||
		!sip_ports(f->sip, o->sip_ports, o->sip_port_count)) {
		front_free(f);
		return NULL;
	}
	return f;
}

void front_free(struct front *f)
{
	if (f == NULL)
		return;
	foreign_clear(&f->foreign);
	recent_free(f->recent);
	media_free(f->media);
	sip_free(f->sip);
	decap_free(f->decap);
	free(f);
}

static void tell_time(struct front *f)
{
	f->told = f->now;
	f->sip_empty = false;
	f->held_asked = f->spill;
	sip_time(f->sip, f->now);
	f->media_empty = false;
	media_time(f->media, f->now);
}

/* The time of each packet: most are of the tick that the stages know of. */
static inline void note_time(struct front *f, nsec_t at)
{
	if (f->now == NSEC_NONE || at > f->now || at < f->now - SET_BACK)
		f->now = at;
	if (f->told != NSEC_NONE && f->now >= f->told && f->now - f->told < TICK)
		return;
	tell_time(f);
}

void front_time(struct front *f, nsec_t at)
{
	note_time(f, at);
}

static void take_media(struct front *f, const struct datagram *d)
{
	f->media_empty = false;
	media_take(f->media, d);
}

/* What no place wants, or one alone whose call is over, may get its description within a second. */
static void keep_or_take(struct front *f, const struct datagram *d, bool wanted)
{
	if (!wanted || media_wants_late(f->media, d))
		recent_keep(f->recent, d);
	if (wanted)
		take_media(f, d);
}

static void take_signalling(struct front *f, const struct datagram *d)
{
	f->sip_empty = false;
	sip_take(f->sip, d);
}

void front_forwarded(struct front *f, const struct datagram *in)
{
	if (in->payload.at == NULL) {
		decap_fragment(f->decap, in);
	} else if (in->proto != IP_PROTO_UDP) {
		f->datagram = *in;
		take_signalling(f, &f->datagram);
	} else {
		keep_or_take(f, in, media_wants(f->media, in));
	}
}

void front_back(struct front *f, uint32_t call, const struct datagram *in)
{
	f->media_empty = false;
	media_held(f->media, call, in);
	f->held_asked = true;
}

void front_back_end(struct front *f, uint32_t call)
{
	f->media_empty = false;
	media_held_end(f->media, call);
	f->held_asked = true;
}

static bool is_own(const struct front *f, const struct datagram *d)
{
	return f->fronts == 0 || decap_owner(d, f->fronts) == f->own;
}

void front_step(struct front *f, const struct step *s)
{
	const struct addr *places[2] = { &s->place.rtp, &s->place.rtcp };
	struct datagram d;

	f->media_empty = false;
	media_step(f->media, s);
	f->held_asked = f->spill;
	/* A new place may have packets that went by just now. One of a call that is over, which is said again, has none: they are of whoever
	 * has it next. */
	for (size_t i = 0; s->kind == STEP_PLACE && !media_closed(f->media, s->call) && i < 2; i++) {
		uint64_t step = 0;

		while (places[i]->family != 0 && recent_next(f->recent, places[i], s->at, &step, &d)) {
			if (is_own(f, &d))
				take_media(f, &d);
			else
				foreign_keep(&f->foreign, &d);
		}
	}
}

void front_esp(struct front *f, const struct sip_esp *e)
{
	if (f->esp_count < ESP_MAX)
		f->esp[f->esp_count++] = *e;
}

bool front_media(struct front *f, const struct media_packet **out, const struct cover **covers, size_t *count)
{
	f->media_empty = f->media_empty || !media_next(f->media, out, covers, count);
	return !f->media_empty;
}

static bool forward(struct front *f, struct front_out *out)
{
	*out = (struct front_out){ FRONT_FORWARD, .to = decap_owner(&f->datagram, f->fronts),
		.datagram = &f->datagram };
	return true;
}

/* Most that is not SIP is media, whose first octet is none of text: for that nothing is called. */
static inline bool may_be_sip(struct bytes payload)
{
	return payload.len > 0 && payload.at[0] < 0x80 && sip_is(payload);
}

/* A datagram is signalling, or media of a call that is open, or may become so within a second. False: nothing comes of it now. */
static bool take_datagram(struct front *f, struct front_out *out)
{
	const struct datagram *d = &f->datagram;
	bool signalling = d->proto != IP_PROTO_UDP || may_be_sip(d->payload), wanted;

	if (f->fronts > 0 && (d->payload.at == NULL || (d->proto != IP_PROTO_UDP && d->wrapped && !is_own(f, d))))
		return forward(f, out);
	if (signalling) {
		take_signalling(f, d);
		return true;
	}
	wanted = media_wants(f->media, d);
	if (wanted && !is_own(f, d))
		return forward(f, out);
	keep_or_take(f, d, wanted);
	if (wanted || !f->tell_unclaimed)
		return wanted;
	*out = (struct front_out){ FRONT_UNCLAIMED, .datagram = d };
	return true;
}

bool front_take(struct front *f, const struct frame *in)
{
	f->plain = decap_plain(f->decap, in, &f->datagram);
	if (!f->plain)
		decap_take(f->decap, in);
	note_time(f, in->at);
	if (!f->plain || f->tell_unclaimed || may_be_sip(f->datagram.payload) || media_wants(f->media, &f->datagram))
		return true;
	f->plain = false;
	recent_keep(f->recent, &f->datagram);
	return !f->sip_empty || !f->media_empty || f->held_asked || f->esp_count > 0 || foreign_any(&f->foreign);
}

static inline bool next_datagram(struct front *f)
{
	bool plain = f->plain;

	f->plain = false;
	return plain || decap_next(f->decap, &f->datagram);
}

/* What was said of ESP is told first: decap need not guess. */
static bool frames_move(struct front *f, struct front_out *out)
{
	while (f->esp_count > 0) {
		const struct sip_esp *e = &f->esp[--f->esp_count];

		decap_esp_null(f->decap, &e->dst, e->spi, e->icv);
	}
	while (next_datagram(f))
		if (take_datagram(f, out))
			return true;
	return false;
}

static bool tell_foreign(struct front *f, struct front_out *out)
{
	struct foreign *q = &f->foreign;
	const struct datagram *d;

	if (q->lost > 0) {
		*out = (struct front_out){ FRONT_LOST, .packets = q->lost, .from = q->lost_from,
			.until = q->lost_until };
		q->lost = 0;
		return true;
	}
	d = foreign_next(q);
	if (d != NULL)
		*out = (struct front_out){ FRONT_FORWARD, .to = decap_owner(d, f->fronts), .datagram = d };
	return d != NULL;
}

bool front_next(struct front *f, struct front_out *out)
{
	*out = (struct front_out){ FRONT_NOTHING };
	if (!f->sip_empty && sip_whole(f->sip, &out->datagram)) {
		out->kind = FRONT_SIGNAL;
		return true;
	}
	f->sip_empty = true;
	if (foreign_any(&f->foreign) && tell_foreign(f, out))
		return true;
	if (f->held_asked && media_held_wanted(f->media, &out->call)) {
		out->kind = FRONT_HELD_WANTED;
		return true;
	}
	f->held_asked = false;
	return frames_move(f, out);
}

bool front_state(struct front *f, struct buf *out)
{
	return media_state(f->media, out);
}

void front_resume(struct front *f, struct bytes state)
{
	f->media_empty = false;
	media_resume(f->media, state);
}

void front_end_signals(struct front *f)
{
	f->sip_empty = false;
	sip_end(f->sip);
}

void front_end(struct front *f)
{
	f->media_empty = false;
	media_end(f->media);
}

nsec_t front_settled(const struct front *f)
{
	nsec_t oldest = media_oldest(f->media);

	return oldest != NSEC_NONE && oldest < f->now ? oldest : f->now;
}

bool front_left(const struct front *f, size_t i, struct decap_left *out)
{
	return decap_left(f->decap, i, out);
}

size_t front_counts(const struct front *f, struct counter *out, size_t max)
{
	size_t n = decap_counts(f->decap, out, max);

	n += sip_counts(f->sip, out + n, max - n);
	return n + media_counts(f->media, out + n, max - n);
}

size_t front_counts_capture(const struct front *f, struct counter *out, size_t max)
{
	size_t n = decap_counts(f->decap, out, max);

	return n + sip_counts_capture(f->sip, out + n, max - n);
}
