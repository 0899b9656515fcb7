/*
 * kms_hold: what waiting for keys costs. First the heap of media that is held for a key, beside the octets that came; then the keys
 * client in virtual time: so many set-ups a second that need keys of a KMS that answers in 50 ms. Prints; judges nothing.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kms_users.h"
#include "otway/keys.h"
#include "otway/media.h"

#define MILLISECOND INT64_C(1000000)
#define STREAMS     200
#define PACKETS     250 /* 5 s of each */
#define HEAD        28  /* IPv4 and UDP */
#define DELAY       (50 * MILLISECOND)
#define SECONDS     30
#define SLOTS       65536 /* exchanges whose answers are due; a power of 2 */

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static struct addr at(uint32_t host, uint16_t port)
{
	struct addr a = { .family = 4, .port = port };

	put_be32(a.ip, 0xc0000200 + host);
	return a;
}

static void say(struct media *m, struct step *step)
{
	media_step(m, step);
	memset(step, 0, sizeof(*step));
}

/* A call that waits for a key, with one place. */
static void open_call(struct media *m, struct step *step, uint32_t call)
{
	struct place *p = &step->place;

	*step = (struct step){ .kind = STEP_COVER, .call = call, .cover_count = 1 };
	step->covers[0] = (struct cover){ 1, INT64_MIN + 1, NSEC_EVER };
	say(m, step);
	*step = (struct step){ .kind = STEP_PLACE, .call = call };
	*p = (struct place){
		.call = call, .answered = true, .secure = true, .mikey = true, .waiting = true, .format_count = 1
	};
	p->rtp = at(1, (uint16_t)(10000 + 2 * call));
	p->formats[0] = (struct media_format){ .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 };
	strcpy(p->kind, "audio");
	strcpy(p->profile, "RTP/SAVP");
	say(m, step);
}

static void send(struct media *m, uint32_t call, uint16_t number, size_t payload)
{
	uint8_t packet[512] = { 0x45 };
	struct datagram d = { .at = number * 20 * MILLISECOND,
		.proto = 17,
		.packet = { packet, HEAD + payload },
		.payload = { packet + HEAD, payload },
		.flow = { at(2, 4000), at(1, (uint16_t)(10000 + 2 * call)) } };

	packet[HEAD] = 0x80;
	put_be16(packet + HEAD + 2, number);
	put_be32(packet + HEAD + 4, number * 160U);
	put_be32(packet + HEAD + 8, call);
	for (size_t i = 12; i < payload; i++) /* of no framing */
		packet[HEAD + i] = (uint8_t)((number + call) * 2654435761U >> (i % 24));
	must(media_wants(m, &d), "media_wants");
	media_take(m, &d);
}

/* One packet of each stream; returns how many went out again, sealed. */
static size_t turn(struct media *m, uint16_t number, size_t payload)
{
	const struct media_packet *p;
	const struct cover *covers;
	size_t out = 0, count;

	for (uint32_t call = 1; call <= STREAMS; call++) {
		send(m, call, number, payload);
		while (media_next(m, &p, &covers, &count))
			out++;
	}
	return out;
}

/* The heap of a call that waits, of its stream when that begins, and of all when no more is let in. */
static void hold(size_t payload, size_t hold_octets)
{
	const struct media_options options = { .hold_octets = hold_octets };
	struct step *step = calloc(1, sizeof(*step));
	size_t before = heap(), open, begun, full, kept;
	struct media *m = media_new(&options);

	must(m != NULL && step != NULL, "memory");
	for (uint32_t call = 1; call <= STREAMS; call++)
		open_call(m, step, call);
	open = heap();
	kept = (size_t)STREAMS * PACKETS - turn(m, 1, payload);
	begun = heap();
	for (uint16_t number = 2; number <= PACKETS; number++)
		kept -= turn(m, number, payload);
	full = heap();
	printf("%8zu %12zu %10zu %12zu %10zu %12zu %8.2f\n", HEAD + payload, hold_octets, (open - before) / STREAMS,
		(begun - open) / STREAMS, kept / STREAMS, (full - before) / STREAMS,
		(double)(full - before) / (double)(kept * (HEAD + payload)));
	media_free(m);
	free(step);
}

struct due {
	nsec_t at;
	uint64_t exchange;
	char request[KEY_REQUEST_ID];
};

struct load {
	struct keys *keys;
	nsec_t now;
	struct due *due; /* a ring: answers come in the order of asking */
	size_t first, last;
	nsec_t longest, total; /* from wanted to answered */
	unsigned answered, refused;
	size_t deepest, most;
	const nsec_t *wanted; /* by number */
	double cpu;
};

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void drain(struct load *l)
{
	char request[KEY_REQUEST_ID] = "";
	struct keys_out out;

	while (keys_next(l->keys, &out)) {
		if (out.kind == KEYS_TRACE) {
			memcpy(request, out.request, sizeof(request));
		} else if (out.kind == KEYS_SEND) {
			struct due *d = &l->due[l->last++ % SLOTS];

			must(l->last - l->first < SLOTS, "the ring");
			*d = (struct due){ .at = l->now + DELAY, .exchange = out.exchange };
			memcpy(d->request, request, sizeof(d->request));
		} else {
			nsec_t took = l->now - l->wanted[out.answer->number];

			l->answered += out.answer->reason == SEAL_NONE;
			l->refused += out.answer->reason != SEAL_NONE;
			l->total += took;
			l->longest = took > l->longest ? took : l->longest;
			keys_call_over(l->keys, out.answer->call, false, l->now);
		}
	}
}

static void reply(struct load *l)
{
	const struct due *d = &l->due[l->first++ % SLOTS];
	struct xk_answer answer = {
		.keys = { { .cs = 1, .key_len = 16, .salt_len = 14, .from = NSEC_NONE, .until = NSEC_NONE } },
		.key_count = 1
	};
	struct keys_reply r = { d->exchange, 200, true, { NULL, 0 } };
	struct buf body = { 0 };
	double start;

	memcpy(answer.request, d->request, sizeof(answer.request));
	must(xk_write_answer(&answer, &body, NULL) == 0, "an answer");
	r.body = buf_bytes(&body);
	start = cpu_now();
	keys_reply(l->keys, &r, l->now);
	drain(l);
	l->cpu += cpu_now() - start;
	buf_clear(&body);
}

/* All that is due before `until`. */
static void pass(struct load *l, nsec_t until)
{
	for (;;) {
		nsec_t next = l->first < l->last ? l->due[l->first % SLOTS].at : NSEC_EVER, timer = keys_due(l->keys);
		bool timed = timer != NSEC_NONE && timer < next;

		next = timed ? timer : next;
		if (next > until)
			break;
		l->now = next > l->now ? next : l->now;
		if (timed) {
			keys_time(l->keys, l->now);
			drain(l);
		} else {
			reply(l);
		}
	}
	l->now = until;
}

static void want(struct load *l, const struct kms_policy *kms, uint32_t number)
{
	static const uint8_t token[600]; /* no message: as long as a TRANSFER_INIT of an ordinary ticket */
	const struct xk_request r = li_request(kms, l->now, KEY_MGMT_MIKEY, "a-call-id-of-usual-length@192.0.2.17");
	const struct key_wanted w = { .number = number,
		.call = number,
		.warrant = 9,
		.at = l->now,
		.protocol = KEY_MGMT_OTWAY_REES,
		.offer = { token, sizeof(token) },
		.target = r.target,
		.from = r.from,
		.to = r.to,
		.answered = r.answered,
		.call_id = r.call_id };
	double start = cpu_now();

	must(keys_take(l->keys, &w, l->now), "keys_take");
	drain(l);
	l->cpu += cpu_now() - start;
}

static void load(unsigned rate)
{
	struct kms_user users[2] = { { .identity = (char[]){ "sip:alice@example.com" } },
		{ .identity = (char[]){ "sip:bob@example.com" } } };
	const struct kms_policy kms = {
		.identity = (char[]){ "sip:kms@example.com" }, .users = users, .user_count = 2
	};
	struct kms_agreement agreement = {
		.number = 1, .identity = kms.identity, .url = (char[]){ "https://127.0.0.1" }
	};
	const struct kms_agreements agreements = { &agreement, 1 };
	struct warrant warrant = { .number = 9, .liid = "LI-7" };
	const struct warrant_set warrants = { &warrant, 1 };
	const struct keys_options options = { .seed = 7 };
	nsec_t *wanted = calloc(rate * SECONDS + 1, sizeof(*wanted));
	struct load l = { .due = calloc(SLOTS, sizeof(struct due)), .wanted = wanted };
	size_t before = heap();
	unsigned late;

	l.keys = keys_new(&options);
	must(wanted != NULL && l.due != NULL && l.keys != NULL, "memory");
	keys_agreements(l.keys, &agreements);
	keys_warrants(l.keys, &warrants);
	for (uint32_t i = 1; i <= rate * SECONDS; i++) {
		pass(&l, (nsec_t)i * NSEC_PER_SEC / rate);
		wanted[i] = l.now;
		want(&l, &kms, i);
		if (keys_waiting(l.keys) > l.deepest)
			l.deepest = keys_waiting(l.keys);
		if (i % 16 == 0 && heap() - before > l.most)
			l.most = heap() - before;
	}
	late = (unsigned)keys_waiting(l.keys);
	pass(&l, l.now + 600 * NSEC_PER_SEC);
	printf("%8u %10zu %12u %12zu %12.0f %12.1f %12.1f %10u %10u %8.1f\n", rate, l.deepest, late, l.most >> 10,
		(double)l.most / (double)l.deepest, (double)l.total / 1e6 / (rate * SECONDS), (double)l.longest / 1e6,
		l.answered, l.refused, l.cpu / (rate * SECONDS) * 1e6);
	keys_free(l.keys);
	free(l.due);
	free(wanted);
}

int main(void)
{
	static const size_t payloads[] = { 54, 182 }, holds[] = { 8 << 20, 64 << 10 };
	static const unsigned rates[] = { 100, 500, 640, 1000 };

	printf("%d calls that wait for a key, one stream each, %d packets: octets of heap a call\n%8s %12s %10s %12s "
	       "%10s %12s %8s\n",
		STREAMS, PACKETS, "packet", "hold_octets", "open", "stream", "kept", "held", "ratio");
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 2; j++)
			hold(payloads[i], holds[j]);
	printf("\nkeys wanted of a KMS that answers in 50 ms, for %d s of virtual time\n"
	       "%8s %10s %12s %12s %12s %12s %12s %10s %10s %8s\n",
		SECONDS, "a second", "deepest", "at the end", "heap KiB", "octets each", "mean ms", "longest ms",
		"keys", "refused", "CPU us");
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		load(rates[i]);
	return 0;
}
