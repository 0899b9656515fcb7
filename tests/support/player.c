/*
 * player: plays calls in real time, from real sockets, in network namespaces: what to do and when comes in on standard input, a line
 * each; "go" begins. Times are nanoseconds from there.
 *   host ADDRESS NETNS                  who lives where (a name below /run/netns; "-": here)
 *   say AT SRC DST HEX                  one datagram; SRC and DST are ADDRESS:PORT
 *   voice FROM UNTIL SRC DST SUITE KEY SSRC SEQ ROC    G.711 every 20 ms, SUITE and KEY "-": not sealed; KEY and SSRC in hex
 * It says "go NANOSECONDS" of the wall clock as it begins, and at the end "sent PACKETS refused PACKETS late NANOSECONDS".
 */
#include "player_sockets.h"

#include <math.h>
#include <time.h>

#include "srtp_sender.h"

#define STEP    20000000U /* nanoseconds of a packet of a voice */
#define SAMPLES 160U
#define TABLE   8000U /* one second of a tone of 1 Hz, in steps of G.711 */
#define KEY_MAX 46U
#define TRAILER 16U /* octets of tag behind a packet */

/* By OpenSSL: Debian's libsrtp2 takes the longer for a packet the more streams there are. */
struct seal {
	struct srtp_key key;
	struct session_keys session;
};

struct deed {
	uint64_t at;    /* of the next packet */
	uint64_t until; /* of a voice; 0: one datagram */
	size_t src, dst, len;
	uint8_t *octets;      /* of a datagram */
	struct seal *seal;    /* of a voice; NULL: not sealed */
	uint32_t ssrc, index; /* ROC and sequence number */
};

struct player {
	struct deed *deeds; /* a heap by time, once it plays */
	size_t count, room;
	struct sockets sockets;
	uint64_t sent, refused, late;
	uint8_t tone[TABLE];
};

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* A sample as G.711 mu-law has it (ITU-T G.711, table 2a). */
static uint8_t ulaw(int sample)
{
	int sign = sample < 0 ? 0x80 : 0, exponent = 7;
	int value = (sample < 0 ? -sample : sample) + 132;

	while (exponent > 0 && (value & (0x80 << exponent)) == 0)
		exponent--;
	return (uint8_t) ~(sign | exponent << 4 | (value >> (exponent + 3) & 15));
}

static size_t from_hex(const char *text, uint8_t *out, size_t room)
{
	size_t len = strlen(text) / 2;
	unsigned octet;

	if (len > room)
		die("too long");
	for (size_t i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2x", &octet) != 1)
			die("no hex");
		out[i] = (uint8_t)octet;
	}
	return len;
}

static struct seal *seal_of(const char *suite, const char *key_hex)
{
	uint8_t octets[KEY_MAX];
	const struct suite_facts *f;
	struct seal *s;

	if (strcmp(suite, "-") == 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		die("out of memory");
	s->key.suite = suite_parse(bytes_of(suite));
	f = suite_facts(s->key.suite);
	if (f->key == 0 || from_hex(key_hex, octets, sizeof(octets)) != (size_t)f->key + f->salt)
		die("no such suite, or no key of it");
	memcpy(s->key.key, octets, f->key);
	memcpy(s->key.salt, octets + f->key, f->salt);
	sender_derive(&s->key, 0, &s->session);
	return s;
}

static struct deed *add(struct player *p)
{
	if (p->count == p->room) {
		p->room = p->room > 0 ? 2 * p->room : 1024;
		p->deeds = realloc(p->deeds, p->room * sizeof(*p->deeds));
		if (p->deeds == NULL)
			die("out of memory");
	}
	p->deeds[p->count] = (struct deed){ 0 };
	return &p->deeds[p->count++];
}

/* Words of a line; returns how many. */
static size_t words(char *line, char **out, size_t max)
{
	size_t count = 0;
	char *rest = line;

	for (char *w; count < max && (w = strtok_r(rest, " \n", &rest)) != NULL;)
		out[count++] = w;
	return count;
}

static void read_say(struct player *p, char **w)
{
	struct deed *d = add(p);

	d->at = strtoull(w[1], NULL, 10);
	d->src = sockets_find(&p->sockets, w[2]);
	d->dst = sockets_find(&p->sockets, w[3]);
	d->octets = malloc(strlen(w[4]) / 2 + 1);
	if (d->octets == NULL)
		die("out of memory");
	d->len = from_hex(w[4], d->octets, strlen(w[4]) / 2);
}

static void read_voice(struct player *p, char **w)
{
	struct deed *d = add(p);

	d->at = strtoull(w[1], NULL, 10);
	d->until = strtoull(w[2], NULL, 10);
	d->src = sockets_find(&p->sockets, w[3]);
	d->dst = sockets_find(&p->sockets, w[4]);
	d->ssrc = (uint32_t)strtoul(w[7], NULL, 16);
	d->index = (uint32_t)(strtoul(w[9], NULL, 10) << 16 | strtoul(w[8], NULL, 10));
	d->seal = seal_of(w[5], w[6]);
}

static void read_plan(struct player *p)
{
	char *line = NULL, *w[10];
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		size_t count = words(line, w, 10);

		if (count == 1 && strcmp(w[0], "go") == 0)
			break;
		else if (count == 3 && strcmp(w[0], "host") == 0)
			sockets_host(&p->sockets, w[1], w[2]);
		else if (count == 5 && strcmp(w[0], "say") == 0)
			read_say(p, w);
		else if (count == 10 && strcmp(w[0], "voice") == 0)
			read_voice(p, w);
		else if (count > 0)
			die("a line that nobody understands");
	}
	free(line);
}

static size_t sealed(const struct deed *d, struct bytes rtp, uint8_t *out)
{
	const struct suite_facts *f;

	if (d->seal == NULL) {
		memcpy(out, rtp.at, rtp.len);
		return rtp.len;
	}
	f = suite_facts(d->seal->key.suite);
	return f->aead ? sender_rtp(&d->seal->key, d->index, rtp, out)
		       : sender_rtp_with(&d->seal->session, d->index, rtp, f->srtp_tag, out);
}

/* The next packet of a voice: mu-law of a tone whose pitch its SSRC tells. Returns its length. */
static size_t speak(const struct player *p, struct deed *d, uint8_t *out)
{
	uint8_t rtp[12 + SAMPLES] = { 0x80 };
	uint64_t first = (uint64_t)d->index * SAMPLES;
	unsigned pitch = 200 + d->ssrc % 601;
	size_t len;

	put_be16(rtp + 2, (uint16_t)d->index);
	put_be32(rtp + 4, (uint32_t)first);
	put_be32(rtp + 8, d->ssrc);
	for (unsigned i = 0; i < SAMPLES; i++)
		rtp[12 + i] = p->tone[(first + i) * pitch % TABLE];
	len = sealed(d, (struct bytes){ rtp, sizeof(rtp) }, out);
	d->index++;
	return len;
}

static void sift(struct player *p, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < p->count; i = child) {
		struct deed other;

		if (child + 1 < p->count && p->deeds[child + 1].at < p->deeds[child].at)
			child++;
		if (p->deeds[i].at <= p->deeds[child].at)
			return;
		other = p->deeds[i];
		p->deeds[i] = p->deeds[child];
		p->deeds[child] = other;
	}
}

static void done(struct player *p)
{
	struct deed *d = &p->deeds[0];

	free(d->octets);
	free(d->seal);
	*d = p->deeds[--p->count];
}

static void play(struct player *p, uint64_t begin)
{
	uint8_t packet[12 + SAMPLES + TRAILER];

	for (size_t i = p->count / 2; i-- > 0;)
		sift(p, i);
	while (p->count > 0) {
		struct deed *d = &p->deeds[0];
		struct timespec due = { (time_t)((begin + d->at) / 1000000000U),
			(long)((begin + d->at) % 1000000000U) };
		uint64_t at;
		bool sent;

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
			;
		at = now(CLOCK_MONOTONIC) - begin;
		p->late = at - d->at > p->late ? at - d->at : p->late;
		if (d->until > 0)
			sent = sockets_send(&p->sockets, d->src, d->dst, packet, speak(p, d, packet));
		else
			sent = sockets_send(&p->sockets, d->src, d->dst, d->octets, d->len);
		p->sent += sent;
		p->refused += !sent;
		d->at += STEP;
		if (d->at >= d->until)
			done(p);
		sift(p, 0);
	}
}

int main(void)
{
	static struct player p;

	for (unsigned i = 0; i < TABLE; i++)
		p.tone[i] = ulaw((int)(8000 * sin(i * 2 * M_PI / TABLE)));
	read_plan(&p);
	sockets_open(&p.sockets);
	printf("go %llu\n", (unsigned long long)now(CLOCK_REALTIME));
	fflush(stdout);
	play(&p, now(CLOCK_MONOTONIC));
	printf("sent %llu refused %llu late %llu\n", (unsigned long long)p.sent, (unsigned long long)p.refused,
		(unsigned long long)p.late);
	sockets_close(&p.sockets);
	free(p.deeds);
	return 0;
}
