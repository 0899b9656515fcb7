/* mikey_policy: the Ticket Policy, read and written (RFC 6043 6.10). */
#include "mikey_make.h"

static bool read_time(const struct mikey_payload *p, struct mikey_policy *out)
{
	nsec_t at = mikey_time_of(p);

	if (p->time.role == MIKEY_TR_START)
		out->start = at;
	else if (p->time.role == MIKEY_TR_END)
		out->end = at;
	else if (p->time.role == MIKEY_TR_REKEY && p->time.value.len >= 4)
		out->rekey = be32(p->time.value.at);
	return p->time.role == MIKEY_TR_REKEY || at != NSEC_NONE; /* a counter bounds nothing */
}

/* False: more names than there is room for: then nobody may be let in by those that are known. */
static bool read_name(const struct mikey_payload *p, struct mikey_policy *out)
{
	struct mikey_name name = { p->id.kind, p->id.data };

	if (p->id.role == MIKEY_ID_KMS && out->kms.data.len == 0) {
		out->kms = name;
	} else if (p->id.role == MIKEY_ID_INITIATOR && out->initiator.data.len == 0) {
		out->initiator = name;
	} else if (p->id.role == MIKEY_ID_RESPONDER) {
		if (out->responder_count == MIKEY_NAMES)
			return false;
		out->responders[out->responder_count++] = name;
	} else if (p->id.role == MIKEY_ID_APP) {
		if (out->app_count == MIKEY_NAMES)
			return false;
		out->apps[out->app_count++] = name;
	}
	return true;
}

static bool read_inside(
	const struct mikey_payload *p, struct mikey_policy *out, struct mikey_keys *wanted, struct err *err)
{
	if (p->type == MIKEY_TR && !read_time(p, out))
		return err_set(err, "ticket policy: a validity period that is no time") == 0;
	if (p->type == MIKEY_IDR && !read_name(p, out))
		return err_set(err, "ticket policy: more than %d responders or applications", MIKEY_NAMES) == 0;
	if (p->type != MIKEY_KEMAC || wanted == NULL)
		return true;
	if (p->kemac.encr != MIKEY_ENCR_NULL)
		return err_set(err, "ticket policy: a KEMAC that is encrypted") == 0;
	return mikey_keys_read(p->kemac.data, wanted, err);
}

bool mikey_policy_read(
	const struct mikey_payload *p, struct mikey_policy *out, struct mikey_keys *wanted, struct err *err)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	long count = mikey_inside(p->ticket.policy, MIKEY_LAST, inside, err);

	*out = (struct mikey_policy){
		.type = p->ticket.type,
		.subtype = p->ticket.subtype,
		.version = p->ticket.version,
		.prf = p->ticket.prf,
		.flags = p->ticket.flags,
		.start = NSEC_NONE,
		.end = NSEC_NONE,
	};
	if (wanted != NULL)
		memset(wanted, 0, sizeof(*wanted));
	for (long i = 0; i < count; i++)
		if (!read_inside(&inside[i], out, wanted, err))
			return false;
	return count >= 0;
}

/* A payload TR of kind NTP-UTC-32, as is meant for validity periods. */
static struct mikey_payload time_payload(enum mikey_time_role role, uint32_t seconds, uint8_t at[4])
{
	put_be32(at, seconds);
	return (struct mikey_payload){ .type = MIKEY_TR,
		.time = { .role = (uint8_t)role, .kind = MIKEY_NTP_UTC_32, .value = { at, 4 } } };
}

static uint32_t ntp_seconds(nsec_t at)
{
	uint8_t at8[8];

	mikey_time_put(at, at8);
	return be32(at8);
}

bool mikey_policy_write(const struct mikey_policy *p, const struct mikey_keys *wanted, struct buf *out)
{
	struct mikey_payload inside[2 * MIKEY_NAMES + 6];
	struct buf templates = { 0 };
	uint8_t times[3][4];
	size_t n = 0;
	bool done = true;

	if (p->kms.data.len > 0)
		inside[n++] = mikey_make_id(MIKEY_ID_KMS, &p->kms);
	if (p->initiator.data.len > 0)
		inside[n++] = mikey_make_id(MIKEY_ID_INITIATOR, &p->initiator);
	if (p->start != NSEC_NONE)
		inside[n++] = time_payload(MIKEY_TR_START, ntp_seconds(p->start), times[0]);
	if (p->end != NSEC_NONE)
		inside[n++] = time_payload(MIKEY_TR_END, ntp_seconds(p->end), times[1]);
	if (p->rekey != 0)
		inside[n++] = time_payload(MIKEY_TR_REKEY, p->rekey, times[2]);
	if (wanted != NULL && wanted->count > 0) {
		done = mikey_keys_write(wanted, &templates);
		inside[n++] = (struct mikey_payload){ .type = MIKEY_KEMAC, .kemac = { .data = buf_bytes(&templates) } };
	}
	for (size_t i = 0; i < p->app_count; i++)
		inside[n++] = mikey_make_id(MIKEY_ID_APP, &p->apps[i]);
	for (size_t i = 0; i < p->responder_count; i++)
		inside[n++] = mikey_make_id(MIKEY_ID_RESPONDER, &p->responders[i]);
	done = done && mikey_encode_inside(inside, n, true, out);
	buf_clear(&templates);
	return done;
}

bool mikey_policy_valid(const struct mikey_policy *p, nsec_t at)
{
	return (p->start == NSEC_NONE || at >= p->start) && (p->end == NSEC_NONE || at < p->end);
}
