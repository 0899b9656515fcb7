/* msg_again: one small function for each kind of body. */
#include "msg_again.h"

#include <stdlib.h>

/* What could be read can be written. */
static bool must(bool written)
{
	if (!written)
		abort();
	return true;
}

static bool peer(struct bytes in, struct buf *out)
{
	struct msg_peer p;

	return msg_get_peer(in, &p) && must(msg_put_peer(out, &p));
}

static bool time_at(struct bytes in, struct buf *out)
{
	nsec_t at;

	return msg_get_time(in, &at) && must(msg_put_time(out, at));
}

static bool call(struct bytes in, struct buf *out)
{
	uint32_t c;

	return msg_get_call(in, &c) && must(msg_put_call(out, c));
}

static bool lease(struct bytes in, struct buf *out)
{
	struct msg_lease l;

	return msg_get_lease(in, &l) && must(msg_put_lease(out, &l));
}

static bool warrant(struct bytes in, struct buf *out)
{
	struct warrant w;

	if (!msg_get_warrant(in, &w))
		return false;
	must(msg_put_warrant(out, &w, true, true, true));
	warrant_clear(&w);
	return true;
}

static bool agreement(struct bytes in, struct buf *out)
{
	struct kms_agreement a;

	if (!msg_get_agreement(in, &a))
		return false;
	must(msg_put_agreement(out, &a));
	kms_agreement_clear(&a);
	return true;
}

static bool datagram(struct bytes in, struct buf *out)
{
	struct datagram d;

	return msg_get_datagram(in, &d) && must(msg_put_datagram(out, &d));
}

static bool step(struct bytes in, struct buf *out)
{
	struct step s;

	return msg_get_step(in, &s) && must(msg_put_step(out, &s));
}

static bool esp(struct bytes in, struct buf *out)
{
	struct addr dst;
	uint32_t spi;
	uint8_t icv;

	return msg_get_esp(in, &dst, &spi, &icv) && must(msg_put_esp(out, &dst, spi, icv));
}

static bool record(struct bytes in, struct buf *out)
{
	struct msg_room room = { 0 };
	struct datagram sip;
	struct record r;
	bool ok = msg_get_record(in, &r, &sip, &room) && must(msg_put_record(out, &r));

	msg_room_clear(&room);
	return ok;
}

static bool gap(struct bytes in, struct buf *out)
{
	struct gap g;

	return msg_get_gap(in, &g) && must(msg_put_gap(out, &g));
}

static bool held(struct bytes in, struct buf *out)
{
	struct msg_held h;

	return msg_get_held(in, &h) && must(msg_put_held(out, &h));
}

static bool key_wanted(struct bytes in, struct buf *out)
{
	struct key_wanted w;

	return msg_get_key_wanted(in, &w) && must(msg_put_key_wanted(out, &w));
}

static bool key_answer(struct bytes in, struct buf *out)
{
	struct key_answer a;

	return msg_get_key_answer(in, &a) && must(msg_put_key_answer(out, &a));
}

static bool checkpoint(struct bytes in, struct buf *out)
{
	struct msg_checkpoint c;

	return msg_get_checkpoint(in, &c) && must(msg_put_checkpoint(out, &c));
}

static bool audit(struct bytes in, struct buf *out)
{
	struct msg_audit a;

	return msg_get_audit(in, &a) && must(msg_put_audit(out, &a));
}

static bool audited(struct bytes in, struct buf *out)
{
	uint64_t number;
	bool written;

	return msg_get_audited(in, &number, &written) && must(msg_put_audited(out, number, written));
}

static bool count(struct bytes in, struct buf *out)
{
	struct msg_count c;

	return msg_get_count(in, &c) && must(msg_put_count(out, &c));
}

static bool active(struct bytes in, struct buf *out)
{
	struct msg_active a;

	return msg_get_active(in, &a) && must(msg_put_active(out, &a));
}

static bool alarm_of(struct bytes in, struct buf *out)
{
	struct msg_alarm a;

	return msg_get_alarm(in, &a) && must(msg_put_alarm(out, &a));
}

static bool (*const kinds[MSG_TYPES])(struct bytes in, struct buf *out) = {
	[MSG_ALIVE] = time_at,
	[MSG_PEER_UP] = peer,
	[MSG_WARRANT] = warrant,
	[MSG_AGREEMENT] = agreement,
	[MSG_TABLE_END] = lease,
	[MSG_LEASE] = lease,
	[MSG_SIGNAL] = datagram,
	[MSG_MARK] = time_at,
	[MSG_STEP] = step,
	[MSG_ESP] = esp,
	[MSG_FORWARD] = datagram,
	[MSG_RECORD] = record,
	[MSG_GAP] = gap,
	[MSG_HELD] = held,
	[MSG_HELD_WANTED] = call,
	[MSG_HELD_BACK] = held,
	[MSG_HELD_END] = call,
	[MSG_KEY_WANTED] = key_wanted,
	[MSG_KEY] = key_answer,
	[MSG_CALL_OVER] = call,
	[MSG_CHECKPOINT] = checkpoint,
	[MSG_CHECKPOINT_DROP] = checkpoint,
	[MSG_RESUMED] = checkpoint,
	[MSG_AUDIT] = audit,
	[MSG_AUDITED] = audited,
	[MSG_COUNTS] = count,
	[MSG_ACTIVE] = active,
	[MSG_ALARM] = alarm_of,
};

bool msg_again(enum msg_type type, struct bytes in, struct buf *out)
{
	buf_reset(out);
	if ((unsigned)type >= MSG_TYPES || kinds[type] == NULL)
		return in.len == 0;
	return kinds[type](in, out);
}
