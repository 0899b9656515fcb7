/* authority: what was kept, and what is written of its use. */
#include "authority_parts.h"

#include "otway/base/text.h"

struct recall {
	struct kept_list *list;
	nsec_t now;
	bool of_run, failed;
};

/* Of more than fit the newest stay; but of a run what its ticket's key derives from, and that it is over. */
static void make_room(struct kept_list *list, bool of_run)
{
	size_t at = 0;

	while (of_run && at + 1 < list->count &&
		(list->at[at].secret.at[0] == KEPT_TICKET || list->at[at].secret.at[0] == KEPT_END))
		at++;
	buf_clear(&list->at[at].secret);
	memmove(&list->at[at], &list->at[at + 1], (KEPT_MAX - 1 - at) * sizeof(list->at[0]));
	list->count--;
}

static int recall_one(void *arg, const struct key_record *r)
{
	struct recall *recall = arg;
	struct kept_list *list = recall->list;
	struct kept *k;

	if (r->until <= recall->now) { /* over, whether or not its place was swept */
		list->purged = true;
		return 0;
	}
	if (r->secret.len == 0)
		return 0;
	if (list->count == KEPT_MAX)
		make_room(list, recall->of_run);
	k = &list->at[list->count++];
	*k = (struct kept){ .made = r->made, .until = r->until };
	if (!buf_add(&k->secret, r->secret.at, r->secret.len)) {
		list->count--;
		recall->failed = true;
	}
	return 0;
}

int authority_recall(
	struct authority *a, const struct key_record *like, nsec_t now, struct kept_list *out, struct err *err)
{
	struct recall recall = { out, now, like->run.len > 0, false };
	int purged;

	*out = (struct kept_list){ .count = 0 };
	if (a->memory.find(a->memory.arg, like, recall_one, &recall, err) < 0)
		return -1;
	if (recall.failed)
		return err_set(err, "recalling keys: out of memory");
	if (out->count > 0 || out->purged)
		return 0;
	purged = a->memory.purged(a->memory.arg, like, err);
	out->purged = purged > 0;
	return purged < 0 ? -1 : 0;
}

void authority_forget(struct kept_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		buf_clear(&list->at[i].secret);
	list->count = 0;
}

struct bytes authority_kept(const struct kept *k)
{
	return bytes_part(buf_bytes(&k->secret), 1, SIZE_MAX);
}

nsec_t authority_keep_for(const struct authority *a)
{
	return a->policy->keep > 0 ? a->policy->keep : 86400 * NSEC_PER_SEC;
}

int authority_keep(struct authority *a, struct key_record r, enum kept_kind kind, const struct bytes *parts,
	size_t count, nsec_t now, struct err *err)
{
	const uint8_t first = (uint8_t)kind;
	struct buf secret = { 0 };
	int done = -1;

	buf_add(&secret, &first, 1);
	for (size_t i = 0; i < count; i++)
		buf_add(&secret, parts[i].at, parts[i].len);
	r.made = now;
	r.until = now + authority_keep_for(a);
	r.secret = buf_bytes(&secret);
	if (secret.failed)
		err_set(err, "keeping a key: out of memory");
	else
		done = a->memory.put(a->memory.arg, &r, err);
	buf_clear(&secret);
	return done;
}

int authority_log(struct authority *a, const char *act, const char *request, const char *peer, struct bytes warrant,
	const char *outcome, nsec_t now, struct err *err)
{
	char reference[XK_WARRANT_MAX + 1];
	struct key_event e = { now, act, request, peer != NULL ? peer : "",
		text_copy(warrant, reference, sizeof(reference)), outcome };

	return a->memory.log(a->memory.arg, &e, err);
}
