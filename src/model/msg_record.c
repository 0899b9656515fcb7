/*
 * msg_record: a record. Its lists are arrays in the reader's room, made once the whole message is known to be sound: how many of each
 * there are stands first, so that the room is asked for once and bounded by the message.
 */
#include "msg_parts.h"

/* The least octets of one item of each list. */
enum { LEAST_TEXT = 5, LEAST_MATCH = 12, LEAST_DIVERSION = 15, LEAST_KMS = 34, LEAST_TRIED = 15 };

static size_t all_tried(const struct call_facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->kms_count; i++)
		n += f->kms[i].tried_count;
	return n;
}

static void put_kms(struct buf *out, const struct call_kms *k)
{
	put_text(out, k->request);
	put_word(out, k->protocol);
	put_u32(out, k->line);
	put_nsec(out, k->wanted);
	put_nsec(out, k->at);
	put_text(out, k->outcome);
	put_u8(out, k->mismatch);
	put_u32(out, (uint32_t)k->tried_count);
	for (size_t i = 0; i < k->tried_count; i++) {
		put_word(out, k->tried[i].kms);
		put_word(out, k->tried[i].by);
		put_word(out, k->tried[i].outcome);
	}
}

static void put_lists(struct buf *out, const struct call_facts *f)
{
	for (size_t i = 0; i < f->call_id_count; i++)
		put_word(out, f->call_ids[i]);
	for (size_t i = 0; i < f->match_count; i++) {
		put_u32(out, f->matches[i].target);
		put_u8(out, f->matches[i].header);
		put_u8(out, f->matches[i].side);
		put_u8(out, f->matches[i].verified);
		put_word(out, f->matches[i].value);
	}
	for (size_t i = 0; i < f->diversion_count; i++) {
		put_word(out, f->diversions[i].service);
		put_u16(out, f->diversions[i].cause);
		put_text(out, f->diversions[i].by);
		put_text(out, f->diversions[i].to);
	}
	for (size_t i = 0; i < f->kms_count; i++)
		put_kms(out, &f->kms[i]);
}

static void put_facts(struct buf *out, const struct call_facts *f)
{
	put_nsec(out, f->started);
	put_nsec(out, f->answered);
	put_nsec(out, f->ended);
	put_u8(out, f->outcome);
	put_text(out, f->caller);
	put_text(out, f->callee);
	put_u8(out, f->target);
	put_u8(out, f->keep_keys);
	put_u64(out, f->kms_left_out);
	put_u32(out, (uint32_t)f->call_id_count);
	put_u32(out, (uint32_t)f->match_count);
	put_u32(out, (uint32_t)f->diversion_count);
	put_u32(out, (uint32_t)f->kms_count);
	put_u32(out, (uint32_t)all_tried(f));
	put_lists(out, f);
}

/* Where the lists of one record lie. */
struct lists {
	const char **call_ids;
	struct call_match *matches;
	struct call_diversion *diversions;
	struct call_kms *kms;
	struct call_kms_tried *tried;
	size_t tried_left;
};

/* All of them in one piece of memory: each begins where any of them may. */
static bool lists_room(struct msg_room *room, const struct call_facts *f, size_t tried, struct lists *out)
{
	const size_t align = _Alignof(max_align_t);
	const size_t sizes[] = {
		f->call_id_count * sizeof(*out->call_ids),
		f->match_count * sizeof(*out->matches),
		f->diversion_count * sizeof(*out->diversions),
		f->kms_count * sizeof(*out->kms),
		tried * sizeof(*out->tried),
	};
	size_t at[5], len = 0;
	uint8_t *octets;

	for (size_t i = 0; i < 5; i++) {
		at[i] = len;
		len += (sizes[i] + align - 1) / align * align;
	}
	buf_reset(&room->octets);
	octets = buf_room(&room->octets, len + 1);
	if (octets == NULL)
		return false;
	*out = (struct lists){ (void *)(octets + at[0]), (void *)(octets + at[1]), (void *)(octets + at[2]),
		(void *)(octets + at[3]), (void *)(octets + at[4]), tried };
	return true;
}

static void get_match(struct octets *in, struct call_match *m)
{
	*m = (struct call_match){ .target = get_u32(in) };
	m->header = (enum sip_header)get_among(in, 0, SIP_HEADERS);
	m->side = (enum hit_side)get_among(in, 0, HIT_DIVERTING + 1);
	m->verified = get_bool(in);
	m->value = get_word(in);
}

static void get_diversion(struct octets *in, struct call_diversion *d)
{
	*d = (struct call_diversion){ .service = get_word(in) };
	d->cause = get_u16(in);
	d->by = get_text(in);
	d->to = get_text(in);
}

static void get_kms(struct octets *in, struct call_kms *k, struct lists *l)
{
	*k = (struct call_kms){ .request = get_text(in) };
	k->protocol = get_word(in);
	k->line = get_u32(in);
	k->wanted = get_nsec(in);
	k->at = get_nsec(in);
	k->outcome = get_text(in);
	k->mismatch = get_bool(in);
	k->tried = l->tried;
	k->tried_count = get_count(in, l->tried_left, LEAST_TRIED);
	for (size_t i = 0; i < k->tried_count; i++) {
		struct call_kms_tried *t = l->tried++;

		*t = (struct call_kms_tried){ .kms = get_word(in) };
		t->by = get_word(in);
		t->outcome = get_word(in);
	}
	l->tried_left -= k->tried_count;
}

static void get_lists(struct octets *in, struct call_facts *f, struct lists *l)
{
	f->call_ids = l->call_ids;
	f->matches = l->matches;
	f->diversions = l->diversions;
	f->kms = l->kms;
	for (size_t i = 0; i < f->call_id_count; i++)
		l->call_ids[i] = get_word(in);
	for (size_t i = 0; i < f->match_count; i++)
		get_match(in, &l->matches[i]);
	for (size_t i = 0; i < f->diversion_count; i++)
		get_diversion(in, &l->diversions[i]);
	for (size_t i = 0; i < f->kms_count; i++)
		get_kms(in, &l->kms[i], l);
}

static void get_facts(struct octets *in, struct call_facts *f, struct msg_room *room)
{
	struct lists lists;
	size_t tried;

	f->started = get_nsec(in);
	f->answered = get_nsec(in);
	f->ended = get_nsec(in);
	f->outcome = (enum call_outcome)get_among(in, 0, CALL_UNANSWERED + 1);
	f->caller = get_text(in);
	f->callee = get_text(in);
	f->target = (enum toward)get_among(in, 0, TOWARD_CALLEE + 1);
	f->keep_keys = get_bool(in);
	f->kms_left_out = get_u64(in);
	f->call_id_count = get_count(in, SIZE_MAX, LEAST_TEXT);
	f->match_count = get_count(in, SIZE_MAX, LEAST_MATCH);
	f->diversion_count = get_count(in, SIZE_MAX, LEAST_DIVERSION);
	f->kms_count = get_count(in, SIZE_MAX, LEAST_KMS);
	tried = get_count(in, SIZE_MAX, LEAST_TRIED);
	if (in->bad || !lists_room(room, f, tried, &lists)) {
		in->bad = true;
		return;
	}
	get_lists(in, f, &lists);
	in->bad = in->bad || lists.tried_left != 0;
}

static void put_event(struct buf *out, const struct event_facts *e)
{
	put_word(out, e->method);
	put_u16(out, e->status);
	put_text(out, e->from);
	put_text(out, e->to);
}

static void get_event(struct octets *in, struct event_facts *e)
{
	e->method = get_word(in);
	e->status = get_u16(in);
	e->from = get_text(in);
	e->to = get_text(in);
}

bool msg_put_record(struct buf *out, const struct record *r)
{
	size_t from = out->len;
	bool sip = r->kind == RECORD_SIP || r->kind == RECORD_EVENT || r->kind == RECORD_BEFORE, ok = true;

	put_u8(out, r->kind);
	put_u32(out, r->warrant);
	put_u32(out, r->call);
	put_nsec(out, r->at);
	if (sip)
		ok = r->sip != NULL && put_datagram(out, r->sip);
	if (r->kind == RECORD_EVENT)
		put_event(out, &r->event);
	else if (r->kind == RECORD_CALL)
		put_facts(out, &r->facts);
	else if (r->kind == RECORD_MEDIA)
		ok = put_media(out, &r->media);
	else
		ok = ok && sip;
	return put_end(out, from, ok);
}

bool msg_get_record(struct bytes in, struct record *r, struct datagram *sip, struct msg_room *room)
{
	struct octets o = octets_of(in);

	memset(r, 0, sizeof(*r));
	r->kind = (enum record_kind)get_among(&o, 0, RECORD_BEFORE + 1);
	r->warrant = get_u32(&o);
	r->call = get_u32(&o);
	r->at = get_nsec(&o);
	if (r->kind == RECORD_SIP || r->kind == RECORD_EVENT || r->kind == RECORD_BEFORE) {
		get_datagram(&o, sip);
		r->sip = sip;
	}
	if (r->kind == RECORD_EVENT)
		get_event(&o, &r->event);
	else if (r->kind == RECORD_CALL)
		get_facts(&o, &r->facts, room);
	else if (r->kind == RECORD_MEDIA)
		get_media(&o, &r->media);
	return get_end(&o);
}
