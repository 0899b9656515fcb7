/*
 * port: how many media packets a second go from one process to another as records, and what it costs both: 172 octets of G.711 in RTP,
 * 224 as a frame has them, sealed by SRTP before. Beside it the same octets in one send and one recv each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otway/port.h"

#define PACKET 210 /* IP, UDP, RTP, 160 octets of audio, a tag of 10 */
#define QUEUE  ((size_t)8 << 20)

struct side {
	struct loop *loop;
	struct port *port;
	struct msg_room room;
	unsigned long count, left;
};

static double seconds(nsec_t span)
{
	return (double)span / (double)NSEC_PER_SEC;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void taken(void *arg, enum msg_type type, struct bytes body)
{
	struct side *s = arg;
	struct datagram sip;
	struct record r;

	if (type != MSG_RECORD || !msg_get_record(body, &r, &sip, &s->room) || r.media.clear.len != PACKET - 38)
		abort();
	if (++s->count == s->left)
		loop_stop(s->loop);
}

static struct record record_of(const uint8_t *packet, const uint8_t *clear)
{
	struct record r = { .kind = RECORD_MEDIA, .warrant = 1, .call = 1, .at = 1 };

	r.media = (struct media_packet){ .call = 1,
		.stream = 1,
		.packet = { packet, PACKET },
		.payload = { packet + 28, PACKET - 28 },
		.clear = { clear, PACKET - 38 },
		.media = { clear + 12, 160 },
		.kind = "audio",
		.profile = "RTP/SAVP",
		.codec = "PCMU",
		.clock = 8000,
		.channels = 1,
		.fmtp = "",
		.suite = AES_CM_128_HMAC_SHA1_80,
		.source = KEY_SDES,
		.key_used = true };
	r.media.flow.src.family = r.media.flow.dst.family = 4;
	r.media.key.suite = AES_CM_128_HMAC_SHA1_80;
	return r;
}

/* As an intercept does: so many packets in each turn of its loop, then the port flushes. */
static void send_all(struct side *s, const struct record *r, unsigned per_turn)
{
	struct buf body = { 0 };

	while (s->left > 0) {
		for (unsigned i = 0; i < per_turn && s->left > 0; i++) {
			buf_reset(&body);
			if (!msg_put_record(&body, r))
				abort();
			while (!port_send(s->port, MSG_RECORD, buf_bytes(&body)))
				port_drain(s->port, NSEC_PER_SEC);
			s->left--;
		}
		port_flush(s->port);
	}
	port_drain(s->port, 10 * NSEC_PER_SEC);
	buf_clear(&body);
}

static void run(unsigned long count, unsigned per_turn, bool print)
{
	static uint8_t packet[PACKET], clear[PACKET];
	struct record r = record_of(packet, clear);
	struct side s = { .loop = loop_new(), .left = count };
	nsec_t began;
	double used;
	int fds[2];
	pid_t pid;

	if (print)
		srtp_key_print(&r.media.key, &r.media.key);
	if (s.loop == NULL || port_pair(fds, QUEUE, NULL) < 0)
		exit(1);
	began = loop_now();
	fflush(stdout);
	pid = fork();
	close(fds[pid == 0]);
	if (port_new(&s.port, s.loop, fds[pid != 0], QUEUE, taken, &s, NULL) < 0)
		exit(1);
	used = cpu();
	if (pid == 0) {
		loop_run(s.loop, NSEC_NONE);
		printf("  takes: %.0f ns each", (cpu() - used) * 1e9 / (double)count);
		fflush(stdout);
		_exit(0);
	}
	send_all(&s, &r, per_turn);
	used = cpu() - used;
	waitpid(pid, NULL, 0);
	printf("  sends: %.0f ns each  %.0f messages/s  (%u a turn, %s)\n", used * 1e9 / (double)count,
		(double)count / seconds(loop_now() - began), per_turn, print ? "a print" : "a key");
	port_free(s.port);
	loop_free(s.loop);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	run(count, 200, true);
	run(count, 200, false);
	run(count, 1, true);
	return 0;
}
