/* otway_rees: messages taken apart and put together. */
#include "otway/otway_rees.h"

#include "otway/base/text.h"

enum field {
	FIELD_A = 0x01,
	FIELD_B,
	FIELD_R,
	FIELD_KMS,
	FIELD_POLICY,
	FIELD_PRIOR,
	FIELD_CALL_ID,
	FIELD_NR,
	FIELD_ENVELOPE_A = 0x10,
	FIELD_ENVELOPE_R,
	FIELD_ERROR,
	FIELD_FREE = 0x80 /* from here on what is not known is passed over */
};

#define HEAD     (4 + OR_NONCE)
#define BIT(f)   (UINT32_C(1) << (f))
#define PARTIES  (BIT(FIELD_A) | BIT(FIELD_B))
#define MAY_HAVE (BIT(FIELD_KMS) | BIT(FIELD_PRIOR))
#define ANSWERED (PARTIES | BIT(FIELD_R) | BIT(FIELD_POLICY) | BIT(FIELD_ENVELOPE_A))

/* What each type of message must have; all but the error may have MAY_HAVE besides, and nothing else. */
static const uint32_t required[] = {
	[OR_OFFER] = PARTIES | BIT(FIELD_POLICY) | BIT(FIELD_ENVELOPE_A),
	[OR_REQUEST] = ANSWERED | BIT(FIELD_CALL_ID) | BIT(FIELD_ENVELOPE_R),
	[OR_RESPONSE] = ANSWERED | BIT(FIELD_NR) | BIT(FIELD_ENVELOPE_R),
	[OR_ANSWER] = ANSWERED | BIT(FIELD_NR),
	[OR_ERROR] = BIT(FIELD_ERROR),
};

static const enum srtp_suite suites[] = { SUITE_UNSUPPORTED, AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32,
	AES_256_CM_HMAC_SHA1_80, AES_256_CM_HMAC_SHA1_32, AEAD_AES_128_GCM, AEAD_AES_256_GCM };

static enum srtp_suite suite_of(uint8_t number)
{
	return number < sizeof(suites) / sizeof(suites[0]) ? suites[number] : SUITE_UNSUPPORTED;
}

/* A URI in UTF-8: nothing that is no text. */
static bool identity_fits(struct bytes id)
{
	size_t at = 0, step;

	if (id.len == 0 || id.len > OR_ID_MAX)
		return false;
	while (at < id.len) {
		step = text_utf8(id, at);
		if (step == 0 || id.at[at] <= ' ' || id.at[at] == 0x7f)
			return false;
		at += step;
	}
	return true;
}

/* Where the value of a field goes; NULL: it is a number or a list. */
static struct bytes *place_of(struct or_message *m, unsigned field)
{
	switch (field) {
	case FIELD_A:
		return &m->a;
	case FIELD_B:
		return &m->b;
	case FIELD_R:
		return &m->r;
	case FIELD_KMS:
		return &m->kms;
	case FIELD_PRIOR:
		return &m->prior;
	case FIELD_CALL_ID:
		return &m->call_id;
	case FIELD_NR:
		return &m->nr;
	case FIELD_ENVELOPE_A:
		return &m->envelope_a;
	case FIELD_ENVELOPE_R:
		return &m->envelope_r;
	default:
		return NULL;
	}
}

/* The length that a field may have. */
static bool value_fits(unsigned field, struct bytes value)
{
	switch (field) {
	case FIELD_A:
	case FIELD_B:
	case FIELD_R:
	case FIELD_KMS:
		return identity_fits(value);
	case FIELD_PRIOR:
	case FIELD_NR:
		return value.len == OR_NONCE;
	case FIELD_ERROR:
		return value.len == 1;
	default:
		return value.len > 0;
	}
}

static bool read_policy(struct bytes value, struct or_message *out)
{
	size_t at = 0;

	while (at < value.len) {
		struct or_session *s = &out->sessions[out->session_count];
		uint8_t before = out->session_count > 0 ? s[-1].cs : 0;

		if (out->session_count == OR_SESSIONS || value.len - at < 3 || value.at[at] <= before ||
			value.at[at + 2] > MKI_MAX || value.at[at + 2] > value.len - at - 3)
			return false;
		*s = (struct or_session){ value.at[at], suite_of(value.at[at + 1]), value.at[at + 1], value.at[at + 2],
			{ 0 } };
		memcpy(s->mki, value.at + at + 3, s->mki_len);
		at += 3 + (size_t)s->mki_len;
		out->session_count++;
	}
	return true;
}

static bool take_value(struct or_message *out, unsigned field, struct bytes value)
{
	if (!value_fits(field, value))
		return false;
	if (field == FIELD_POLICY)
		return read_policy(value, out);
	if (field == FIELD_ERROR)
		out->error = value.at[0];
	else
		*place_of(out, field) = value;
	return true;
}

/* KMS, policy and prior M lie behind each other: one view over those that are there. */
static void widen_policy(struct or_message *out, unsigned field, struct bytes whole)
{
	if (field < FIELD_KMS || field > FIELD_PRIOR)
		return;
	if (out->policy_octets.len == 0)
		out->policy_octets.at = whole.at;
	out->policy_octets.len += whole.len;
}

/* One field at *at; *before is the type of the last. */
static int read_field(
	struct bytes in, size_t *at, unsigned *before, uint32_t *seen, struct or_message *out, struct err *err)
{
	uint32_t may = required[out->type] | (out->type == OR_ERROR ? 0 : MAY_HAVE);
	size_t len = in.len - *at < 3 ? in.len : be16(in.at + *at + 1);
	unsigned field = in.at[*at];

	if (in.len - *at < 3 || len > in.len - *at - 3)
		return err_set(err, "Otway-Rees message: field at octet %zu is cut off", *at);
	if (field <= *before)
		return err_set(err, "Otway-Rees message: field at octet %zu is out of order", *at);
	if (field < FIELD_FREE) {
		if (field >= 32 || (may & BIT(field)) == 0)
			return err_set(err, "Otway-Rees message: field %u at octet %zu does not belong in type %d",
				field, *at, out->type);
		if (!take_value(out, field, bytes_part(in, *at + 3, len)))
			return err_set(err, "Otway-Rees message: field %u at octet %zu is malformed", field, *at);
		widen_policy(out, field, bytes_part(in, *at, 3 + len));
		*seen |= BIT(field);
	}
	*before = field;
	*at += 3 + len;
	return 0;
}

int or_read(struct bytes in, struct or_message *out, struct err *err)
{
	unsigned before = 0;
	uint32_t seen = 0;
	size_t at = HEAD;

	memset(out, 0, sizeof(*out));
	if (in.len < HEAD || in.len > OR_MESSAGE_MAX)
		return err_set(err, "Otway-Rees message: has %zu octets, of 20 to %d", in.len, OR_MESSAGE_MAX);
	if (memcmp(in.at, "OR\x01", 3) != 0 || in.at[3] < OR_OFFER || in.at[3] > OR_ERROR)
		return err_set(err, "Otway-Rees message: does not begin as one of version 1 does");
	out->type = (enum or_type)in.at[3];
	out->m = bytes_part(in, 4, OR_NONCE);
	while (at < in.len)
		if (read_field(in, &at, &before, &seen, out, err) != 0)
			return -1;
	if ((required[out->type] & ~seen) != 0)
		return err_set(err, "Otway-Rees message: a field that type %d needs is missing", out->type);
	return 0;
}

static void put_head(struct buf *out, unsigned field, size_t len)
{
	uint8_t head[3] = { (uint8_t)field };

	put_be16(head + 1, (uint16_t)len);
	buf_add(out, head, sizeof(head));
}

static bool write_policy(const struct or_message *m, struct buf *out)
{
	uint8_t before = 0;
	size_t len = 0;

	for (size_t i = 0; i < m->session_count; i++)
		len += 3 + (size_t)m->sessions[i].mki_len;
	put_head(out, FIELD_POLICY, len);
	for (size_t i = 0; i < m->session_count; i++) {
		const struct or_session *s = &m->sessions[i];
		uint8_t head[] = { s->cs, s->suite_number, s->mki_len };

		if (s->cs <= before || s->mki_len > MKI_MAX)
			return false;
		before = s->cs;
		buf_add(out, head, sizeof(head));
		buf_add(out, s->mki, s->mki_len);
	}
	return m->session_count > 0 && m->session_count <= OR_SESSIONS;
}

/* A field that is required, or one that is there. */
static bool write_field(const struct or_message *m, unsigned field, struct buf *out)
{
	struct or_message copy = *m;
	const struct bytes *value = place_of(&copy, field);
	bool must = (required[m->type] & BIT(field)) != 0;

	if (field == FIELD_POLICY)
		return !must || write_policy(m, out);
	if (field == FIELD_ERROR) {
		if (must)
			put_head(out, field, 1);
		return !must || buf_add(out, &m->error, 1);
	}
	if (!must && (value == NULL || value->len == 0 || m->type == OR_ERROR || (MAY_HAVE & BIT(field)) == 0))
		return true;
	if (!value_fits(field, *value) || value->len > OR_MESSAGE_MAX)
		return false;
	put_head(out, field, value->len);
	return buf_add(out, value->at, value->len);
}

int or_write(const struct or_message *m, struct buf *out, struct err *err)
{
	uint8_t head[4] = { 'O', 'R', 1, (uint8_t)m->type };
	size_t before = out->len;

	if (m->type < OR_OFFER || m->type > OR_ERROR || m->m.len != OR_NONCE || m->session_count > OR_SESSIONS)
		return err_set(err, "Otway-Rees message: type or M is missing");
	buf_add(out, head, sizeof(head));
	buf_add(out, m->m.at, m->m.len);
	for (unsigned field = FIELD_A; field <= FIELD_ERROR; field++) {
		if (write_field(m, field, out))
			continue;
		out->len = before;
		return err_set(err, "Otway-Rees message: field %u is missing or too long", field);
	}
	if (out->failed || out->len - before > OR_MESSAGE_MAX) {
		out->len = out->failed ? out->len : before;
		return err_set(err, "Otway-Rees message: is too long");
	}
	return 0;
}
