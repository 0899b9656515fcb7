/* warrant: copies, words, and whether one is in force. */
#include "otway/model/warrant.h"

#include <stdlib.h>

#include "otway/base/secret.h"

bool warrant_in_force(const struct warrant *w, nsec_t at)
{
	return w->from <= at && at < w->until;
}

const struct warrant *warrant_find(const struct warrant_set *set, uint32_t number)
{
	for (size_t i = 0; set != NULL && i < set->count; i++)
		if (set->all[i].number == number)
			return &set->all[i];
	return NULL;
}

static void text_free(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

void warrant_clear(struct warrant *w)
{
	text_free(w->agency);
	text_free(w->authority);
	for (size_t i = 0; i < w->target_count; i++) {
		text_free(w->targets[i].uri);
		identity_clear(&w->targets[i].id);
	}
	free(w->targets);
	secret_wipe(w, sizeof(*w));
}

void warrant_set_clear(struct warrant_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		warrant_clear(&s->all[i]);
	free(s->all);
	*s = (struct warrant_set){ 0 };
}

static char *text_dup(const char *s, bool *ok)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	if (s != NULL && copy == NULL)
		*ok = false;
	return copy;
}

bool warrant_add(struct warrant_set *set, const struct warrant *w)
{
	struct warrant *grown = realloc(set->all, (set->count + 1) * sizeof(*grown));
	struct warrant copy = *w;
	bool ok = true;

	if (grown == NULL)
		return false;
	set->all = grown;
	copy.agency = text_dup(w->agency, &ok);
	copy.authority = text_dup(w->authority, &ok);
	copy.target_count = 0;
	copy.targets = calloc(w->target_count > 0 ? w->target_count : 1, sizeof(*copy.targets));
	for (size_t i = 0; copy.targets != NULL && i < w->target_count; i++) {
		copy.targets[i].uri = text_dup(w->targets[i].uri, &ok);
		copy.targets[i].id = w->targets[i].id;
		copy.target_count++;
	}
	if (!ok || copy.targets == NULL) {
		warrant_clear(&copy);
		return false;
	}
	set->all[set->count++] = copy;
	return true;
}

const char *warrant_scope_text(enum warrant_scope s)
{
	return s == SCOPE_IRI ? "iri" : s == SCOPE_CC ? "cc" : "all";
}

bool warrant_scope_parse(const char *text, enum warrant_scope *out)
{
	for (int s = SCOPE_IRI; s <= SCOPE_ALL; s++) {
		*out = (enum warrant_scope)s;
		if (strcmp(text, warrant_scope_text(*out)) == 0)
			return true;
	}
	return false;
}

const char *warrant_diverted_text(enum warrant_diverted d)
{
	return d == DIVERTED_REPORT ? "report" : "content";
}

bool warrant_diverted_parse(const char *text, enum warrant_diverted *out)
{
	*out = strcmp(text, "report") == 0 ? DIVERTED_REPORT : DIVERTED_CONTENT;
	return strcmp(text, warrant_diverted_text(*out)) == 0;
}

bool warrant_liid_valid(const char *liid)
{
	size_t len = strlen(liid);

	if (len == 0 || len > LIID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (liid[i] < 0x20 || liid[i] > 0x7e)
			return false;
	return true;
}
