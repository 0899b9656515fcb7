/* msg_report: what roles tell of themselves: acts, counts, alarms, gaps. */
#include "msg_octets.h"

#include "otway/base/text.h"

bool msg_put_gap(struct buf *out, const struct gap *g)
{
	size_t from = out->len;

	put_nsec(out, g->from);
	put_nsec(out, g->until);
	put_u8(out, g->reason);
	put_text(out, g->where);
	put_u64(out, g->packets);
	return put_end(out, from, true);
}

bool msg_get_gap(struct bytes in, struct gap *g)
{
	struct octets o = octets_of(in);

	*g = (struct gap){ .from = get_nsec(&o) };
	g->until = get_nsec(&o);
	g->reason = (enum gap_reason)get_among(&o, 0, GAP_REASONS);
	get_chars(&o, g->where, sizeof(g->where));
	g->packets = get_u64(&o);
	return get_end(&o);
}

bool msg_put_audit(struct buf *out, const struct msg_audit *a)
{
	size_t from = out->len;

	put_u64(out, a->number);
	put_text(out, a->act);
	put_text(out, a->subject);
	put_text(out, a->detail);
	return put_end(out, from, true);
}

bool msg_get_audit(struct bytes in, struct msg_audit *a)
{
	struct octets o = octets_of(in);

	a->number = get_u64(&o);
	a->act = get_word(&o);
	a->subject = get_text(&o);
	a->detail = get_text(&o);
	return get_end(&o);
}

bool msg_put_audited(struct buf *out, uint64_t number, bool written)
{
	size_t from = out->len;

	put_u64(out, number);
	put_u8(out, written);
	return put_end(out, from, true);
}

bool msg_get_audited(struct bytes in, uint64_t *number, bool *written)
{
	struct octets o = octets_of(in);

	*number = get_u64(&o);
	*written = get_bool(&o);
	return get_end(&o);
}

static bool is_name(const char *s)
{
	const char *c = s;

	while (*c == '_' || text_digit((uint8_t)*c) || (*c >= 'a' && *c <= 'z'))
		c++;
	return *s != '\0' && *c == '\0';
}

bool msg_put_count(struct buf *out, const struct msg_count *c)
{
	size_t from = out->len;

	put_word(out, c->name);
	put_word(out, c->of);
	put_u64(out, c->value);
	put_u8(out, c->gauge);
	return put_end(out, from, c->name != NULL && is_name(c->name));
}

bool msg_get_count(struct bytes in, struct msg_count *c)
{
	struct octets o = octets_of(in);

	c->name = get_word(&o);
	c->of = get_word(&o);
	c->value = get_u64(&o);
	c->gauge = get_bool(&o);
	return get_end(&o) && is_name(c->name);
}

bool msg_put_active(struct buf *out, const struct msg_active *a)
{
	size_t from = out->len;

	put_u32(out, a->warrant);
	put_u32(out, a->calls);
	return put_end(out, from, true);
}

bool msg_get_active(struct bytes in, struct msg_active *a)
{
	struct octets o = octets_of(in);

	a->warrant = get_u32(&o);
	a->calls = get_u32(&o);
	return get_end(&o);
}

bool msg_put_alarm(struct buf *out, const struct msg_alarm *a)
{
	size_t from = out->len;

	put_u8(out, a->alarm);
	put_u8(out, a->on);
	put_text(out, a->of);
	put_word(out, a->text);
	return put_end(out, from, true);
}

bool msg_get_alarm(struct bytes in, struct msg_alarm *a)
{
	struct octets o = octets_of(in);

	a->alarm = (enum alarm)get_among(&o, 0, ALARMS);
	a->on = get_bool(&o);
	get_chars(&o, a->of, sizeof(a->of));
	a->text = get_word(&o);
	return get_end(&o);
}
