/* place: the headers that a target is looked for in, each with what it says of the target (match.h). */
#include "place.h"

/* Whether the call was led on from an entry: its child came by a cause (RFC 4458), or a response led away from it to its
 * child (RFC 7044 5.1). */
static bool led_on(const struct sip_message *m, const struct sip_party *entry)
{
	for (size_t i = 0; i < m->party_count && entry->index.len > 0; i++) {
		const struct sip_party *child = &m->parties[i];

		if (child->header == SIP_HEADER_HISTORY && bytes_equal(child->parent, entry->index) &&
			((child->cause != 0 && !child->cause_led_on) || entry->cause_led_on))
			return true;
	}
	return false;
}

static bool last_entry(const struct sip_message *m, const struct sip_party *entry)
{
	for (const struct sip_party *p = entry + 1; p < m->parties + m->party_count; p++)
		if (p->header == SIP_HEADER_HISTORY)
			return false;
	return true;
}

bool place_judge(const struct sip_message *m, struct place *at)
{
	at->verified = true;
	switch (at->party->header) {
	case SIP_HEADER_REQUEST_URI:
	case SIP_HEADER_TO:
	case SIP_HEADER_PCPID:
		at->side = HIT_TO_TARGET;
		return m->method != SIP_REGISTER || at->party->header == SIP_HEADER_TO;
	case SIP_HEADER_PAI:
		at->side = m->request ? HIT_FROM_TARGET : HIT_TO_TARGET;
		break;
	case SIP_HEADER_SERVED_USER:
		at->side = at->party->originating ? HIT_FROM_TARGET : HIT_TO_TARGET;
		break;
	case SIP_HEADER_DIVERSION:
		at->side = HIT_DIVERTING;
		break;
	case SIP_HEADER_HISTORY:
		at->side = led_on(m, at->party) ? HIT_DIVERTING : HIT_TO_TARGET;
		if (at->side == HIT_TO_TARGET && !last_entry(m, at->party))
			return false;
		break;
	case SIP_HEADER_FROM:
	case SIP_HEADER_PPI:
	case SIP_HEADER_RPID:
		at->side = HIT_FROM_TARGET;
		at->verified = false;
		break;
	default:
		return false;
	}
	return m->method != SIP_REGISTER;
}
