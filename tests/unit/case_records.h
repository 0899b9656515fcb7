/*
 * case_records: records made by hand for the tests of the case folder, and its files read back with the tools of
 * others.
 */
#ifndef TESTS_CASE_RECORDS_H
#define TESTS_CASE_RECORDS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "otway/base/file.h"
#include "otway/base/text.h"
#include "otway/folder.h"

#define START (INT64_C(1795294703) * NSEC_PER_SEC) /* 2026-11-21T20:58:23Z */
#define MS    INT64_C(1000000)

/* A folder being made, below a directory of its own. */
struct scene {
	char top[64], dir[80];
	struct warrant_set set;
	struct folder *folder;
	struct folder_result result;
	struct err err;
};

static inline struct scene *scene_new(size_t warrants)
{
	struct scene *s = calloc(1, sizeof(*s));
	static const char *const liids[] = { "LI-A", "LI/B%" };
	static const char *const uris[] = { "sip:bob@ims.example", "sip:carol@ims.example" };

	assert_non_null(s);
	snprintf(s->top, sizeof(s->top), "/tmp/otway-case-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	snprintf(s->dir, sizeof(s->dir), "%s/case", s->top);
	for (size_t i = 0; i < warrants; i++) {
		struct target t = { .uri = strdup(uris[i]) };
		struct warrant w = {
			.number = (uint32_t)i + 1,
			.agency = (char[]){ "north" },
			.authority = (char[]){ "court order 7" },
			.targets = &t,
			.target_count = 1,
			.from = START - 3600 * NSEC_PER_SEC,
			.until = START + 3600 * NSEC_PER_SEC,
			.scope = SCOPE_ALL,
		};

		snprintf(w.liid, sizeof(w.liid), "%s", liids[i]);
		assert_true(warrant_add(&s->set, &w));
		free(t.uri);
	}
	assert_int_equal(folder_new(&s->folder, s->dir, &s->set, &s->err), 0);
	return s;
}

static inline void scene_free(struct scene *s)
{
	folder_free(s->folder);
	warrant_set_clear(&s->set);
	assert_int_equal(file_remove_tree(s->top, &s->err), 0);
	free(s);
}

static inline int scene_finish(struct scene *s)
{
	static const struct folder_input input = {
		.name = "call.pcap", .packets = 9, .first = START, .last = START + NSEC_PER_SEC
	};
	static const struct counter counters[] = { { "frames", 9 }, { "rtp", 4711 } };

	return folder_finish(s->folder, &input, 1, counters, 2, &s->result, &s->err);
}

static inline struct addr host(uint8_t last, uint16_t port)
{
	return (struct addr){ .family = 4, .port = port, .ip = { 192, 0, 2, last } };
}

static inline struct addr host6(uint8_t last, uint16_t port)
{
	return (struct addr){ .family = 6, .port = port, .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = last } };
}

static inline uint16_t ones_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An IP packet with UDP (proto 17) or a TCP segment (6) in it; IPv6 with a hop-by-hop header when `extension`. */
struct made {
	uint8_t at[4096];
	size_t len, payload_at;
};

static inline struct made make_packet(struct flow flow, uint8_t proto, bool extension, struct bytes payload)
{
	struct made m = { 0 };
	size_t ip = flow.src.family == 4 ? 20 : extension ? 48 : 40;
	size_t head = proto == 17 ? 8 : 20, segment = head + payload.len;
	size_t width = flow.src.family == 4 ? 4 : 16, addresses = flow.src.family == 4 ? 12 : 8;
	uint16_t check;

	m.payload_at = ip + head;
	m.len = m.payload_at + payload.len;
	assert_true(m.len <= sizeof(m.at));
	if (flow.src.family == 4) {
		m.at[0] = 0x45;
		m.at[8] = 64;
		m.at[9] = proto;
		put_be16(m.at + 2, (uint16_t)m.len);
	} else {
		m.at[0] = 0x60;
		put_be16(m.at + 4, (uint16_t)(m.len - 40));
		m.at[6] = extension ? 0 : proto;
		m.at[7] = 64;
		m.at[40] = extension ? proto : 0;
		m.at[42] = extension ? 1 : 0; /* PadN of 4 */
		m.at[43] = extension ? 4 : 0;
	}
	memcpy(m.at + addresses, flow.src.ip, width);
	memcpy(m.at + addresses + width, flow.dst.ip, width);
	if (flow.src.family == 4)
		put_be16(m.at + 10, (uint16_t)~ones_sum(m.at, 20, 0));
	memset(m.at + ip, 0, head);
	put_be16(m.at + ip, flow.src.port);
	put_be16(m.at + ip + 2, flow.dst.port);
	if (proto == 17)
		put_be16(m.at + ip + 4, (uint16_t)segment);
	else
		m.at[ip + 12] = 0x50;
	memcpy(m.at + m.payload_at, payload.at, payload.len);
	check = (uint16_t)~ones_sum(
		m.at + ip, segment, ones_sum(m.at + addresses, 2 * width, proto + (uint32_t)segment));
	put_be16(m.at + ip + (proto == 17 ? 6 : 16), check);
	return m;
}

/* A message of a call; call 0: one outside calls. */
static inline int take_sip(
	struct scene *s, uint32_t warrant, uint32_t call, nsec_t at, struct flow flow, uint8_t proto, const char *text)
{
	struct made m = make_packet(flow, proto, false, bytes_of(text));
	struct datagram d = {
		.at = at,
		.proto = proto,
		.flow = flow,
		.packet = { m.at, m.len },
		.payload = { m.at + m.payload_at, m.len - m.payload_at },
	};
	struct record r = {
		.kind = call > 0 ? RECORD_SIP : RECORD_EVENT,
		.warrant = warrant,
		.call = call,
		.at = at,
		.sip = &d,
		.event = { .method = "MESSAGE", .from = "sip:bob@ims.example", .to = "sip:x@ims.example" },
	};

	return folder_take(s->folder, &r, &s->err);
}

static inline struct call_facts simple_facts(void)
{
	static const char *const ids[] = { "id-1@ims.example" };
	static const struct call_match matches[] = { { 0, SIP_HEADER_TO, HIT_TO_TARGET, true, "sip:bob@ims.example" } };

	return (struct call_facts){
		.call_ids = ids,
		.call_id_count = 1,
		.started = START,
		.answered = START + NSEC_PER_SEC,
		.ended = NSEC_NONE,
		.outcome = CALL_ANSWERED,
		.caller = "sip:alice@ims.example",
		.callee = "sip:bob@ims.example",
		.matches = matches,
		.match_count = 1,
		.target = TOWARD_CALLEE,
		.keep_keys = true,
	};
}

static inline int take_facts(struct scene *s, uint32_t warrant, uint32_t call, struct call_facts facts)
{
	struct record r = {
		.kind = RECORD_CALL, .warrant = warrant, .call = call, .at = facts.started, .facts = facts
	};

	return folder_take(s->folder, &r, &s->err);
}

/* An RTP packet of 12 octets of header and a payload; what is not said is a decrypted PCMU packet from the caller. */
struct packet_said {
	struct scene *s;
	uint32_t warrant, call;
	struct media_packet m;
	struct bytes media;
	bool extension;   /* of IPv6 */
	int sealed_extra; /* octets the captured form is longer */
};

static inline struct packet_said rtp_said(struct scene *s, uint64_t index, nsec_t at, struct bytes media)
{
	return (struct packet_said){
		.s = s,
		.warrant = 1,
		.call = 1,
		.media = media,
		.sealed_extra = 10,
		.m = {
			.at = at,
			.call = 1,
			.stream = 1,
			.sort = MEDIA_RTP,
			.flow = { host(11, 31000), host(12, 32000) },
			.ssrc = 0x89abcdef,
			.index = index,
			.timestamp = (uint32_t)(index * 160),
			.toward = TOWARD_CALLEE,
			.kind = "audio",
			.profile = "RTP/SAVP",
			.codec = "PCMU",
			.clock = 8000,
			.channels = 1,
			.fmtp = "",
			.suite = AES_CM_128_HMAC_SHA1_80,
			.source = KEY_SDES,
			.key_used = true,
			.key = { .suite = AES_CM_128_HMAC_SHA1_80,
				.source = KEY_SDES,
				.key = { 1, 2, 3 },
				.salt = { 9, 8, 7 } },
		},
	};
}

static inline int take_packet(struct packet_said p)
{
	uint8_t clear[2048] = { 0x80, p.m.pt }, sealed[2048];
	struct media_packet *m = &p.m;
	size_t len = 12 + p.media.len;
	struct made made;
	struct record r;

	if (m->sort == MEDIA_RTP) {
		put_be16(clear + 2, (uint16_t)m->index);
		put_be32(clear + 4, m->timestamp);
		put_be32(clear + 8, m->ssrc);
		memcpy(clear + 12, p.media.at, p.media.len);
	} else {
		len = p.media.len;
		memcpy(clear, p.media.at, len);
	}
	memcpy(sealed, clear, len);
	if (m->suite != SUITE_NONE && m->sort == MEDIA_RTP) {
		for (size_t i = 12; i < len; i++)
			sealed[i] ^= 0x5a;
		memset(sealed + len, 0xee, (size_t)p.sealed_extra);
	}
	made = make_packet(m->flow, 17, p.extension,
		(struct bytes){ sealed, len + (m->suite != SUITE_NONE ? (size_t)p.sealed_extra : 0) });
	m->packet = (struct bytes){ made.at, made.len };
	m->payload = (struct bytes){ made.at + made.payload_at, made.len - made.payload_at };
	m->clear = m->fate == MEDIA_CLEAR ? (struct bytes){ clear, len } : m->payload;
	if (m->sort == MEDIA_RTP && m->fate == MEDIA_CLEAR)
		m->media = (struct bytes){ clear + 12, p.media.len };
	r = (struct record){ .kind = RECORD_MEDIA, .warrant = p.warrant, .call = p.call, .at = m->at, .media = *m };
	return folder_take(p.s->folder, &r, &p.s->err);
}

/* What a command prints, its last line end off. */
__attribute__((format(printf, 3, 4))) static inline char *printed(char *out, size_t size, const char *fmt, ...)
{
	char command[1024];
	va_list ap;
	FILE *f;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	assert_int_equal(pclose(f), 0);
	while (n > 0 && out[n - 1] == '\n')
		out[--n] = '\0';
	return out;
}

static inline json_t *read_case(const struct scene *s, const char *warrant)
{
	char path[256];
	json_error_t why;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s/case.json", s->dir, warrant);
	root = json_load_file(path, 0, &why);
	assert_non_null(root);
	return root;
}

/* A value below root by a path like "calls.0.streams.1.lost". */
static inline json_t *json_at(json_t *root, const char *path)
{
	struct bytes rest = bytes_of(path);

	while (rest.len > 0 && root != NULL) {
		char step[64];
		uint64_t n;
		struct bytes name = text_cut(rest, '.', &rest);

		text_copy(name, step, sizeof(step));
		root = json_is_array(root) && text_number(name, 1000, &n) ? json_array_get(root, (size_t)n)
									  : json_object_get(root, step);
	}
	return root;
}

static inline bool there(const struct scene *s, const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", s->dir, path);
	return stat(full, &st) == 0;
}

#endif
