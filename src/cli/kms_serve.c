/*
 * kms_serve: the reference KMS as a process: its settings, its socket, and the authority between them. Who a client is its
 * certificate says; those that the settings name have the LI role and no other.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd_kms.h"
#include "otway/authority.h"
#include "otway/base/conf_kms.h"
#include "otway/base/file.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"
#include "otway/http.h"
#include "otway/key_store.h"

#define SWEEP_EVERY (60 * NSEC_PER_SEC) /* keys past their time are looked for so often */

struct server {
	struct conf_kms conf;
	struct kms_policy policy;
	struct key_store *keys;
	struct authority *authority;
	struct loop *loop;
	struct http_server *http;
};

/* The authority's memory is the key store. */
static int memory_put(void *arg, const struct key_record *r, struct err *err)
{
	return key_store_put(arg, r, err);
}

static int memory_find(void *arg, const struct key_record *like, int (*fn)(void *arg, const struct key_record *r),
	void *fn_arg, struct err *err)
{
	return key_store_find(arg, like, fn, fn_arg, err);
}

static int memory_purge(void *arg, const struct key_record *like, nsec_t now, size_t *count, struct err *err)
{
	return key_store_purge(arg, like, now, count, err);
}

static int memory_purged(void *arg, const struct key_record *like, struct err *err)
{
	return key_store_purged(arg, like, err);
}

static int memory_log(void *arg, const struct key_event *e, struct err *err)
{
	return key_store_log(arg, e, err);
}

static bool has_li_role(const struct server *s, const char *peer)
{
	for (unsigned i = 0; i < s->conf.li_clients_count; i++)
		if (strcmp(s->conf.li_clients[i], peer) == 0)
			return true;
	for (unsigned i = 0; i < s->conf.li_partners_count; i++)
		if (strcmp(s->conf.li_partners[i].client, peer) == 0)
			return true;
	return false;
}

/* What went wrong, for a peer: words of ours, never what it sent. */
static void say_error(struct http_answer *out, unsigned status, const char *what)
{
	json_t *body = json_pack("{s:s}", "error", what);
	char *text = json_dumps(body, JSON_COMPACT);

	out->status = status;
	out->type = "application/json";
	if (text != NULL)
		buf_text(&out->body, text);
	free(text);
	json_decref(body);
}

static void serve_keys(struct server *s, const struct http_request *in, struct http_answer *out)
{
	struct xk_request request = { 0 };
	struct xk_answer answer = { 0 };
	struct err err;

	if (xk_read_request(in->body, &request, &err) < 0) {
		say_error(out, 400, err.text);
	} else if (authority_keys(s->authority, &request, in->peer, nsec_now(), &answer, &err) < 0 ||
		   xk_write_answer(&answer, &out->body, &err) < 0) {
		buf_clear(&out->body);
		say_error(out, 503, "try later");
	} else {
		out->status = 200;
		out->type = "application/json";
	}
	xk_answer_clear(&answer);
	xk_request_clear(&request);
}

static void serve_ended(struct server *s, const struct http_request *in, struct http_answer *out)
{
	struct xk_request request = { 0 };
	struct err err;
	size_t purged = 0;

	if (xk_read_ended(in->body, &request, &err) < 0) {
		say_error(out, 400, err.text);
	} else if (authority_ended(s->authority, &request, in->peer, nsec_now(), &purged, &err) < 0) {
		say_error(out, 503, "try later");
	} else {
		out->status = 200;
		out->type = "application/json";
		buf_printf(&out->body, "{\"request\":\"%s\",\"purged\":%zu}", request.request, purged);
	}
	xk_request_clear(&request);
}

static void serve_user(struct server *s, enum key_mgmt protocol, const struct http_request *in, struct http_answer *out)
{
	struct err err;

	if (authority_user(s->authority, protocol, in->body, in->peer, nsec_now(), &out->body, &err) < 0) {
		buf_clear(&out->body);
		if (err.code == EXIT_USAGE)
			say_error(out, 400, err.text);
		else
			say_error(out, 503, "try later");
		return;
	}
	out->status = 200;
	out->type = protocol == KEY_MGMT_MIKEY ? "application/mikey" : "application/otway-rees";
}

static void serve(void *arg, const struct http_request *in, struct http_answer *out)
{
	static const char user_path[] = "/keymanagement";
	struct server *s = arg;
	bool li = has_li_role(s, in->peer),
	     of_li = strcmp(in->path, XK_KEYS_PATH) == 0 || strcmp(in->path, XK_ENDED_PATH) == 0;

	if (!of_li && strcmp(in->path, user_path) != 0)
		say_error(out, 404, "there is nothing at this path");
	else if (strcmp(in->method, "POST") != 0)
		say_error(out, 405, "only POST is answered");
	else if (of_li != li)
		say_error(out, 403, li ? "a client with the LI role is no user" : "this client has no LI role");
	else if (of_li && strcmp(in->type, "application/json") != 0)
		say_error(out, 415, "the body is application/json");
	else if (of_li)
		(strcmp(in->path, XK_KEYS_PATH) == 0 ? serve_keys : serve_ended)(s, in, out);
	else if (strcmp(in->query, "requesttype=ticketrequest") == 0 ||
		 strcmp(in->query, "requesttype=ticketresolve") == 0)
		serve_user(s, KEY_MGMT_MIKEY, in, out);
	else if (strcmp(in->query, "requesttype=otwayrees") == 0)
		serve_user(s, KEY_MGMT_OTWAY_REES, in, out);
	else
		say_error(out, 404, "requesttype is ticketrequest, ticketresolve or otwayrees");
}

static int read_span(const char *what, const char *text, nsec_t *out, struct err *err)
{
	char plus[64];

	if (text == NULL)
		return 0;
	snprintf(plus, sizeof(plus), "+%s", text);
	if (nsec_parse(plus, 0, out, err) < 0 || *out <= 0)
		return err_code(err, EXIT_USAGE, "%s: a span of time is a number and a unit, as in 24h", what);
	return 0;
}

static char **list_copy(char *const *all, unsigned count, size_t *out_count)
{
	char **copy = calloc((size_t)count + 1, sizeof(*copy));

	for (unsigned i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(all[i]);
		if (copy[i] == NULL)
			return NULL; /* the process ends at once */
		*out_count = i + 1;
	}
	return copy;
}

static int read_user(const struct conf_kms_user *from, unsigned number, struct kms_user *u, struct err *err)
{
	long len = text_unhex(bytes_of(from->psk), u->psk, sizeof(u->psk));
	struct identity id;

	if (!identity_parse(bytes_of(from->identity), &id))
		return err_code(
			err, EXIT_USAGE, "users: entry %u: identity is a sip or tel URI with a user part", number);
	identity_clear(&id);
	if (len < 16)
		return err_code(err, EXIT_USAGE, "users: entry %u: psk is 32 to 128 hex digits", number);
	u->psk_len = (size_t)len;
	u->identity = strdup(from->identity);
	u->answerers = list_copy(from->answerers, from->answerers_count, &u->answerer_count);
	return u->identity != NULL && u->answerers != NULL ? 0 : err_set(err, "out of memory");
}

/* Who is at once of the own network and another's, or another's twice, would have more than one of them says. */
static bool named_before(const struct conf_kms *c, unsigned at)
{
	for (unsigned i = 0; i < c->li_clients_count; i++)
		if (strcmp(c->li_clients[i], c->li_partners[at].client) == 0)
			return true;
	for (unsigned i = 0; i < at; i++)
		if (strcmp(c->li_partners[i].client, c->li_partners[at].client) == 0)
			return true;
	return false;
}

static int read_partners(const struct conf_kms *c, struct kms_policy *p, struct err *err)
{
	p->partners = calloc((size_t)c->li_partners_count + 1, sizeof(*p->partners));
	if (p->partners == NULL)
		return err_set(err, "out of memory");
	for (unsigned i = 0; i < c->li_partners_count; i++) {
		const struct conf_kms_partner *from = &c->li_partners[i];
		struct kms_partner *to = &p->partners[i];

		if (from->homes_count == 0 || named_before(c, i))
			return err_code(err, EXIT_USAGE, "li_partners: entry %u: %s", i + 1,
				from->homes_count == 0 ? "homes is missing: the domains whose users it may ask for"
						       : "this client is named before");
		p->partner_count = i + 1;
		to->client = strdup(from->client);
		to->homes = list_copy(from->homes, from->homes_count, &to->home_count);
		if (to->client == NULL || to->homes == NULL)
			return err_set(err, "out of memory");
	}
	return 0;
}

static int read_policy(struct server *s, struct err *err)
{
	const struct conf_kms *c = &s->conf;
	struct kms_policy *p = &s->policy;

	p->identity = strdup(c->identity);
	p->no_forking = c->no_forking;
	p->answerers = list_copy(c->answerers, c->answerers_count, &p->answerer_count);
	p->users = calloc((size_t)c->users_count + 1, sizeof(*p->users));
	if (p->identity == NULL || p->answerers == NULL || p->users == NULL)
		return err_set(err, "out of memory");
	if (read_partners(c, p, err) < 0)
		return -1;
	for (unsigned i = 0; i < c->users_count; i++) {
		p->user_count = i + 1;
		if (read_user(&c->users[i], i + 1, &p->users[i], err) < 0)
			return -1;
	}
	if (read_span("keep", c->keep, &p->keep, err) < 0 ||
		read_span("ticket_life", c->ticket_life, &p->ticket_life, err) < 0)
		return -1;
	return key_store_derive(s->keys, "otway kms ticket", p->ticket_key)
		       ? 0
		       : err_set(err, "the key of tickets cannot be derived");
}

static int write_port(const struct cli *c, unsigned port, struct err *err)
{
	const char *path = args_text(c, "port-file");
	FILE *f = path != NULL ? fopen(path, "we") : NULL;

	if (path == NULL)
		return 0;
	if (f == NULL || fprintf(f, "%u\n", port) < 0 || fclose(f) != 0)
		return err_set(err, "%s: cannot be written", path);
	return 0;
}

static int begin(struct server *s, const struct cli *c, struct err *err)
{
	const struct conf_kms *conf = &s->conf;
	const struct tls_files tls = { conf->ca, conf->cert, conf->key };
	struct authority_memory memory = { NULL, memory_put, memory_find, memory_purge, memory_purged, memory_log };

	if (key_store_open(&s->keys, conf->store, conf->store_key, err) < 0 || read_policy(s, err) < 0)
		return -1;
	memory.arg = s->keys;
	s->authority = authority_new(&s->policy, &memory);
	s->loop = loop_new();
	if (s->authority == NULL || s->loop == NULL)
		return err_set(err, "out of memory");
	if (http_server_new(&s->http, s->loop, conf->listen, &tls, XK_BODY_MAX, serve, s, err) < 0 ||
		loop_stop_on_signal(s->loop, err) < 0)
		return -1;
	return write_port(c, http_server_port(s->http), err);
}

static int run(struct server *s, const struct cli *c, struct err *err)
{
	output_note(c, "otway kms: %s listens on port %u", s->policy.identity, http_server_port(s->http));
	do {
		if (key_store_expire(s->keys, nsec_now(), NULL, err) < 0)
			return -1;
	} while (!loop_run(s->loop, loop_now() + SWEEP_EVERY));
	return EXIT_DONE;
}

int kms_serve(struct cli *c, struct err *err)
{
	struct server s = { 0 };
	int rc = -1;

	if (conf_kms_read(c->operands[0], &s.conf, err) == 0 && begin(&s, c, err) == 0)
		rc = run(&s, c, err);
	http_server_free(s.http);
	loop_free(s.loop);
	authority_free(s.authority);
	key_store_free(s.keys);
	kms_policy_clear(&s.policy);
	conf_kms_clear(&s.conf);
	return rc < 0 ? cli_no_file(err) : rc;
}
