/*
 * flood: hostile SIP as fast as it can be sent: flood SOURCE ADDRESS:PORT SECONDS. Set-ups of calls that nobody makes, registrations, answers
 * to nothing: of every thousand messages no two have a Call-ID, a tag or a user in common. Says how many it sent.
 */
#include "player_sockets.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define BATCH  64
#define LENGTH 1400

struct flood {
	uint64_t state, sent;
	int fd;
	struct sockaddr_in to;
	char text[BATCH][LENGTH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

/* SplitMix64: looks like chance, and is the same each time. */
static uint64_t chance(struct flood *f)
{
	uint64_t x = f->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static size_t write_message(struct flood *f, char *out)
{
	static const struct {
		const char *before, *after, *method;
	} kinds[] = {
		{ "INVITE sip:", "@ims.example SIP/2.0", "INVITE" },
		{ "REGISTER sip:", ".example SIP/2.0", "REGISTER" },
		{ "SIP/2.0 200 OK ", "", "INVITE" },
		{ "SIP/2.0 183 Session Progress ", "", "INVITE" },
		{ "BYE sip:", "@ims.example SIP/2.0", "BYE" },
		{ "MESSAGE sip:", "@ims.example SIP/2.0", "MESSAGE" },
	};
	unsigned long long a = chance(f), b = chance(f), c = chance(f);
	char body[400];
	size_t kind = a % 6, used;

	snprintf(body, sizeof(body),
		"v=0\r\no=- 1 1 IN IP4 10.%u.%u.%u\r\ns=-\r\nc=IN IP4 10.%u.%u.%u\r\nt=0 0\r\nm=audio %u RTP/SAVP 0\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%016llx%016llxAAAAAAAA\r\n",
		(unsigned)(b & 255), (unsigned)(b >> 8 & 255), (unsigned)(b >> 16 & 255), (unsigned)(b & 255),
		(unsigned)(b >> 8 & 255), (unsigned)(b >> 16 & 255), (unsigned)(c & 0xfffe), b, c);
	used = (size_t)snprintf(out, LENGTH, "%s%llx%s", kinds[kind].before, a, kinds[kind].after);
	used += (size_t)snprintf(out + used, LENGTH - used,
		"\r\nVia: SIP/2.0/UDP 10.13.0.66:5060;branch=z9hG4bK%llx\r\nFrom: <sip:%llx@ims.example>;tag=%llx\r\n"
		"To: <sip:%llx@ims.example>%s\r\nCall-ID: %llx%llx@x\r\nCSeq: %u %s\r\nContact: "
		"<sip:%llx@10.13.0.66>\r\n"
		"P-Asserted-Identity: <sip:%llx@ims.example>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		a, b, c, a, kind >= 2 && kind < 5 ? ";tag=x" : "", a, c, (unsigned)(c & 0xffff), kinds[kind].method, b,
		b, strlen(body), body);
	return used;
}

static void send_batch(struct flood *f)
{
	int done = 0;

	for (size_t i = 0; i < BATCH; i++) {
		f->parts[i] = (struct iovec){ f->text[i], write_message(f, f->text[i]) };
		f->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &f->to, .msg_namelen = sizeof(f->to), .msg_iov = &f->parts[i], .msg_iovlen = 1
		};
	}
	while (done < BATCH) {
		int n = sendmmsg(f->fd, f->messages + done, BATCH - (unsigned)done, 0);

		if (n < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
			die("sendmmsg");
		done += n > 0 ? n : 1;
		f->sent += n > 0 ? (uint64_t)n : 0;
	}
}

int main(int argc, char **argv)
{
	static struct flood f;
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(5060) };
	char *colon = argc == 4 ? strrchr(argv[2], ':') : NULL;
	time_t end;

	if (colon == NULL)
		die("flood SOURCE ADDRESS:PORT SECONDS");
	*colon = '\0';
	f.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
	f.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (inet_pton(AF_INET, argv[1], &from.sin_addr) != 1 || inet_pton(AF_INET, argv[2], &f.to.sin_addr) != 1)
		die("no address");
	if (f.fd < 0 || bind(f.fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		die("socket");
	for (end = time(NULL) + atoi(argv[3]); time(NULL) < end;)
		send_batch(&f);
	printf("%llu\n", (unsigned long long)f.sent);
	close(f.fd);
	return 0;
}
