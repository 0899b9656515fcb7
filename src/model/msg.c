/* msg: what kinds there are, and the small ones. */
#include "msg_octets.h"

const char *msg_type_text(enum msg_type t)
{
	static const char *const texts[MSG_TYPES] = {
		[MSG_START] = "start",
		[MSG_READY] = "ready",
		[MSG_PING] = "ping",
		[MSG_ALIVE] = "alive",
		[MSG_RELOAD] = "reload",
		[MSG_STOP] = "stop",
		[MSG_PEER_UP] = "peer-up",
		[MSG_RENEW] = "renew",
		[MSG_TABLE_BEGIN] = "table-begin",
		[MSG_WARRANT] = "warrant",
		[MSG_AGREEMENT] = "agreement",
		[MSG_TABLE_END] = "table-end",
		[MSG_LEASE] = "lease",
		[MSG_SIGNAL] = "signal",
		[MSG_MARK] = "mark",
		[MSG_STEP] = "step",
		[MSG_ESP] = "esp",
		[MSG_ANEW] = "anew",
		[MSG_ANEW_END] = "anew-end",
		[MSG_FORWARD] = "forward",
		[MSG_RECORD] = "record",
		[MSG_GAP] = "gap",
		[MSG_HELD] = "held",
		[MSG_HELD_WANTED] = "held-wanted",
		[MSG_HELD_BACK] = "held-back",
		[MSG_HELD_END] = "held-end",
		[MSG_KEY_WANTED] = "key-wanted",
		[MSG_KEY] = "key",
		[MSG_CALL_OVER] = "call-over",
		[MSG_CHECKPOINT] = "checkpoint",
		[MSG_CHECKPOINT_DROP] = "checkpoint-drop",
		[MSG_RESUME] = "resume",
		[MSG_RESUMED] = "resumed",
		[MSG_RESUME_END] = "resume-end",
		[MSG_AUDIT] = "audit",
		[MSG_AUDITED] = "audited",
		[MSG_COUNTS] = "counts",
		[MSG_ACTIVE] = "active",
		[MSG_ALARM] = "alarm",
	};

	return (unsigned int)t < MSG_TYPES ? texts[t] : NULL;
}

const char *role_text(enum role r)
{
	static const char *const texts[ROLES] = {
		[ROLE_SUPERVISE] = "supervise",
		[ROLE_CONTROL] = "control",
		[ROLE_INTERCEPT] = "intercept",
		[ROLE_KEYS] = "keys",
		[ROLE_DELIVERY] = "delivery",
	};

	return (unsigned int)r < ROLES ? texts[r] : NULL;
}

const char *alarm_text(enum alarm a)
{
	static const char *const texts[ALARMS] = {
		[ALARM_STORE] = "store",
		[ALARM_LEASE] = "lease",
		[ALARM_DISK] = "disk",
		[ALARM_INTERFACE] = "interface",
		[ALARM_DROPS] = "drops",
		[ALARM_KMS] = "kms",
		[ALARM_CLOCK] = "clock",
		[ALARM_ROLE] = "role",
		[ALARM_AUDIT] = "audit",
		[ALARM_CONFIG] = "config",
		[ALARM_ROOM] = "room",
	};

	return (unsigned int)a < ALARMS ? texts[a] : NULL;
}

void msg_room_clear(struct msg_room *r)
{
	buf_clear(&r->octets);
}

bool msg_put_peer(struct buf *out, const struct msg_peer *p)
{
	size_t from = out->len;

	put_u8(out, p->role);
	put_u32(out, p->index);
	put_nsec(out, p->down);
	return put_end(out, from, true);
}

bool msg_get_peer(struct bytes in, struct msg_peer *p)
{
	struct octets o = octets_of(in);

	p->role = (enum role)get_among(&o, 0, ROLES);
	p->index = get_u32(&o);
	p->down = get_nsec(&o);
	return get_end(&o);
}

bool msg_put_time(struct buf *out, nsec_t at)
{
	size_t from = out->len;

	put_nsec(out, at);
	return put_end(out, from, true);
}

bool msg_get_time(struct bytes in, nsec_t *at)
{
	struct octets o = octets_of(in);

	*at = get_nsec(&o);
	return get_end(&o);
}

bool msg_put_call(struct buf *out, uint32_t call)
{
	size_t from = out->len;

	put_u32(out, call);
	return put_end(out, from, true);
}

bool msg_get_call(struct bytes in, uint32_t *call)
{
	struct octets o = octets_of(in);

	*call = get_u32(&o);
	return get_end(&o);
}

bool msg_put_lease(struct buf *out, const struct msg_lease *l)
{
	size_t from = out->len;

	put_nsec(out, l->seen);
	put_nsec(out, l->until);
	return put_end(out, from, true);
}

bool msg_get_lease(struct bytes in, struct msg_lease *l)
{
	struct octets o = octets_of(in);

	l->seen = get_nsec(&o);
	l->until = get_nsec(&o);
	return get_end(&o);
}

bool msg_put_esp(struct buf *out, const struct addr *dst, uint32_t spi, uint8_t icv)
{
	size_t from = out->len;

	put_addr(out, dst);
	put_u32(out, spi);
	put_u8(out, icv);
	return put_end(out, from, true);
}

bool msg_get_esp(struct bytes in, struct addr *dst, uint32_t *spi, uint8_t *icv)
{
	struct octets o = octets_of(in);

	*dst = get_addr(&o);
	*spi = get_u32(&o);
	*icv = get_u8(&o);
	return get_end(&o);
}

bool msg_put_checkpoint(struct buf *out, const struct msg_checkpoint *c)
{
	size_t from = out->len;

	put_u64(out, c->number);
	buf_add(out, c->sealed.at, c->sealed.len);
	return put_end(out, from, true);
}

bool msg_get_checkpoint(struct bytes in, struct msg_checkpoint *c)
{
	struct octets o = octets_of(in);

	c->number = get_u64(&o);
	c->sealed.len = o.left;
	c->sealed.at = get_octets(&o, o.left);
	return get_end(&o);
}
