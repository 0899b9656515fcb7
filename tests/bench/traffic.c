/*
 * traffic: writes a capture of calls to measure with: traffic FILE CALLS SECONDS. The same words give the same octets.
 * Subscriber i calls +4930 followed by i, through a proxy, with SDES; G.711 both ways every 20 ms, sealed by libsrtp2. The calls
 * begin within the first second and all go on at once, so that as many streams are open as there are calls, twice.
 */
#include <arpa/inet.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN 30
#define STEP_NS 20000000ULL

struct call {
	unsigned number;
	uint32_t address;
	uint16_t port, relay_port;
	uint8_t key[2][KEY_LEN];
	srtp_t session[2];
};

static FILE *out;
static uint64_t packets;

/* SplitMix64 of a number: octets that look like chance and are always the same. */
static uint64_t scatter(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

/* One Ethernet frame with IPv4 and UDP in it. */
static void write_packet(
	uint64_t at, uint32_t src, unsigned sport, uint32_t dst, unsigned dport, const uint8_t *data, size_t len)
{
	uint8_t head[42] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45 };
	uint32_t record[4] = { (uint32_t)(at / 1000000000), (uint32_t)(at % 1000000000 / 1000), (uint32_t)len + 42,
		(uint32_t)len + 42 };
	uint32_t sum = 0;

	put16(head + 16, (unsigned)len + 28);
	head[22] = 64;
	head[23] = 17;
	put32(head + 26, src);
	put32(head + 30, dst);
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)(head[i] << 8 | head[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(head + 24, (~sum & 0xffff) - (sum >> 16));
	put16(head + 34, sport);
	put16(head + 36, dport);
	put16(head + 38, (unsigned)len + 8);
	fwrite(record, sizeof(record), 1, out);
	fwrite(head, sizeof(head), 1, out);
	fwrite(data, len, 1, out);
	packets++;
}

static void base64(const uint8_t *in, char *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < KEY_LEN; i += 3) {
		uint32_t three = (uint32_t)(in[i] << 16 | in[i + 1] << 8 | in[i + 2]);

		for (int shift = 18; shift >= 0; shift -= 6)
			*to++ = digits[three >> shift & 63];
	}
	*to = '\0';
}

static const uint32_t PROXY = 0x0a000001, RELAY = 0x0a000002;

/* A message of a call; side 0: from the subscriber, 1: from the proxy. start: its first line. */
static void write_sip(const struct call *c, uint64_t at, int side, const char *start, const char *cseq, int with_sdp)
{
	char text[2000], body[500] = "", key[48], address[16];
	uint32_t media = side == 0 ? c->address : RELAY;
	struct in_addr in = { htonl(c->address) }, on = { htonl(media) };
	int len;

	snprintf(address, sizeof(address), "%s", inet_ntoa(in));
	if (with_sdp) {
		base64(c->key[side], key);
		snprintf(body, sizeof(body),
			"v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/SAVP 0\r\n"
			"a=rtpmap:0 PCMU/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\na=ptime:20\r\n",
			c->number, inet_ntoa(on), inet_ntoa(on), side == 0 ? c->port : c->relay_port, key);
	}
	len = snprintf(text, sizeof(text),
		"%s\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%u%c\r\nMax-Forwards: 70\r\n"
		"From: <sip:+4940%07u@ims.example;user=phone>;tag=f%u\r\nTo: "
		"<sip:+4930%07u@ims.example;user=phone>%s\r\n"
		"Call-ID: %016llx@%s\r\nCSeq: %s\r\nP-Asserted-Identity: <sip:+4940%07u@ims.example;user=phone>\r\n"
		"Contact: <sip:+4940%07u@%s:5060>\r\nUser-Agent: traffic\r\n%sContent-Length: %zu\r\n\r\n%s",
		start, address, c->number, cseq[2], c->number, c->number, c->number,
		with_sdp && side == 0 ? "" : ";tag=t", (unsigned long long)scatter(c->number), address, cseq, c->number,
		c->number, address, with_sdp ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	if (side == 0)
		write_packet(at, c->address, 5060, PROXY, 5060, (uint8_t *)text, (size_t)len);
	else
		write_packet(at, PROXY, 5060, c->address, 5060, (uint8_t *)text, (size_t)len);
}

static void write_request(const struct call *c, uint64_t at, const char *method, const char *cseq, int with_sdp)
{
	char start[100];

	snprintf(start, sizeof(start), "%s sip:+4930%07u@ims.example;user=phone SIP/2.0", method, c->number);
	write_sip(c, at, 0, start, cseq, with_sdp);
}

static void write_media(struct call *c, uint64_t at, unsigned step, int side)
{
	uint8_t packet[172 + SRTP_MAX_TRAILER_LEN] __attribute__((aligned(8))) = { 0x80, 0 };
	int len = 172;

	put16(packet + 2, 1000 + step);
	put32(packet + 4, 160 * step);
	put32(packet + 8, (uint32_t)scatter(c->number * 2 + (unsigned)side));
	for (unsigned i = 0; i < 160; i++)
		packet[12 + i] = (uint8_t)(0xd0 + (i * (3 + c->number % 5) + step) % 24); /* a quiet hum in mu-law */
	if (srtp_protect(c->session[side], packet, &len) != srtp_err_status_ok)
		exit(1);
	if (side == 0)
		write_packet(at, c->address, c->port, RELAY, c->relay_port, packet, (size_t)len);
	else
		write_packet(at + 7000, RELAY, c->relay_port, c->address, c->port, packet, (size_t)len);
}

static void open_call(struct call *c, unsigned number)
{
	c->number = number;
	c->address = 0x0a100000 + number;
	c->port = (uint16_t)(20000 + number % 10000 * 2);
	c->relay_port = (uint16_t)(2000 + number % 30000 * 2);
	for (int side = 0; side < 2; side++) {
		srtp_policy_t policy = { 0 };

		for (size_t i = 0; i < KEY_LEN; i++)
			c->key[side][i] = (uint8_t)scatter(((uint64_t)number << 16) + (uint64_t)side * 64 + i);
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
		policy.ssrc.type = ssrc_any_outbound;
		policy.key = c->key[side];
		if (srtp_create(&c->session[side], &policy) != srtp_err_status_ok)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 };
	unsigned calls = argc == 4 ? (unsigned)atoi(argv[2]) : 0, steps = argc == 4 ? (unsigned)atoi(argv[3]) * 50 : 0;
	uint64_t start = 1700000000ULL * 1000000000, spread;
	struct call *all = calloc(calls > 0 ? calls : 1, sizeof(*all));

	if (calls == 0 || calls > 1000000 || all == NULL || (out = fopen(argv[1], "wb")) == NULL) {
		fprintf(stderr, "traffic FILE CALLS SECONDS\n");
		return 2;
	}
	srtp_init();
	fwrite(header, sizeof(header), 1, out);
	spread = 1000000000ULL / calls;
	for (unsigned i = 0; i < calls; i++) {
		open_call(&all[i], i);
		write_request(&all[i], start + i * spread, "INVITE", "1 INVITE", 1);
		write_sip(&all[i], start + i * spread + 1000, 1, "SIP/2.0 180 Ringing", "1 INVITE", 0);
		write_sip(&all[i], start + i * spread + 2000, 1, "SIP/2.0 200 OK", "1 INVITE", 1);
		write_request(&all[i], start + i * spread + 3000, "ACK", "1 ACK", 0);
	}
	start += 1100000000;
	for (unsigned step = 0; step < steps; step++)
		for (unsigned i = 0; i < calls; i++)
			for (int side = 0; side < 2; side++)
				write_media(&all[i], start + step * STEP_NS + i * (STEP_NS / calls), step, side);
	start += steps * STEP_NS;
	for (unsigned i = 0; i < calls; i++) {
		write_request(&all[i], start + i * spread, "BYE", "2 BYE", 0);
		write_sip(&all[i], start + i * spread + 1000, 1, "SIP/2.0 200 OK", "2 BYE", 0);
		srtp_dealloc(all[i].session[0]);
		srtp_dealloc(all[i].session[1]);
	}
	free(all);
	printf("%llu\n", (unsigned long long)packets);
	return fclose(out) != 0;
}
