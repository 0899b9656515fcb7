/*
 * key_log: the KMS's own audit trail. The same chain, by the same pen, as that of warrants.
 */
#include <stdlib.h>

#include "inside.h"
#include "key_inside.h"

#define ACT "kms."

static int log_work(struct store *store, void *arg, struct err *err)
{
	const struct key_event *e = arg;
	struct buf act = { 0 }, subject = { 0 };
	json_t *detail = json_pack("{s:s?, s:s?}", "outcome", e->outcome, "warrant", e->warrant);
	int rc;

	buf_printf(&act, ACT "%s", e->act);
	buf_add(&act, "", 1);
	if (e->request != NULL)
		buf_printf(&subject, "request %s", e->request);
	else
		buf_text(&subject, "user");
	buf_add(&subject, "", 1);
	if (act.failed || subject.failed) {
		json_decref(detail);
		rc = err_set(err, "out of memory");
	} else {
		rc = audit_append(store, (char *)act.at, (char *)subject.at, detail, NULL, err);
	}
	buf_clear(&act);
	buf_clear(&subject);
	return rc;
}

int key_store_log(struct key_store *s, const struct key_event *e, struct err *err)
{
	char *peer = strdup(e->peer != NULL && e->peer[0] != '\0' ? e->peer : "kms"), *was = s->store->actor;
	struct key_event copy = *e;
	int rc;

	if (peer == NULL)
		return err_set(err, "out of memory");
	s->store->actor = peer;
	rc = store_change(s->store, log_work, &copy, err);
	s->store->actor = was;
	free(peer);
	return rc;
}

struct walk {
	int (*fn)(void *arg, uint64_t number, const struct key_event *e);
	void *arg;
};

static int walk_record(void *arg, const struct audit_record *r)
{
	const struct walk *w = arg;
	static const char request[] = "request ";
	json_t *detail = json_loads(r->detail, 0, NULL);
	const struct key_event e = {
		.at = r->at,
		.act = strncmp(r->act, ACT, sizeof(ACT) - 1) == 0 ? r->act + sizeof(ACT) - 1 : r->act,
		.request = strncmp(r->subject, request, sizeof(request) - 1) == 0 ? r->subject + sizeof(request) - 1
										  : NULL,
		.peer = r->actor,
		.warrant = json_string_value(json_object_get(detail, "warrant")),
		.outcome = json_string_value(json_object_get(detail, "outcome")),
	};
	int rc = w->fn(w->arg, r->number, &e);

	json_decref(detail);
	return rc;
}

int key_store_log_each(struct key_store *s, int (*fn)(void *arg, uint64_t number, const struct key_event *e), void *arg,
	struct err *err)
{
	struct walk w = { fn, arg };

	return store_audit_each(s->store, walk_record, &w, err);
}

int key_store_log_verify(struct key_store *s, uint64_t *count, struct err *err)
{
	return audit_verify_chain(s->store, count, err);
}
