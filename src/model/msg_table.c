/* msg_table: warrants and agreements, as a table of control's says them. What is read is a copy. */
#include "msg_octets.h"

#include <stdlib.h>

bool msg_put_warrant(struct buf *out, const struct warrant *w, bool identities, bool liid, bool papers)
{
	size_t from = out->len, targets = identities ? w->target_count : 0;

	put_u32(out, w->number);
	put_text(out, liid || papers ? w->liid : "");
	put_word(out, papers ? w->agency : "");
	put_word(out, papers ? w->authority : "");
	put_nsec(out, w->from);
	put_nsec(out, w->until);
	put_u8(out, w->scope);
	put_u8(out, w->diverted);
	put_u8(out, (uint8_t)(w->trust_from | w->revoked << 1));
	put_u32(out, (uint32_t)targets);
	for (size_t i = 0; i < targets; i++)
		put_word(out, w->targets[i].uri);
	return put_end(out, from, true);
}

static char *get_copy(struct octets *in)
{
	char *copy = strdup(get_word(in));

	in->bad = in->bad || copy == NULL;
	return copy;
}

/* A target is compared as its URI says, whatever else anybody says of it. */
static void get_targets(struct octets *in, struct warrant *w)
{
	size_t count = get_count(in, UINT32_MAX, 5);

	if (count == 0)
		return;
	w->targets = calloc(count, sizeof(*w->targets));
	in->bad = in->bad || w->targets == NULL;
	for (size_t i = 0; !in->bad && i < count; i++) {
		struct target *t = &w->targets[i];

		t->uri = get_copy(in);
		w->target_count++;
		if (in->bad || !identity_parse(bytes_of(t->uri), &t->id))
			in->bad = true;
	}
}

bool msg_get_warrant(struct bytes in, struct warrant *w)
{
	struct octets o = octets_of(in);
	unsigned flags;

	*w = (struct warrant){ .number = get_u32(&o) };
	get_chars(&o, w->liid, sizeof(w->liid));
	w->agency = get_copy(&o);
	w->authority = get_copy(&o);
	w->from = get_nsec(&o);
	w->until = get_nsec(&o);
	w->scope = (enum warrant_scope)get_among(&o, SCOPE_IRI, SCOPE_ALL + 1);
	w->diverted = (enum warrant_diverted)get_among(&o, 0, DIVERTED_REPORT + 1);
	flags = get_bits(&o, 2);
	w->trust_from = (flags & 1) != 0;
	w->revoked = flags >> 1 != 0;
	get_targets(&o, w);
	if (get_end(&o))
		return true;
	warrant_clear(w);
	return false;
}

static void put_list(struct buf *out, char *const *all, size_t count)
{
	put_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_word(out, all[i]);
}

static char **get_list(struct octets *in, size_t *count)
{
	size_t n = get_count(in, UINT32_MAX, 5);
	char **all = calloc(n > 0 ? n : 1, sizeof(*all));

	in->bad = in->bad || all == NULL;
	for (*count = 0; !in->bad && *count < n; (*count)++)
		all[*count] = get_copy(in);
	return all;
}

bool msg_put_agreement(struct buf *out, const struct kms_agreement *a)
{
	size_t from = out->len;

	put_u32(out, a->number);
	put_word(out, a->identity);
	put_word(out, a->url);
	put_word(out, a->ca);
	put_word(out, a->cert);
	put_word(out, a->key);
	put_list(out, a->homes, a->home_count);
	put_list(out, a->users, a->user_count);
	put_u8(out, a->roaming_partner);
	put_u8(out, a->network_default);
	return put_end(out, from, true);
}

bool msg_get_agreement(struct bytes in, struct kms_agreement *a)
{
	struct octets o = octets_of(in);

	*a = (struct kms_agreement){ .number = get_u32(&o) };
	a->identity = get_copy(&o);
	a->url = get_copy(&o);
	a->ca = get_copy(&o);
	a->cert = get_copy(&o);
	a->key = get_copy(&o);
	a->homes = get_list(&o, &a->home_count);
	a->users = get_list(&o, &a->user_count);
	a->roaming_partner = get_bool(&o);
	a->network_default = get_bool(&o);
	if (get_end(&o))
		return true;
	kms_agreement_clear(a);
	return false;
}
