/* authority_scene: see its header. */
#include "authority_scene.h"

#include <stdlib.h>

static const char *const users[] = { "sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com",
	"sip:dave@example.com" };

static void set(struct buf *to, struct bytes from)
{
	buf_reset(to);
	buf_add(to, from.at, from.len);
}

static bool fits(const struct buf *have, struct bytes want)
{
	return want.len == 0 || bytes_equal(buf_bytes(have), want);
}

static bool record_fits(const struct stored *r, const struct key_record *like)
{
	return fits(&r->handle, like->handle) && fits(&r->run, like->run) && fits(&r->call_id, like->call_id) &&
	       fits(&r->a, like->a) && fits(&r->b, like->b) && fits(&r->r, like->r);
}

static int put(void *arg, const struct key_record *r, struct err *err)
{
	struct scene *s = arg;
	struct stored *to = NULL;

	if (s->put_fails)
		return err_set(err, "the disk is full");
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal(buf_bytes(&s->records[i].handle), r->handle))
			to = &s->records[i];
	if (to == NULL && s->count == SCENE_RECORDS)
		abort();
	if (to == NULL)
		to = &s->records[s->count++];
	set(&to->handle, r->handle);
	set(&to->run, r->run);
	set(&to->call_id, r->call_id);
	set(&to->a, r->a);
	set(&to->b, r->b);
	set(&to->r, r->r);
	set(&to->secret, r->secret);
	to->made = r->made;
	to->until = r->until;
	to->purged = false;
	s->puts++;
	return 0;
}

/* As the store gives it: what a record is found by cannot be read back. */
static int find(void *arg, const struct key_record *like, int (*fn)(void *arg, const struct key_record *r),
	void *fn_arg, struct err *err)
{
	struct scene *s = arg;
	int stop = 0;

	if (s->find_fails)
		return err_set(err, "the disk is gone");
	for (size_t i = 0; i < s->count && stop == 0; i++) {
		const struct stored *r = &s->records[i];
		const struct key_record seen = { .made = r->made, .until = r->until, .secret = buf_bytes(&r->secret) };

		if (!r->purged && record_fits(r, like))
			stop = fn(fn_arg, &seen);
	}
	return stop;
}

static int purge(void *arg, const struct key_record *like, nsec_t now, size_t *count, struct err *err)
{
	struct scene *s = arg;
	size_t purged = 0;

	(void)now;
	(void)err;
	for (size_t i = 0; i < s->count; i++) {
		struct stored *r = &s->records[i];

		if (r->purged || !record_fits(r, like))
			continue;
		buf_clear(&r->secret);
		buf_clear(&r->a);
		buf_clear(&r->b);
		buf_clear(&r->r);
		r->purged = true;
		purged++;
	}
	if (count != NULL)
		*count = purged;
	return 0;
}

static int purged(void *arg, const struct key_record *like, struct err *err)
{
	struct scene *s = arg;
	const struct key_record marks = { .handle = like->handle, .run = like->run, .call_id = like->call_id };

	(void)err;
	if (marks.handle.len + marks.run.len + marks.call_id.len == 0)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (s->records[i].purged && record_fits(&s->records[i], &marks))
			return 1;
	return 0;
}

static void word(char *to, size_t size, const char *from)
{
	size_t len = strlen(from) < size ? strlen(from) : size - 1;

	memcpy(to, from, len);
	to[len] = '\0';
}

static int put_log(void *arg, const struct key_event *e, struct err *err)
{
	struct scene *s = arg;
	struct logged *l = &s->log[s->logged];

	if (s->log_fails)
		return err_set(err, "the disk is full");
	if (s->logged == SCENE_RECORDS)
		abort();
	word(l->act, sizeof(l->act), e->act);
	word(l->request, sizeof(l->request), e->request);
	word(l->peer, sizeof(l->peer), e->peer);
	word(l->warrant, sizeof(l->warrant), e->warrant);
	word(l->outcome, sizeof(l->outcome), e->outcome);
	l->stored = s->puts;
	s->logged++;
	return 0;
}

static char *copy(const char *text)
{
	char *made = malloc(strlen(text) + 1);

	if (made == NULL)
		abort();
	return strcpy(made, text);
}

static void start(struct scene *s)
{
	const struct authority_memory memory = { s, put, find, purge, purged, put_log };

	s->kms = authority_new(&s->policy, &memory);
	if (s->kms == NULL)
		abort();
}

void scene_begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->now = SCENE_NOW;
	s->policy.identity = copy("sip:kms@example.com");
	s->policy.users = calloc(SCENE_USERS, sizeof(s->policy.users[0]));
	s->policy.user_count = SCENE_USERS;
	memset(s->policy.ticket_key, 0x77, sizeof(s->policy.ticket_key));
	for (int i = 0; i < SCENE_USERS; i++) {
		s->policy.users[i].identity = copy(users[i]);
		s->policy.users[i].psk_len = 32;
		memset(s->policy.users[i].psk, 0x10 + i, 32);
	}
	start(s);
}

void scene_restart(struct scene *s)
{
	authority_free(s->kms);
	start(s);
}

void scene_end(struct scene *s)
{
	authority_free(s->kms);
	kms_policy_clear(&s->policy);
	for (size_t i = 0; i < s->count; i++) {
		struct stored *r = &s->records[i];

		buf_clear(&r->handle);
		buf_clear(&r->run);
		buf_clear(&r->call_id);
		buf_clear(&r->a);
		buf_clear(&r->b);
		buf_clear(&r->r);
		buf_clear(&r->secret);
	}
}

struct bytes scene_psk(const struct scene *s, int user)
{
	return (struct bytes){ s->policy.users[user].psk, s->policy.users[user].psk_len };
}

void scene_answerer(struct scene *s, int user, const char *entry)
{
	char ***list = user < 0 ? &s->policy.answerers : &s->policy.users[user].answerers;
	size_t *count = user < 0 ? &s->policy.answerer_count : &s->policy.users[user].answerer_count;
	char **longer = realloc(*list, (*count + 1) * sizeof(longer[0]));

	if (longer == NULL)
		abort();
	*list = longer;
	longer[(*count)++] = copy(entry);
}

const struct logged *scene_last(const struct scene *s)
{
	return &s->log[s->logged - 1];
}

size_t scene_kept(const struct scene *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		kept += !s->records[i].purged;
	return kept;
}

struct xk_request scene_request(const struct scene *s, char number, enum key_mgmt protocol, const char *target)
{
	struct xk_request r = { .warrant = bytes_of("LIID-7"),
		.kms = bytes_of("sip:kms@example.com"),
		.target = bytes_of(target),
		.from = bytes_of("sip:alice@example.com"),
		.to = bytes_of("sip:bob@example.com"),
		.call_id = bytes_of("call-1@example.com"),
		.at = s->now,
		.protocol = protocol };

	memset(r.request, number, sizeof(r.request) - 1);
	return r;
}
