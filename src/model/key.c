/* key: words, and copies that are wiped. A copy has all its octets in one block, which `offer` begins. */
#include "otway/model/key.h"

#include <stdlib.h>

#include "otway/base/secret.h"

const char *kms_origin_text(enum kms_origin o)
{
	static const char *const texts[KMS_ORIGINS] = {
		[KMS_OF_TICKET] = "ticket",
		[KMS_SIGNALLED] = "signalled",
		[KMS_ADMINISTERED] = "administered",
		[KMS_CONVENTION] = "convention",
		[KMS_NETWORK_DEFAULT] = "network-default",
	};

	return (unsigned int)o < KMS_ORIGINS ? texts[o] : NULL;
}

/* Every view of a key_wanted; the first is where the block of a copy begins. */
static const size_t views[] = {
	offsetof(struct key_wanted, offer),
	offsetof(struct key_wanted, answer),
	offsetof(struct key_wanted, first_offer),
	offsetof(struct key_wanted, first_answer),
	offsetof(struct key_wanted, target),
	offsetof(struct key_wanted, target_sip),
	offsetof(struct key_wanted, from),
	offsetof(struct key_wanted, to),
	offsetof(struct key_wanted, answered),
	offsetof(struct key_wanted, call_id),
	offsetof(struct key_wanted, from_tag),
	offsetof(struct key_wanted, to_tag),
	offsetof(struct key_wanted, signalled),
};
#define VIEWS (sizeof(views) / sizeof(views[0]))

_Static_assert(VIEWS == KEY_WANTED_VIEWS, "the header knows how many");

struct bytes *key_wanted_view(struct key_wanted *w, size_t i)
{
	return (struct bytes *)(void *)((char *)w + views[i]);
}

static size_t octets_of(struct key_wanted *w)
{
	size_t len = 0;

	for (size_t i = 0; i < VIEWS; i++)
		len += key_wanted_view(w, i)->len;
	return len;
}

bool key_wanted_copy(const struct key_wanted *w, struct key_wanted *out)
{
	struct key_wanted copy = *w;
	size_t len = octets_of(&copy);
	uint8_t *at = malloc(len > 0 ? len : 1);

	if (at == NULL)
		return false;
	for (size_t i = 0; i < VIEWS; i++) {
		struct bytes *view = key_wanted_view(&copy, i);

		if (view->len > 0)
			memcpy(at, view->at, view->len);
		view->at = at;
		at += view->len;
	}
	*out = copy;
	return true;
}

void key_wanted_clear(struct key_wanted *w)
{
	secret_free((void *)(uintptr_t)w->offer.at, octets_of(w));
	secret_wipe(w, sizeof(*w));
}

void key_answer_clear(struct key_answer *a)
{
	secret_wipe(a, sizeof(*a));
}
