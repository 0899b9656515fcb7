/*
 * learnt: a table from users to lessons. A lesson ties a user to one target until its registration expires. Anyone
 * may send a REGISTER: what one changes is taken back when it is refused.
 */
#include "learnt.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

#define LESSONS_MAX 16384               /* of all users; a flood of forged registrations ends here */
#define BY_USER_MAX 16                  /* targets that one user may be */
#define CHALLENGED  (32 * NSEC_PER_SEC) /* 64 * T1: so long a challenged device may take to answer */

struct lesson {
	char key[IDENTITY_MAX]; /* of the target */
	nsec_t until;
	bool asked;    /* a REGISTER is not answered yet: */
	bool leaving;  /* it asks to end this */
	nsec_t before; /* `until` as it was before */
	uint64_t call; /* hash of its Call-ID */
	uint32_t cseq;
};

struct user {
	size_t count;
	struct lesson lessons[BY_USER_MAX];
};

struct learnt {
	struct table *users;
	size_t lessons;
	nsec_t swept;
};

struct learnt *learnt_new(void)
{
	struct learnt *l = calloc(1, sizeof(*l));

	if (l != NULL && (l->users = table_new()) == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

void learnt_free(struct learnt *l)
{
	struct user *u;
	size_t step = 0;

	if (l == NULL)
		return;
	while ((u = table_next(l->users, &step, NULL)) != NULL)
		secret_free(u, sizeof(*u));
	table_free(l->users);
	free(l);
}

struct bytes learnt_key(const struct identity *id)
{
	return bytes_of(id->number[0] != '\0' ? id->number : id->uri);
}

static void drop(struct learnt *l, struct user *u, size_t index)
{
	u->lessons[index] = u->lessons[--u->count];
	secret_wipe(&u->lessons[u->count], sizeof(u->lessons[0]));
	l->lessons--;
}

/* Drops what no longer holds; the user too when nothing is left. */
static void tidy(struct learnt *l, struct bytes name, struct user *u, nsec_t at)
{
	for (size_t i = u->count; i-- > 0;)
		if (u->lessons[i].until <= at)
			drop(l, u, i);
	if (u->count > 0)
		return;
	table_take(l->users, name);
	secret_free(u, sizeof(*u));
}

/* Short of room: whatever has expired goes, at most once a second. */
static bool sweep(struct learnt *l, nsec_t at)
{
	struct bytes name;
	struct user *u;
	size_t step = 0;

	if (l->lessons < LESSONS_MAX)
		return true;
	if (at - NSEC_PER_SEC >= l->swept || at < l->swept) {
		l->swept = at;
		while ((u = table_next(l->users, &step, &name)) != NULL)
			tidy(l, name, u, at);
	}
	return l->lessons < LESSONS_MAX;
}

static struct lesson *lesson_of(struct user *u, struct bytes key)
{
	for (size_t i = 0; i < u->count; i++)
		if (bytes_equal(bytes_of(u->lessons[i].key), key))
			return &u->lessons[i];
	return NULL;
}

/* A new lesson of a user who may be new; NULL where there is no room. */
static struct lesson *begin(struct learnt *l, struct bytes name, struct bytes key, nsec_t at)
{
	struct user *u;
	struct lesson *lesson;

	if (key.len >= IDENTITY_MAX || !sweep(l, at))
		return NULL;
	u = table_get(l->users, name);
	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u == NULL || !table_put(l->users, name, u)) {
			free(u);
			return NULL;
		}
	}
	if (u->count == BY_USER_MAX)
		return NULL;
	lesson = &u->lessons[u->count++];
	memset(lesson, 0, sizeof(*lesson));
	memcpy(lesson->key, key.at, key.len);
	lesson->until = NSEC_NONE;
	l->lessons++;
	return lesson;
}

static bool asked_by(const struct lesson *lesson, const struct sip_message *m)
{
	return lesson->asked && lesson->cseq == m->cseq && lesson->call == table_hash(m->call_id);
}

/* Remembers what to go back to; a request that comes again changes nothing. False: it is such a one. */
static bool ask(struct lesson *lesson, const struct sip_message *m, bool leaving)
{
	if (asked_by(lesson, m))
		return false;
	if (!lesson->asked)
		lesson->before = lesson->until;
	lesson->asked = true;
	lesson->leaving = leaving;
	lesson->call = table_hash(m->call_id);
	lesson->cseq = m->cseq;
	return true;
}

bool learnt_register(
	struct learnt *l, const struct identity *user, struct bytes key, const struct sip_message *m, uint32_t expires)
{
	struct bytes name = learnt_key(user);
	struct user *u = table_get(l->users, name);
	struct lesson *lesson = u != NULL ? lesson_of(u, key) : NULL;
	bool fresh = lesson == NULL || lesson->until <= m->at;

	if (lesson == NULL && expires > 0)
		lesson = begin(l, name, key, m->at);
	if (lesson == NULL || (m->request && !ask(lesson, m, expires == 0)) || expires == 0)
		return false;
	lesson->until = m->at + (nsec_t)expires * NSEC_PER_SEC;
	if (!m->request)
		lesson->asked = false;
	return fresh;
}

void learnt_leave(struct learnt *l, const struct identity *user, const struct sip_message *m)
{
	struct user *u = table_get(l->users, learnt_key(user));

	for (size_t i = 0; u != NULL && i < u->count; i++)
		ask(&u->lessons[i], m, true);
}

void learnt_answered(struct learnt *l, const struct identity *user, const struct sip_message *m)
{
	struct bytes name = learnt_key(user);
	struct user *u = table_get(l->users, name);

	if (u == NULL || m->status < 200)
		return;
	for (size_t i = 0; i < u->count; i++) {
		struct lesson *lesson = &u->lessons[i];

		if (!asked_by(lesson, m))
			continue;
		lesson->asked = false;
		if (m->status < 300)
			lesson->until = lesson->leaving ? m->at : lesson->until;
		else if (m->status != 401 && m->status != 407)
			lesson->until = lesson->before;
		else if (!lesson->leaving && lesson->before < m->at + CHALLENGED)
			lesson->until = m->at + CHALLENGED;
		else
			lesson->until = lesson->before;
	}
	tidy(l, name, u, m->at);
}

struct bytes learnt_of(const struct learnt *l, const struct identity *id, nsec_t at, size_t *step)
{
	const struct user *u = table_size(l->users) > 0 ? table_get(l->users, learnt_key(id)) : NULL;

	while (u != NULL && *step < u->count) {
		const struct lesson *lesson = &u->lessons[(*step)++];

		if (at < lesson->until)
			return bytes_of(lesson->key);
	}
	return (struct bytes){ NULL, 0 };
}

void learnt_keep(struct learnt *l, bool (*stays)(const void *context, struct bytes key), const void *context)
{
	struct bytes name;
	struct user *u;
	size_t step = 0;

	while ((u = table_next(l->users, &step, &name)) != NULL) {
		for (size_t i = u->count; i-- > 0;)
			if (!stays(context, bytes_of(u->lessons[i].key)))
				drop(l, u, i);
		tidy(l, name, u, NSEC_NONE);
	}
}
