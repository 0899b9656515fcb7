/* mikey_check: what a message of each type must have, and the rules of a ticket's flags (RFC 3830 3, RFC 4563 5, RFC 6043 4 to 6). */
#include "mikey_parts.h"

#define BIT(type) (UINT32_C(1) << (type))

/* Payloads that must be there, by type of message; RANDR by the role it then has. */
static const struct needs {
	uint32_t payloads;
	uint8_t rand;
} needs[] = {
	[MIKEY_PSK_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_KEMAC), 0 },
	[MIKEY_PSK_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_V), 0 },
	[MIKEY_PK_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_PKE) | BIT(MIKEY_SIGN), 0 },
	[MIKEY_PK_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_V), 0 },
	[MIKEY_DH_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_SIGN), 0 },
	[MIKEY_DH_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_SIGN), 0 },
	[MIKEY_ERROR] = { BIT(MIKEY_T), 0 },
	[MIKEY_DHHMAC_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_KEMAC), 0 },
	[MIKEY_DHHMAC_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_KEMAC), 0 },
	[MIKEY_RSAR_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_SIGN), 0 },
	[MIKEY_RSAR_RESP] = { BIT(MIKEY_SIGN), 0 },
	[MIKEY_REQUEST_INIT_PSK] = { BIT(MIKEY_T) | BIT(MIKEY_TP) | BIT(MIKEY_V), MIKEY_RAND_INITIATOR },
	[MIKEY_REQUEST_INIT_PK] = { BIT(MIKEY_T) | BIT(MIKEY_TP) | BIT(MIKEY_PKE) | BIT(MIKEY_SIGN),
		MIKEY_RAND_INITIATOR },
	[MIKEY_REQUEST_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_TICKET) | BIT(MIKEY_KEMAC) | BIT(MIKEY_V), 0 },
	[MIKEY_TRANSFER_INIT] = { BIT(MIKEY_T) | BIT(MIKEY_V), 0 },
	[MIKEY_TRANSFER_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_V), 0 },
	[MIKEY_RESOLVE_INIT_PSK] = { BIT(MIKEY_T) | BIT(MIKEY_TICKET) | BIT(MIKEY_V), MIKEY_RAND_RESPONDER },
	[MIKEY_RESOLVE_INIT_PK] = { BIT(MIKEY_T) | BIT(MIKEY_TICKET) | BIT(MIKEY_PKE) | BIT(MIKEY_SIGN),
		MIKEY_RAND_RESPONDER },
	[MIKEY_RESOLVE_RESP] = { BIT(MIKEY_T) | BIT(MIKEY_KEMAC) | BIT(MIKEY_V), 0 },
};

const char *mikey_flags_broken(uint16_t flags)
{
	static const struct {
		uint16_t is, of, needs;
		const char *text;
	} rules[] = {
		{ 0, MIKEY_D, MIKEY_L, "a ticket that the KMS did not make (no D) needs L" },
		{ MIKEY_G, MIKEY_G, MIKEY_F, "G needs F" },
		{ 0, MIKEY_G, MIKEY_H, "no G needs H" },
		{ 0, MIKEY_H, MIKEY_G, "no H needs G" },
		{ MIKEY_I, MIKEY_I, MIKEY_E, "I needs E" },
		{ MIKEY_K, MIKEY_K, MIKEY_D, "K needs D" },
		{ MIKEY_M, MIKEY_M, MIKEY_F, "M needs F" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((flags & rules[i].of) == rules[i].is && !(flags & rules[i].needs))
			return rules[i].text;
	return NULL;
}

static bool is_ticket_message(uint8_t type)
{
	return type >= MIKEY_REQUEST_INIT_PSK && type <= MIKEY_RESOLVE_RESP;
}

static bool is_transfer(uint8_t type)
{
	return type == MIKEY_TRANSFER_INIT || type == MIKEY_TRANSFER_RESP;
}

static bool refuse(struct err *err, const char *type, const char *why)
{
	err_set(err, "%s: %s", type, why);
	return false;
}

static bool check_needs(const struct mikey *m, struct err *err)
{
	struct needs n = { 0, 0 };

	if (m->type == MIKEY_SAKKE_INIT)
		n.payloads = BIT(MIKEY_T) | BIT(MIKEY_SAKKE);
	else if (m->type < sizeof(needs) / sizeof(needs[0]))
		n = needs[m->type];
	else
		return refuse(err, "message", "of a type that is not known");
	for (int type = 1; type < 32; type++)
		if ((n.payloads & BIT(type)) && !mikey_find(m, (enum mikey_payload_type)type, 0)) {
			err_set(err, "%s: there is no %s payload", mikey_type_text(m->type),
				mikey_payload_text((enum mikey_payload_type)type));
			return false;
		}
	if (n.rand != 0 && !mikey_find(m, MIKEY_RANDR, n.rand))
		return refuse(err, mikey_type_text(m->type), "there is no RANDR payload of its sender");
	return true;
}

/* What closes the message: MAC or signature, the last payload. */
static bool check_end(const struct mikey *m, struct err *err)
{
	const struct mikey_payload *v = mikey_find(m, MIKEY_V, 0);

	if (is_ticket_message(m->type) && v != NULL && v != &m->payloads[m->count - 1])
		return refuse(err, mikey_type_text(m->type), "V is not the last payload");
	return true;
}

static bool check_map(const struct mikey *m, struct err *err)
{
	const char *type = mikey_type_text(m->type);
	struct mikey_cs cs;

	if (m->map_type == MIKEY_MAP_EMPTY && mikey_find(m, MIKEY_SP, 0))
		return refuse(err, type, "an empty map goes with no SP payload");
	if (is_transfer(m->type) && m->map_type == MIKEY_MAP_SRTP)
		return refuse(err, type, "the SRTP-ID map is not for MIKEY-TICKET");
	if (is_ticket_message(m->type) && !is_transfer(m->type) && (m->map_type != MIKEY_MAP_EMPTY || m->cs_count != 0))
		return refuse(err, type, "it handles crypto sessions, which only a transfer does");
	for (size_t i = 0; m->type == MIKEY_TRANSFER_RESP && mikey_session(m, i, &cs); i++)
		if (cs.policies.len != 1)
			return refuse(err, type, "a crypto session without exactly one policy");
	return true;
}

static bool check_ticket(const struct mikey *m, const struct mikey_payload *p, struct err *err)
{
	const char *type = mikey_type_text(m->type), *broken;
	bool with_initiator =
		m->type == MIKEY_TRANSFER_INIT || m->type == MIKEY_RESOLVE_INIT_PSK || m->type == MIKEY_RESOLVE_INIT_PK;

	/* K means nothing in a wish (RFC 6043 6.10). */
	broken = mikey_flags_broken(p->type == MIKEY_TP ? (uint16_t)(p->ticket.flags & ~MIKEY_K) : p->ticket.flags);
	if (broken != NULL)
		return refuse(err, type, broken);
	if (p->ticket.prf > MIKEY_PRF_SHA256)
		return refuse(err, type, "a ticket with a PRF that is not known");
	if (p->type == MIKEY_TICKET && with_initiator && (p->ticket.initiator.len > 0) != !!(p->ticket.flags & MIKEY_I))
		return refuse(err, type, "Initiator Data is there when and only when keys are forked (I)");
	if (m->type == MIKEY_TRANSFER_INIT && !(p->ticket.flags & MIKEY_L) && mikey_find(m, MIKEY_KEMAC, 0))
		return refuse(err, type, "keys of the initiator, which the ticket forbids (no L)");
	return true;
}

bool mikey_check(const struct mikey *m, struct err *err)
{
	const char *type = mikey_type_text(m->type);
	const struct mikey_payload *ticket;

	if (!check_needs(m, err) || !check_end(m, err) || !check_map(m, err))
		return false;
	if (m->prf > MIKEY_PRF_SHA256)
		return refuse(err, type, "a PRF that is not known");
	if (is_ticket_message(m->type) && mikey_find(m, MIKEY_ID, 0))
		return refuse(err, type, "an ID payload where MIKEY-TICKET asks for IDR");
	ticket = mikey_find(
		m, m->type == MIKEY_REQUEST_INIT_PSK || m->type == MIKEY_REQUEST_INIT_PK ? MIKEY_TP : MIKEY_TICKET, 0);
	/* Both or neither: a transfer without them updates a bundle (RFC 6043 5.2). */
	if (m->type == MIKEY_TRANSFER_INIT &&
		(ticket != NULL) != (mikey_find(m, MIKEY_RANDR, MIKEY_RAND_INITIATOR) != NULL))
		return refuse(err, type, "TICKET without RANDRi, or the reverse");
	return ticket == NULL || check_ticket(m, ticket, err);
}
