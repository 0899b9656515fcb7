/*
 * kms: what an exchange costs in the KMS and in who asks it, as a multiple of the cryptography that it cannot do without (libcrypto,
 * the same round) and of one TLS 1.3 handshake (both ends, libssl): kms CERTS FOLDER. First with a memory that is an array, then
 * with the key store in FOLDER, which syncs each change. CPU time, user and system; medians of rounds. Prints; judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "../support/authority_scene.h"
#include "kms_floor.h"
#include "kms_store.h"
#include "kms_users.h"
#include "otway/keys.h"

#define CALLS        16 /* of each kind in a round */
#define ROUNDS       41
#define STORE_ROUNDS 9

enum op {
	TICKET,
	RESOLVE,
	RESOLVE_OWN,
	REES,
	KEYS_TICKET,
	KEYS_OWN,
	KEYS_REES,
	KEYS_IDENTITY,
	CLIENT_MIKEY,
	CLIENT_REES,
	READ_SESSIONS,
	HANDSHAKE,
	OPS
};

static const char *const names[OPS] = { "KMS: REQUEST_INIT answered (mode 1)", "KMS: RESOLVE_INIT answered (mode 1)",
	"KMS: RESOLVE_INIT answered (mode 3)", "KMS: Otway-Rees message 2 answered",
	"KMS: keys for LI, ticket of mode 1, by messages", "KMS: keys for LI, ticket of mode 3, by messages",
	"KMS: keys for LI, Otway-Rees, by messages", "KMS: keys for LI, Otway-Rees, by dialog",
	"client: MIKEY, wanted to keys given", "client: Otway-Rees, wanted to keys given",
	"client: mikey_read_sessions", "one TLS 1.3 handshake, both ends" };

struct cost {
	double cpu, wall, floor; /* seconds of a call */
};

struct round {
	struct authority *kms;
	const struct kms_policy *policy;
	nsec_t now;
	struct cost of[OPS];
	struct floor floors[OPS];
	double cpu, wall; /* when what is measured began */
};

static double clock_of(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct round *r)
{
	r->wall = clock_of(CLOCK_MONOTONIC);
	r->cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void end(struct round *r, enum op op)
{
	r->of[op].cpu += (clock_of(CLOCK_PROCESS_CPUTIME_ID) - r->cpu) / CALLS;
	r->of[op].wall += (clock_of(CLOCK_MONOTONIC) - r->wall) / CALLS;
}

static void user_asks(
	struct round *r, enum key_mgmt protocol, struct buf *const *in, struct buf *const *out, enum op op)
{
	begin(r);
	for (int i = 0; i < CALLS; i++)
		must(authority_user(r->kms, protocol, buf_bytes(in[i]), "user", r->now, out[i], NULL) == 0, names[op]);
	end(r, op);
}

/* The last answer is left in *out. */
static void li_asks(struct round *r, const struct xk_request *all, enum op op, struct xk_answer *out)
{
	begin(r);
	for (int i = 0; i < CALLS; i++)
		must(authority_keys(r->kms, &all[i], "mediation", r->now, out, NULL) == 0 && out->failure == XK_NONE,
			names[op]);
	end(r, op);
}

static char own_name[] = "sip:kms@example.com", url[] = "https://127.0.0.1", none[] = "";

/* Fetches what is to be done until nothing is; the exchange and id of the last request. */
static unsigned drain(struct keys *k, struct keys_reply *reply, char request[KEY_REQUEST_ID], size_t *octets)
{
	struct keys_out out;
	unsigned answers = 0;

	while (keys_next(k, &out)) {
		if (out.kind == KEYS_SEND) {
			reply->exchange = out.exchange;
			*octets = out.body.len;
		} else if (out.kind == KEYS_TRACE) {
			memcpy(request, out.request, KEY_REQUEST_ID);
		} else {
			answers += out.answer->reason == SEAL_NONE && out.answer->key_count > 0;
		}
	}
	return answers;
}

/* The keys client from what signalling tells to keys, the KMS being whoever holds the answer. */
static void client(struct round *r, enum op op, const struct xk_request *told, struct xk_answer *answer)
{
	struct kms_agreement agreement = { .number = 1, .identity = own_name, .url = url };
	const struct kms_agreements agreements = { &agreement, 1 };
	struct warrant warrant = { .number = 9, .liid = "LI-7", .agency = none, .authority = none };
	const struct warrant_set warrants = { &warrant, 1 };
	const struct keys_options options = { .seed = 7 };
	struct keys *k = keys_new(&options);
	struct keys_reply replies[CALLS];
	struct buf bodies[CALLS] = { 0 };
	char requests[CALLS][KEY_REQUEST_ID];
	size_t octets = 0;
	unsigned answers = 0;

	keys_agreements(k, &agreements);
	keys_warrants(k, &warrants);
	begin(r);
	for (uint32_t i = 0; i < CALLS; i++) {
		const struct key_wanted w = { .number = i + 1,
			.call = i + 1,
			.warrant = 9,
			.at = r->now,
			.protocol = told->protocol,
			.offer = told->offer,
			.answer = told->answer,
			.target = told->target,
			.from = told->from,
			.to = told->to,
			.answered = told->answered,
			.call_id = told->call_id };

		must(keys_take(k, &w, r->now), "keys_take");
		drain(k, &replies[i], requests[i], &octets);
	}
	end(r, op);
	for (int i = 0; i < CALLS; i++) {
		memcpy(answer->request, requests[i], KEY_REQUEST_ID);
		must(xk_write_answer(answer, &bodies[i], NULL) == 0, "an answer");
		replies[i].status = 200;
		replies[i].trusted = true;
		replies[i].body = buf_bytes(&bodies[i]);
	}
	r->floors[op] = (struct floor){ .gcms = 2, .gcm_octets = (octets + bodies[0].len) / 2 };
	begin(r);
	for (uint32_t i = 0; i < CALLS; i++) {
		keys_reply(k, &replies[i], r->now);
		answers += drain(k, &replies[i], requests[i], &octets);
		keys_call_over(k, i + 1, false, r->now);
		drain(k, &replies[i], requests[i], &octets);
	}
	end(r, op);
	must(answers == CALLS, names[op]);
	for (int i = 0; i < CALLS; i++)
		buf_clear(&bodies[i]);
	keys_free(k);
}

static void read_sessions(struct round *r, struct user_call *const *calls)
{
	struct mikey_stream streams[MIKEY_STREAMS];

	begin(r);
	for (int i = 0; i < CALLS; i++) {
		struct mikey init, resp;
		const struct mikey_exchange e = { &init, &resp };

		must(mikey_decode(buf_bytes(&calls[i]->init), &init, NULL) &&
				mikey_decode(buf_bytes(&calls[i]->resp), &resp, NULL) &&
				mikey_read_sessions(&e, 1, streams) == 2,
			names[READ_SESSIONS]);
	}
	end(r, READ_SESSIONS);
}

/* Two HMACs make one derived key. Of a mode 1 ticket its own key is derived by HKDF besides. */
static void mikey_floors(struct round *r, const struct user_call *c, bool own)
{
	enum op resolve = own ? RESOLVE_OWN : RESOLVE, keys = own ? KEYS_OWN : KEYS_TICKET;
	unsigned hkdf = own ? 0 : 2;
	size_t ticket = c->ticket.whole.len;

	if (!own)
		r->floors[TICKET] = (struct floor){ .labels_sha1 = 14,
			.labels_sha256 = hkdf,
			.ciphers = 2,
			.macs = { c->request.len, c->granted.len + c->request.len, ticket } };
	r->floors[resolve] = (struct floor){ .labels_sha1 = 22,
		.labels_sha256 = hkdf,
		.ciphers = 2,
		.macs = { c->resolve.len, c->resolved.len + c->resolve.len, ticket, ticket } };
	r->floors[keys] = (struct floor){ .labels_sha1 = 24,
		.labels_sha256 = hkdf,
		.ciphers = 1,
		.macs = { c->init.len, c->resp.len + c->init.len, ticket } };
}

static void mikey_round(struct round *r, uint32_t number, bool own)
{
	struct buf *requests[CALLS], *granted[CALLS], *resolves[CALLS], *resolved[CALLS];
	struct user_call *calls[CALLS];
	struct xk_request asked[CALLS];
	struct xk_answer answer;

	for (int i = 0; i < CALLS; i++) {
		struct user_call *c = calls[i] = call_new(r->policy, r->now, number + (uint32_t)i);

		requests[i] = &c->request;
		granted[i] = &c->granted;
		resolves[i] = &c->resolve;
		resolved[i] = &c->resolved;
		(own ? call_make_ticket : call_request)(c);
	}
	if (!own)
		user_asks(r, KEY_MGMT_MIKEY, requests, granted, TICKET);
	for (int i = 0; i < CALLS; i++) {
		if (!own)
			call_granted(calls[i]);
		call_offer(calls[i]);
	}
	user_asks(r, KEY_MGMT_MIKEY, resolves, resolved, own ? RESOLVE_OWN : RESOLVE);
	for (int i = 0; i < CALLS; i++) {
		call_answer(calls[i]);
		asked[i] = li_request(r->policy, r->now, KEY_MGMT_MIKEY, "a dialog");
		asked[i].offer = buf_bytes(&calls[i]->init);
		asked[i].answer = buf_bytes(&calls[i]->resp);
	}
	li_asks(r, asked, own ? KEYS_OWN : KEYS_TICKET, &answer);
	mikey_floors(r, calls[0], own);
	if (!own) {
		client(r, CLIENT_MIKEY, &asked[CALLS - 1], &answer);
		read_sessions(r, calls);
	}
	xk_answer_clear(&answer);
	for (int i = 0; i < CALLS; i++)
		call_free(calls[i]);
}

static void rees_round(struct round *r, uint32_t number)
{
	struct buf *requests[CALLS], *responses[CALLS];
	struct user_run runs[CALLS];
	struct xk_request by_message[CALLS], by_dialog[CALLS];
	struct xk_answer answer;

	for (int i = 0; i < CALLS; i++) {
		run_begin(&runs[i], r->policy, number + (uint32_t)i);
		requests[i] = &runs[i].request;
		responses[i] = &runs[i].response;
	}
	user_asks(r, KEY_MGMT_OTWAY_REES, requests, responses, REES);
	for (int i = 0; i < CALLS; i++) {
		run_answer(&runs[i]);
		by_dialog[i] = li_request(r->policy, r->now, KEY_MGMT_OTWAY_REES, runs[i].call_id);
		by_message[i] = by_dialog[i];
		by_message[i].offer = buf_bytes(&runs[i].offer);
		by_message[i].answer = buf_bytes(&runs[i].answer);
	}
	li_asks(r, by_dialog, KEYS_IDENTITY, &answer);
	li_asks(r, by_message, KEYS_REES, &answer);
	r->floors[REES] = (struct floor){ .labels_sha256 = 6, .gcms = 4, .gcm_octets = 120 };
	r->floors[KEYS_REES] = r->floors[KEYS_IDENTITY] = (struct floor){ .labels_sha256 = 6 };
	client(r, CLIENT_REES, &by_message[CALLS - 1], &answer);
	xk_answer_clear(&answer);
	for (int i = 0; i < CALLS; i++)
		run_clear(&runs[i]);
}

/* Each floor right beside what it is the floor of. */
static void floors(struct round *r)
{
	for (int op = 0; op < READ_SESSIONS; op++) {
		double start = clock_of(CLOCK_PROCESS_CPUTIME_ID);

		for (int i = 0; i < CALLS; i++)
			floor_run(&r->floors[op]);
		r->of[op].floor = (clock_of(CLOCK_PROCESS_CPUTIME_ID) - start) / CALLS;
	}
	begin(r);
	for (int i = 0; i < CALLS; i++)
		floor_tls();
	end(r, HANDSHAKE);
}

static void go_round(struct round *r, uint32_t number)
{
	mikey_round(r, number, false);
	mikey_round(r, number + CALLS, true);
	rees_round(r, number + 2 * CALLS);
	floors(r);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum what { CPU, WALL, FLOOR, TO_FLOOR, TO_HANDSHAKE };

static double median(const struct round *r, int rounds, int op, enum what what)
{
	double all[ROUNDS];

	for (int i = 0; i < rounds; i++) {
		const struct cost *c = &r[i].of[op];

		all[i] = what == CPU        ? c->cpu
			 : what == WALL     ? c->wall
			 : what == FLOOR    ? c->floor
			 : what == TO_FLOOR ? c->cpu / c->floor
					    : c->cpu / r[i].of[HANDSHAKE].cpu;
	}
	qsort(all, (size_t)rounds, sizeof(all[0]), by_value);
	return all[rounds / 2];
}

static void print(const struct round *r, int rounds, int last, const char *title)
{
	printf("\n%-50s %9s %9s %9s %9s %9s\n", title, "CPU us", "wall us", "floor us", "ratio", "of a TLS");
	for (int op = 0; op < last; op++) {
		printf("%-50s %9.1f %9.1f ", names[op], 1e6 * median(r, rounds, op, CPU),
			1e6 * median(r, rounds, op, WALL));
		if (op < READ_SESSIONS)
			printf("%9.1f %9.2f ", 1e6 * median(r, rounds, op, FLOOR), median(r, rounds, op, TO_FLOOR));
		else
			printf("%20s", "");
		printf("%9.3f\n", median(r, rounds, op, TO_HANDSHAKE));
	}
	fflush(stdout);
}

static void with_array(struct round *all)
{
	struct scene s;

	for (int i = 0; i < ROUNDS; i++) {
		scene_begin(&s);
		all[i] = (struct round){ .kms = s.kms, .policy = &s.policy, .now = s.now };
		go_round(&all[i], 0);
		scene_end(&s);
	}
	print(all, ROUNDS, OPS, "memory: an array");
}

static void with_store(struct round *all, const char *folder)
{
	struct authority_memory memory;
	char path[512], key[512];
	struct key_store *store;
	struct authority *kms;
	struct scene s;

	snprintf(path, sizeof(path), "%s/kms.db", folder);
	snprintf(key, sizeof(key), "%s/store.key", folder);
	must(key_store_open(&store, path, key, NULL) == 0, "the key store");
	memory = store_memory(store);
	scene_begin(&s);
	kms = authority_new(&s.policy, &memory);
	for (int i = 0; i < STORE_ROUNDS; i++) {
		all[i] = (struct round){ .kms = kms, .policy = &s.policy, .now = s.now };
		go_round(&all[i], (uint32_t)(3 * CALLS * i));
	}
	print(all, STORE_ROUNDS, CLIENT_MIKEY, "memory: the key store, synced");
	authority_free(kms);
	scene_end(&s);
	key_store_free(store);
}

int main(int argc, char **argv)
{
	static struct round all[ROUNDS];

	if (argc != 3) {
		fprintf(stderr, "kms CERTS FOLDER\n");
		return 2;
	}
	floor_tls_begin(argv[1]);
	with_array(all);
	with_store(all, argv[2]);
	return 0;
}
