/* kms_explain_hide: whose call a capture holds is nobody's business without a warrant: of identities their domain stays. */
#include "kms_explain.h"

#include <string.h>

#include "otway/mikey_facts.h"

/* "sip:***@abc.example", "tel:***********"; the user part of a KMS is no subscriber. */
static void hide_id(uint8_t *copy, struct bytes whole, struct bytes id)
{
	uint8_t *from = copy + (id.at - whole.at), *end = from + id.len;
	uint8_t *colon = memchr(from, ':', id.len), *at = memrchr(from, '@', id.len);

	if (colon != NULL && (at == NULL || colon < at))
		from = colon + 1;
	memset(from, '*', (size_t)((at != NULL ? at : end) - from));
}

static bool of_kms(uint8_t role)
{
	return role == MIKEY_ID_KMS || role == MIKEY_ID_KMS_INITIATOR || role == MIKEY_ID_KMS_RESPONDER;
}

static void hide_payload(uint8_t *copy, struct bytes whole, const struct mikey_payload *p, bool inside_too)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	const char *name;

	if (p->type == MIKEY_ID || (p->type == MIKEY_IDR && !of_kms(p->id.role)))
		hide_id(copy, whole, p->id.data);
	for (size_t n = 0; inside_too && n < 3; n++) {
		long count = mikey_facts_inside(p, n, &name, inside);

		for (long i = 0; i < count; i++)
			hide_payload(copy, whole, &inside[i], false);
	}
}

void explain_hide(const struct mikey *m, uint8_t *copy)
{
	memcpy(copy, m->whole.at, m->whole.len);
	for (size_t i = 0; i < m->count; i++)
		hide_payload(copy, m->whole, &m->payloads[i], true);
}
