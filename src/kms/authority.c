/* authority: begin, end, and which protocol a user speaks. */
#include "authority_parts.h"

#include <stdlib.h>

#include "otway/base/secret.h"

static void free_list(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		secret_free(list[i], strlen(list[i]));
	free(list);
}

void kms_policy_clear(struct kms_policy *p)
{
	for (size_t i = 0; i < p->user_count; i++) {
		free_list(p->users[i].answerers, p->users[i].answerer_count);
		secret_free(p->users[i].identity, p->users[i].identity != NULL ? strlen(p->users[i].identity) : 0);
	}
	secret_free(p->users, p->user_count * sizeof(p->users[0]));
	free_list(p->answerers, p->answerer_count);
	for (size_t i = 0; i < p->partner_count; i++) {
		free_list(p->partners[i].homes, p->partners[i].home_count);
		free(p->partners[i].client);
	}
	free(p->partners);
	free(p->identity);
	secret_wipe(p, sizeof(*p));
}

static int by_identity(const void *a, const void *b)
{
	return strcmp(((const struct known_user *)a)->id.uri, ((const struct known_user *)b)->id.uri);
}

/* Users whose identity names nobody, or whose key is no key, are none. */
static void learn_users(struct authority *a)
{
	for (size_t i = 0; i < a->policy->user_count; i++) {
		struct known_user *known = &a->users[a->user_count];

		known->user = &a->policy->users[i];
		if (known->user->psk_len >= 16 && known->user->psk_len <= sizeof(known->user->psk) &&
			authority_party(bytes_of(known->user->identity), &known->id))
			a->user_count++;
	}
	qsort(a->users, a->user_count, sizeof(a->users[0]), by_identity);
}

struct authority *authority_new(const struct kms_policy *p, const struct authority_memory *m)
{
	struct authority *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->policy = p;
	a->memory = *m;
	a->users = calloc(p->user_count + 1, sizeof(a->users[0]));
	if (a->users == NULL) {
		free(a);
		return NULL;
	}
	learn_users(a);
	return a;
}

void authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	secret_free(a->users, (a->policy->user_count + 1) * sizeof(a->users[0]));
	free(a);
}

int authority_user(struct authority *a, enum key_mgmt protocol, struct bytes in, const char *peer, nsec_t now,
	struct buf *out, struct err *err)
{
	const char *act = "otway-rees", *outcome = "failed";
	size_t before = out->len;
	struct err why = { 0 };
	int done;

	if (protocol == KEY_MGMT_OTWAY_REES)
		done = authority_rees(a, in, now, out, &outcome, &why);
	else
		done = authority_mikey(a, in, now, out, &act, &outcome, &why);
	/* Not told before it is written down that it is. */
	if (authority_log(a, act, "", peer, (struct bytes){ NULL, 0 }, outcome, now, done == 0 ? &why : NULL) != 0)
		done = -1;
	if (done != 0) {
		if (out->at != NULL)
			secret_wipe(out->at + before, out->len - before);
		out->len = before;
		if (err != NULL)
			*err = why;
	}
	return done;
}
