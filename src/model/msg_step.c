/* msg_step: what fronts are told of a call's media: who takes it, its places, its keys, its end. */
#include "msg_octets.h"

#include "msg_parts.h"

static void put_cover(struct buf *out, const struct step *s)
{
	put_u32(out, (uint32_t)s->cover_count);
	for (size_t i = 0; i < s->cover_count; i++) {
		put_u32(out, s->covers[i].warrant);
		put_nsec(out, s->covers[i].from);
		put_nsec(out, s->covers[i].until);
	}
}

static void get_cover(struct octets *in, struct step *s)
{
	s->cover_count = get_count(in, COVERS_MAX, 20);
	for (size_t i = 0; i < s->cover_count; i++) {
		s->covers[i].warrant = get_u32(in);
		s->covers[i].from = get_nsec(in);
		s->covers[i].until = get_nsec(in);
	}
}

static void put_format(struct buf *out, const struct media_format *f)
{
	put_u8(out, f->pt);
	put_text(out, f->name);
	put_u32(out, f->clock);
	put_u8(out, f->channels);
	put_text(out, f->fmtp);
}

static void get_format(struct octets *in, struct media_format *f)
{
	f->pt = get_u8(in);
	get_chars(in, f->name, sizeof(f->name));
	f->clock = get_u32(in);
	f->channels = get_u8(in);
	get_chars(in, f->fmtp, sizeof(f->fmtp));
}

/* The truths of a place: each in an octet, in this order. */
static const size_t place_truths[] = {
	offsetof(struct place, rtcp_mux),
	offsetof(struct place, answered),
	offsetof(struct place, secure),
	offsetof(struct place, dtls),
	offsetof(struct place, zrtp),
	offsetof(struct place, mikey),
	offsetof(struct place, unsupported),
	offsetof(struct place, waiting),
};
#define PLACE_TRUTHS (sizeof(place_truths) / sizeof(place_truths[0]))

static bool *truth_of(struct place *p, size_t i)
{
	return (bool *)(void *)((char *)p + place_truths[i]);
}

static void put_place(struct buf *out, const struct place *p)
{
	struct place copy = *p;

	put_u32(out, p->call);
	put_u32(out, p->line);
	put_u8(out, p->toward);
	put_addr(out, &p->rtp);
	put_addr(out, &p->rtcp);
	for (size_t i = 0; i < PLACE_TRUTHS; i++)
		put_u8(out, *truth_of(&copy, i));
	put_text(out, p->kind);
	put_text(out, p->profile);
	put_u8(out, p->refusal);
	put_u32(out, p->format_count);
	for (size_t i = 0; i < p->format_count; i++)
		put_format(out, &p->formats[i]);
}

static void get_place(struct octets *in, struct place *p)
{
	p->call = get_u32(in);
	p->line = get_u32(in);
	p->toward = (enum toward)get_among(in, 0, TOWARD_CALLEE + 1);
	p->rtp = get_addr(in);
	p->rtcp = get_addr(in);
	for (size_t i = 0; i < PLACE_TRUTHS; i++)
		*truth_of(p, i) = get_bool(in);
	get_chars(in, p->kind, sizeof(p->kind));
	get_chars(in, p->profile, sizeof(p->profile));
	p->refusal = (enum seal_reason)get_among(in, 0, SEAL_REASONS);
	p->format_count = (uint8_t)get_count(in, MEDIA_FORMATS, 16);
	for (size_t i = 0; i < p->format_count; i++)
		get_format(in, &p->formats[i]);
}

bool msg_put_step(struct buf *out, const struct step *s)
{
	size_t from = out->len;
	bool ok = true;

	put_u8(out, s->kind);
	put_nsec(out, s->at);
	put_u32(out, s->call);
	if (s->kind == STEP_COVER)
		put_cover(out, s);
	else if (s->kind == STEP_PLACE)
		put_place(out, &s->place);
	else if (s->kind == STEP_KEY)
		put_given(out, &s->key);
	else
		ok = s->kind == STEP_CLOSE;
	return put_end(out, from, ok);
}

bool msg_get_step(struct bytes in, struct step *s)
{
	struct octets o = octets_of(in);

	memset(s, 0, sizeof(*s));
	s->kind = (enum step_kind)get_among(&o, STEP_COVER, STEP_CLOSE + 1);
	s->at = get_nsec(&o);
	s->call = get_u32(&o);
	if (s->kind == STEP_COVER)
		get_cover(&o, s);
	else if (s->kind == STEP_PLACE)
		get_place(&o, &s->place);
	else if (s->kind == STEP_KEY)
		get_given(&o, &s->key);
	return get_end(&o);
}
