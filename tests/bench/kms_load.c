/*
 * kms_load: how many requests a second one `otway kms serve` answers over mutual TLS on loopback, to 32 connections that ask all the
 * time: kms_load PORT PID FOLDER DOMAIN PSK PSK KEYS. Keys for the user side and the LI side, beside a request that the same server
 * refuses at once, and beside a server by the same io that does nothing but answer. FOLDER has the certificates, PSKs are those of
 * alice and bob, KEYS is how many keys a round asks for. CPU time is that of the server's process. Medians of rounds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kms_users.h"
#include "otway/base/text.h"
#include "otway/http.h"

#define ROUNDS      5
#define CONNECTIONS 32
#define PLAIN       2000 /* requests of a round that need no key */
#define TIMEOUT     (60 * NSEC_PER_SEC)
#define ECHOED      330 /* octets, about those of an answer with two keys */

enum kind { ECHO, REFUSED, USER, LI, KINDS };
static const char *const names[KINDS] = { "bare answer by the same io", "refused at once (400)",
	"Otway-Rees message 2, user side", "keys by messages, LI side" };

struct asker {
	struct loop *loop;
	struct http_client *client;
	const char *path, *type;
	const struct buf *bodies;
	struct user_run *runs; /* whose responses are kept; NULL */
	unsigned next, done, count, status;
};

struct slot {
	struct asker *asker;
	unsigned number;
};

struct result {
	double rate, cpu; /* a second; seconds of the server each */
};

struct bench {
	char folder[256], identity[300], users[2][300];
	struct kms_user user[2];
	struct kms_policy policy;
	unsigned keys, port, echo_port;
	pid_t kms, echo;
	struct loop *loop;
	struct http_client *li, *proxy, *at_echo;
	struct result of[KINDS][ROUNDS];
};

static double clock_of(clockid_t which)
{
	struct timespec t;

	must(clock_gettime(which, &t) == 0, "a clock");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ask_next(struct asker *a);

static void answered(void *arg, const struct http_reply *r)
{
	struct slot *s = arg;
	struct asker *a = s->asker;

	if (r->status != a->status) {
		fprintf(stderr, "%s: %u\n", a->path, r->status);
		exit(2);
	}
	if (a->runs != NULL)
		buf_add(&a->runs[s->number].response, r->body.at, r->body.len);
	free(s);
	if (++a->done == a->count)
		loop_stop(a->loop);
	else if (a->next < a->count)
		ask_next(a);
}

static void ask_next(struct asker *a)
{
	struct slot *s = malloc(sizeof(*s));

	must(s != NULL, "memory");
	*s = (struct slot){ a, a->next++ };
	must(http_post(a->client, a->path, a->type, buf_bytes(&a->bodies[s->number]), TIMEOUT, answered, s),
		"http_post");
}

static struct result ask(struct asker *a, pid_t server)
{
	struct result r;
	double wall, cpu;
	clockid_t clock;

	must(clock_getcpuclockid(server, &clock) == 0, "the server's clock");
	cpu = clock_of(clock);
	wall = clock_of(CLOCK_MONOTONIC);
	while (a->next < a->count && a->next < CONNECTIONS)
		ask_next(a);
	must(loop_run(a->loop, NSEC_NONE) && a->done == a->count, "asking");
	r.rate = a->count / (clock_of(CLOCK_MONOTONIC) - wall);
	r.cpu = (clock_of(clock) - cpu) / a->count;
	return r;
}

static void echo(void *arg, const struct http_request *in, struct http_answer *out)
{
	static const char octets[ECHOED];

	(void)arg;
	(void)in;
	out->status = 200;
	out->type = "application/json";
	buf_add(&out->body, octets, sizeof(octets));
}

static struct tls_files files(const char *folder, const char *who)
{
	static char paths[3][3][400];
	static int turn;
	char(*p)[400] = paths[turn++ % 3];

	snprintf(p[0], sizeof(p[0]), "%s/ca.ca.pem", folder);
	snprintf(p[1], sizeof(p[1]), "%s/ca.%s.pem", folder, who);
	snprintf(p[2], sizeof(p[2]), "%s/ca.%s.key", folder, who);
	return (struct tls_files){ p[0], p[1], p[2] };
}

/* A process of its own; it tells its port through a pipe. */
static void start_echo(struct bench *b)
{
	struct http_server *server;
	struct tls_files tls = files(b->folder, "kms");
	struct loop *loop;
	int told[2];

	must(pipe(told) == 0 && (b->echo = fork()) >= 0, "a process");
	if (b->echo > 0) {
		must(read(told[0], &b->echo_port, sizeof(b->echo_port)) == sizeof(b->echo_port), "the bare server");
		return;
	}
	loop = loop_new();
	must(http_server_new(&server, loop, "127.0.0.1:0", &tls, 65536, echo, NULL, NULL) == 0, "the bare server");
	b->echo_port = http_server_port(server);
	must(write(told[1], &b->echo_port, sizeof(b->echo_port)) == sizeof(b->echo_port), "a pipe");
	loop_run(loop, NSEC_NONE);
	_exit(0);
}

/* A client whose connections are made already. */
static struct http_client *client_of(struct bench *b, const char *who, unsigned port, const char *path, unsigned status)
{
	struct tls_files tls = files(b->folder, who);
	struct buf bodies[CONNECTIONS] = { 0 };
	struct asker a = { .loop = b->loop,
		.path = path,
		.type = "application/json",
		.bodies = bodies,
		.count = CONNECTIONS,
		.status = status };
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
	must(http_client_new(&a.client, b->loop, url, &tls, NULL) == 0, "a client");
	ask(&a, getpid());
	return a.client;
}

static void li_bodies(struct bench *b, const struct user_run *runs, struct buf *bodies)
{
	for (unsigned i = 0; i < b->keys; i++) {
		struct xk_request r = li_request(&b->policy, nsec_now(), KEY_MGMT_OTWAY_REES, runs[i].call_id);

		snprintf(r.request, sizeof(r.request), "%032x", i);
		r.offer = buf_bytes(&runs[i].offer);
		r.answer = buf_bytes(&runs[i].answer);
		buf_clear(&bodies[i]);
		must(xk_write_request(&r, &bodies[i], NULL) == 0, "a request");
	}
}

static void plain(struct bench *b, int round)
{
	struct buf *bodies = calloc(PLAIN, sizeof(*bodies));
	struct asker a = { .loop = b->loop,
		.client = b->at_echo,
		.path = XK_KEYS_PATH,
		.type = "application/json",
		.bodies = bodies,
		.count = PLAIN,
		.status = 200 };
	struct asker refused = a;

	must(bodies != NULL, "memory");
	b->of[ECHO][round] = ask(&a, b->echo);
	refused.client = b->li;
	refused.status = 400;
	b->of[REFUSED][round] = ask(&refused, b->kms);
	free(bodies);
}

static void keys(struct bench *b, int round)
{
	struct user_run *runs = calloc(b->keys, sizeof(*runs));
	struct buf *bodies = calloc(b->keys, sizeof(*bodies));
	struct asker a = { .loop = b->loop,
		.client = b->proxy,
		.path = "/keymanagement?requesttype=otwayrees",
		.type = "application/otway-rees",
		.bodies = bodies,
		.runs = runs,
		.count = b->keys,
		.status = 200 };

	must(runs != NULL && bodies != NULL, "memory");
	for (unsigned i = 0; i < b->keys; i++) {
		run_begin(&runs[i], &b->policy, (unsigned)round * b->keys + i);
		buf_add(&bodies[i], runs[i].request.at, runs[i].request.len);
	}
	b->of[USER][round] = ask(&a, b->kms);
	for (unsigned i = 0; i < b->keys; i++)
		run_answer(&runs[i]);
	li_bodies(b, runs, bodies);
	a = (struct asker){ .loop = b->loop,
		.client = b->li,
		.path = XK_KEYS_PATH,
		.type = "application/json",
		.bodies = bodies,
		.count = b->keys,
		.status = 200 };
	b->of[LI][round] = ask(&a, b->kms);
	for (unsigned i = 0; i < b->keys; i++) {
		run_clear(&runs[i]);
		buf_clear(&bodies[i]);
	}
	free(runs);
	free(bodies);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *all)
{
	qsort(all, ROUNDS, sizeof(*all), by_value);
	return all[ROUNDS / 2];
}

static void print(const struct bench *b)
{
	printf("%-36s %10s %10s %14s %14s\n", "", "a second", "CPU us", "rate to bare", "CPU to bare");
	for (int kind = 0; kind < KINDS; kind++) {
		double rate[ROUNDS], cpu[ROUNDS], rates[ROUNDS], cpus[ROUNDS];

		for (int i = 0; i < ROUNDS; i++) {
			rate[i] = b->of[kind][i].rate;
			cpu[i] = b->of[kind][i].cpu * 1e6;
			rates[i] = b->of[kind][i].rate / b->of[ECHO][i].rate;
			cpus[i] = b->of[kind][i].cpu / b->of[ECHO][i].cpu;
		}
		printf("%-36s %10.0f %10.0f %14.3f %14.2f\n", names[kind], median(rate), median(cpu), median(rates),
			median(cpus));
	}
}

static void settle(struct bench *b, char **argv)
{
	b->port = (unsigned)strtoul(argv[1], NULL, 10);
	b->kms = (pid_t)strtol(argv[2], NULL, 10);
	snprintf(b->folder, sizeof(b->folder), "%s", argv[3]);
	snprintf(b->identity, sizeof(b->identity), "sip:kms@%s", argv[4]);
	b->keys = (unsigned)strtoul(argv[7], NULL, 10);
	for (int i = 0; i < 2; i++) {
		long len = text_unhex(bytes_of(argv[5 + i]), b->user[i].psk, sizeof(b->user[i].psk));

		must(len > 0, "a PSK");
		b->user[i].psk_len = (size_t)len;
		snprintf(b->users[i], sizeof(b->users[i]), "sip:%s@%s", i == 0 ? "alice" : "bob", argv[4]);
		b->user[i].identity = b->users[i];
	}
	b->policy = (struct kms_policy){ .identity = b->identity, .users = b->user, .user_count = 2 };
}

int main(int argc, char **argv)
{
	static struct bench b;

	if (argc != 8) {
		fprintf(stderr, "kms_load PORT PID FOLDER DOMAIN PSK PSK KEYS\n");
		return 2;
	}
	settle(&b, argv);
	start_echo(&b);
	b.loop = loop_new();
	b.li = client_of(&b, "li", b.port, XK_KEYS_PATH, 400);
	b.proxy = client_of(&b, "proxy", b.port, "/nothing", 404);
	b.at_echo = client_of(&b, "li", b.echo_port, "/", 200);
	for (int i = 0; i < ROUNDS; i++) {
		plain(&b, i);
		keys(&b, i);
	}
	kill(b.echo, SIGKILL);
	waitpid(b.echo, NULL, 0);
	print(&b);
	return 0;
}
