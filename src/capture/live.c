/* live: what interfaces hear, and what they do not: drops, and interfaces that go down and away. */
#include "otway/live.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otway/base/text.h"
#include "format.h"
#include "live_inside.h"

#define RING_HEAD 96 /* octets before each frame in the ring, about */

struct live {
	struct tap *taps;
	size_t count;
	int look;    /* to ask the kernel through: no socket can be made any more when there is something to ask */
	int devices; /* /proc/net/dev; -1: there is none */
};

void live_free(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		tap_close(&l->taps[i]);
	if (l->look >= 0)
		close(l->look);
	if (l->devices >= 0)
		close(l->devices);
	free(l->taps);
	free(l);
}

/* The lines of /proc/net/dev: "name: octets packets errors drop …", of what came in; drop is rx_dropped and rx_missed_errors. */
static bool find_drop(struct bytes table, const char *name, uint64_t *out)
{
	while (table.len > 0) {
		struct bytes rest, line = text_cut(table, '\n', &table), word = text_trim(text_cut(line, ':', &rest));

		if (!bytes_equal(word, bytes_of(name)))
			continue;
		for (int i = 0; i < 4; i++)
			word = text_word(rest, &rest);
		return text_number(word, UINT64_MAX, out);
	}
	return false;
}

static bool read_drop(const struct live *l, const struct tap *t, uint64_t *out)
{
	char table[32768];
	size_t len = 0;
	ssize_t n;

	if (lseek(l->devices, 0, SEEK_SET) < 0)
		return false;
	while (len < sizeof(table) && (n = read(l->devices, table + len, sizeof(table) - len)) > 0)
		len += (size_t)n;
	return find_drop((struct bytes){ (const uint8_t *)table, len }, t->name, out);
}

static int open_tap(struct live *l, const struct live_options *o, size_t i, bool lenient, struct err *err)
{
	struct tap *t = &l->taps[i];
	struct err why = { 0 };

	if (strlen(o->interfaces[i]) >= sizeof(t->name))
		return err_code(err, EXIT_NOT_FOUND, "%s: no such interface", o->interfaces[i]);
	memcpy(t->name, o->interfaces[i], strlen(o->interfaces[i]));
	if (tap_open(t, o, i, l->look, &why) == 0)
		return read_drop(l, t, &t->missed), 0;
	if (lenient && (t->index == 0 || why.code == EXIT_NOT_FOUND || !tap_up(t, l->look)))
		return 0;
	return err_code(err, why.code, "%s", why.text);
}

int live_new(struct live **out, const struct live_options *o, bool lenient, struct err *err)
{
	struct live *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_set(err, "out of memory");
	l->look = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	l->devices = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
	l->taps = calloc(o->count > 0 ? o->count : 1, sizeof(*l->taps));
	l->count = l->taps != NULL ? o->count : 0;
	if (l->look < 0 || l->taps == NULL) {
		live_free(l);
		return err_set(err, "out of memory or descriptors");
	}
	for (size_t i = 0; i < o->count; i++)
		if (open_tap(l, o, i, lenient, err) < 0) {
			live_free(l);
			return -1;
		}
	*out = l;
	return 0;
}

int live_fd(const struct live *l, size_t i)
{
	return l->taps[i].handle != NULL ? pcap_fileno(l->taps[i].handle) : -1;
}

struct taking {
	live_frame *fn;
	void *arg;
	nsec_t unit;
	struct frame frame;
};

/*
 * Frames lie one behind the other in the ring, most of one size, and another core wrote them: the third from here is asked for in
 * good time. What is behind the ring may be asked for too, and is not read.
 */
static inline void look_ahead(const u_char *octets, uint32_t len)
{
	uintptr_t then = (uintptr_t)octets + 3 * ((uintptr_t)len + RING_HEAD) - RING_HEAD;

	for (uintptr_t i = 0; i < 320; i += 64)
		__builtin_prefetch((const void *)(then + i));
}

static void take(u_char *arg, const struct pcap_pkthdr *head, const u_char *octets)
{
	struct taking *t = (struct taking *)(void *)arg;

	look_ahead(octets, head->caplen);
	t->frame.at = (nsec_t)head->ts.tv_sec * NSEC_PER_SEC + (nsec_t)head->ts.tv_usec * t->unit;
	t->frame.wire_len = head->len > head->caplen ? head->len : head->caplen;
	t->frame.bytes = (struct bytes){ octets, head->caplen };
	t->fn(t->arg, &t->frame);
}

int live_take(struct live *l, size_t i, int max, live_frame *fn, void *arg)
{
	struct tap *t = &l->taps[i];
	struct taking taking = { fn, arg, t->unit, { .link = t->link, .source = (uint32_t)i } };
	int got;

	if (t->handle == NULL || t->broken)
		return -1;
	got = pcap_dispatch(t->handle, max > 0 ? max : 1, take, (u_char *)&taking);
	if (got > 0)
		return got;
	t->broken = got < 0 && live_state(l, i) == LIVE_UP; /* it would give the same frames again */
	return live_state(l, i) == LIVE_UP ? 0 : -1;
}

/*
 * The kernel counts from the last time it was asked. Not by pcap_stats: that adds up in 32 bits, and opens files on the way.
 */
uint64_t live_dropped(struct live *l, size_t i)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t len = sizeof(s);
	int fd = live_fd(l, i);

	if (fd < 0 || getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) < 0)
		return 0;
	return s.tp_drops;
}

uint64_t live_missed(struct live *l, size_t i)
{
	struct tap *t = &l->taps[i];
	uint64_t now, before = t->missed;

	if (t->handle == NULL || !read_drop(l, t, &now))
		return 0;
	t->missed = now;
	return now > before ? now - before : 0;
}

/* Whether the handle is still bound to an interface, which still has its name. */
static bool bound(const struct live *l, const struct tap *t)
{
	struct sockaddr_ll to = { 0 };
	socklen_t len = sizeof(to);

	return getsockname(pcap_fileno(t->handle), (struct sockaddr *)&to, &len) == 0 && to.sll_ifindex > 0 &&
	       (unsigned)to.sll_ifindex == tap_index(t, l->look);
}

enum live_state live_state(struct live *l, size_t i)
{
	const struct tap *t = &l->taps[i];

	if (t->handle == NULL || t->broken || !bound(l, t))
		return LIVE_GONE;
	return tap_up(t, l->look) ? LIVE_UP : LIVE_DOWN;
}

bool live_returned(struct live *l, size_t i)
{
	const struct tap *t = &l->taps[i];
	unsigned now = tap_index(t, l->look);

	return live_state(l, i) == LIVE_GONE && now != 0 && (now != t->index || tap_up(t, l->look));
}
