/* agreement: a table of copies. */
#include "otway/model/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "otway/base/secret.h"

static void text_free(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

static void list_free(char **all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_free(all[i]);
	free(all);
}

void kms_agreement_clear(struct kms_agreement *a)
{
	text_free(a->identity);
	text_free(a->url);
	text_free(a->ca);
	text_free(a->cert);
	text_free(a->key);
	list_free(a->homes, a->home_count);
	list_free(a->users, a->user_count);
	memset(a, 0, sizeof(*a));
}

void kms_agreements_clear(struct kms_agreements *set)
{
	for (size_t i = 0; i < set->count; i++)
		kms_agreement_clear(&set->all[i]);
	free(set->all);
	*set = (struct kms_agreements){ 0 };
}

static char *text_dup(const char *s, bool *ok)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	if (s != NULL && copy == NULL)
		*ok = false;
	return copy;
}

static char **list_dup(char *const *all, size_t count, bool *ok)
{
	char **copy = calloc(count > 0 ? count : 1, sizeof(*copy));

	if (copy == NULL)
		*ok = false;
	for (size_t i = 0; copy != NULL && i < count; i++)
		copy[i] = text_dup(all[i], ok);
	return copy;
}

/* What could not be copied is NULL, and *ok false. */
static struct kms_agreement copy_of(const struct kms_agreement *a, bool *ok)
{
	struct kms_agreement copy = *a;

	copy.identity = text_dup(a->identity, ok);
	copy.url = text_dup(a->url, ok);
	copy.ca = text_dup(a->ca, ok);
	copy.cert = text_dup(a->cert, ok);
	copy.key = text_dup(a->key, ok);
	copy.homes = list_dup(a->homes, a->home_count, ok);
	copy.home_count = copy.homes != NULL ? a->home_count : 0;
	copy.users = list_dup(a->users, a->user_count, ok);
	copy.user_count = copy.users != NULL ? a->user_count : 0;
	return copy;
}

bool kms_agreement_add(struct kms_agreements *set, const struct kms_agreement *a)
{
	struct kms_agreement *grown = realloc(set->all, (set->count + 1) * sizeof(*grown)), copy;
	bool ok = true;

	if (grown == NULL)
		return false;
	set->all = grown;
	copy = copy_of(a, &ok);
	if (ok)
		set->all[set->count++] = copy;
	else
		kms_agreement_clear(&copy);
	return ok;
}
