/* folder: records made by hand go in; the files are read back by sha256sum, tshark and jansson. */
#include "case_records.h"

#include <signal.h>
#include <sys/resource.h>

static const char invite[] =
	"INVITE sip:bob@ims.example SIP/2.0\r\nCall-ID: id-1@ims.example\r\nCSeq: 1 INVITE\r\n\r\n";

static struct flow sip_flow(void)
{
	return (struct flow){ host(11, 5060), host(12, 5060) };
}

static struct bytes fill(uint8_t *out, size_t len, uint8_t with)
{
	memset(out, with, len);
	return (struct bytes){ out, len };
}

static void nothing_covered_makes_no_folder(void **state)
{
	struct scene *s = scene_new(1);

	(void)state;
	assert_int_equal(scene_finish(s), 0);
	assert_false(there(s, "."));
	assert_int_equal(s->result.warrants, 0);
	scene_free(s);
}

static void a_folder_that_is_not_empty_is_refused(void **state)
{
	struct warrant_set set = { 0 };
	struct folder *f = NULL;
	struct err err;

	(void)state;
	assert_int_equal(folder_new(&f, "/etc", &set, &err), -1);
	assert_int_equal(err.code, EXIT_FAILED);
	assert_null(f);
}

static void a_folder_that_is_empty_is_taken(void **state)
{
	struct scene *s = scene_new(1);

	(void)state;
	folder_free(s->folder);
	assert_int_equal(mkdir(s->dir, 0755), 0);
	assert_int_equal(folder_new(&s->folder, s->dir, &s->set, &s->err), 0);
	assert_int_equal(take_sip(s, 1, 1, START, sip_flow(), 17, invite), 0);
	assert_int_equal(scene_finish(s), 0);
	assert_true(there(s, "LI-A/call-0001/signalling.pcap"));
	scene_free(s);
}

static void what_is_given_up_leaves_nothing(void **state)
{
	struct scene *s = scene_new(1);
	char out[256];

	(void)state;
	assert_int_equal(take_sip(s, 1, 1, START, sip_flow(), 17, invite), 0);
	folder_free(s->folder);
	s->folder = NULL;
	assert_string_equal(printed(out, sizeof(out), "ls -A %s", s->top), "");
	scene_free(s);
}

static void sha256sum_accepts_the_manifest_and_it_names_every_file(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t media[160];
	char out[4096], files[4096];

	(void)state;
	take_sip(s, 1, 1, START, sip_flow(), 17, invite);
	take_sip(s, 1, 0, START, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
	take_facts(s, 1, 1, simple_facts());
	assert_int_equal(take_packet(rtp_said(s, 1, START, fill(media, 160, 0xff))), 0);
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out), "cd %s/LI-A && sha256sum --strict -c MANIFEST.sha256 | cut -d: -f1", s->dir);
	printed(files, sizeof(files),
		"cd %s/LI-A && find . -type f ! -name MANIFEST.sha256 -printf '%%P\\n' | LC_ALL=C sort", s->dir);
	assert_string_equal(out, files);
	assert_non_null(strstr(files, "call-0001/media.pcap"));
	assert_non_null(strstr(files, "other/signalling.pcap"));
	assert_string_equal(
		printed(out, sizeof(out), "ls -A %s %s", s->top, s->dir + strlen(s->top) + 1 ? "" : ""), "case");
	assert_string_equal(printed(out, sizeof(out), "stat -c %%a %s", s->dir), "700");
	scene_free(s);
}

/* tshark's own reading of a file with checksums checked. */
static void assert_checksums(const struct scene *s, const char *path, const char *transport)
{
	char out[256];

	printed(out, sizeof(out),
		"tshark -n -r %s/%s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE"
		" -T fields -e ip.checksum.status -e %s.checksum.status 2>/dev/null | tr '\\t' ' ' | sort -u",
		s->dir, path, transport);
	assert_true(strcmp(out, "1 1") == 0 || strcmp(out, " 1") == 0); /* 1: good; IPv6 has none of its own */
}

static void media_is_rebuilt_with_true_lengths_and_checksums(void **state)
{
	struct scene *s = scene_new(1);
	struct packet_said p;
	uint8_t media[160];
	char out[512];

	(void)state;
	p = rtp_said(s, 1, START + 7, fill(media, 160, 0xd5));
	assert_int_equal(take_packet(p), 0);
	assert_int_equal(scene_finish(s), 0);
	assert_checksums(s, "LI-A/call-0001/media.pcap", "udp");
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/media.pcap -d udp.port==32000,rtp -T fields -e frame.time_epoch -e "
		"ip.len -e udp.length"
		" -e ip.src -e udp.dstport -e rtp.seq -e rtp.payload 2>/dev/null | cut -c-64",
		s->dir);
	assert_string_equal(out, "1795294703.000000007\t200\t180\t192.0.2.11\t32000\t1\td5d5d5d5d5d5d5d5");
	scene_free(s);
}

static void ipv6_extension_headers_stay(void **state)
{
	struct scene *s = scene_new(1);
	struct packet_said p;
	uint8_t media[33];
	char out[256];

	(void)state;
	p = rtp_said(s, 1, START, fill(media, 33, 0x11));
	p.m.flow = (struct flow){ host6(1, 4000), host6(2, 5000) };
	p.extension = true;
	assert_int_equal(take_packet(p), 0);
	assert_int_equal(scene_finish(s), 0);
	assert_checksums(s, "LI-A/call-0001/media.pcap", "udp");
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/media.pcap -T fields -e ipv6.plen -e ipv6.hopopts.len_oct 2>/dev/null",
		s->dir);
	assert_string_equal(out, "61\t8"); /* 8 + 8 + 12 + 33 */
	scene_free(s);
}

static void files_are_in_time_order_and_sealed_packets_as_captured(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t media[20];
	char out[256];

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		struct packet_said p = rtp_said(s, i, START + (nsec_t)(2 - i) * MS, fill(media, 20, (uint8_t)i));

		assert_int_equal(take_packet(p), 0);
		p.m.fate = MEDIA_SEALED;
		p.m.reason = SEAL_AUTH_FAILED;
		p.m.key_used = false;
		p.m.index += 3;
		assert_int_equal(take_packet(p), 0);
	}
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/media.pcap -T fields -e frame.time_delta -e data.data 2>/dev/null | "
		"cut -c1-8",
		s->dir);
	assert_string_equal(out, "0.000000\n0.001000\n0.001000");
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/sealed.pcap -T fields -e udp.length -e udp.payload 2>/dev/null | cut "
		"-c1-3,28-37",
		s->dir);
	assert_string_equal(
		out, "50\t5858585858\n50\t5b5b5b5b5b\n50\t5a5a5a5a5a"); /* the payload xor 5a, tag and all */
	assert_int_equal(s->result.sealed, 1);
	scene_free(s);
}

static void hashes_follow_the_index_whatever_the_order_of_arrival(void **state)
{
	static const uint64_t order[] = { 65534, 65537, 65536, 65535, 65540, 65536 };
	struct scene *s = scene_new(1);
	char path[128], expected[80], whole[80];
	uint8_t media[50];
	FILE *payload, *packets;
	json_t *root, *stream;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		take_packet(rtp_said(
			s, order[i], START + (nsec_t)i * 20 * MS, fill(media, 50, i < 5 ? (uint8_t)order[i] : 0x77)));
	assert_int_equal(scene_finish(s), 0);
	snprintf(path, sizeof(path), "%s/payload", s->top);
	payload = fopen(path, "w");
	snprintf(path, sizeof(path), "%s/packets", s->top);
	packets = fopen(path, "w");
	for (uint64_t i = 65534; i <= 65540; i++) {
		uint8_t head[12] = { 0x80, 0, (uint8_t)(i >> 8), (uint8_t)i, [8] = 0x89, 0xab, 0xcd, 0xef };

		if (i == 65538 || i == 65539)
			continue;
		put_be32(head + 4, (uint32_t)(i * 160));
		fill(media, 50, (uint8_t)i);
		fwrite(media, 1, 50, payload);
		fwrite(head, 1, 12, packets);
		fwrite(media, 1, 50, packets);
	}
	fclose(payload);
	fclose(packets);
	printed(expected, sizeof(expected), "sha256sum < %s/payload | cut -d' ' -f1", s->top);
	printed(whole, sizeof(whole), "sha256sum < %s/packets | cut -d' ' -f1", s->top);
	root = read_case(s, "LI-A");
	stream = json_at(root, "calls.0.streams.0");
	assert_string_equal(json_string_value(json_object_get(stream, "payload_sha256")), expected);
	assert_string_equal(json_string_value(json_object_get(stream, "rtp_sha256")), whole);
	assert_int_equal(json_integer_value(json_object_get(stream, "lost")), 2);
	assert_int_equal(json_integer_value(json_object_get(stream, "roc_first")), 0);
	assert_int_equal(json_integer_value(json_object_get(stream, "packets")), 6);
	json_decref(root);
	scene_free(s);
}

static void a_stream_is_told_as_the_contract_says(void **state)
{
	struct scene *s = scene_new(1);
	struct packet_said p;
	uint8_t media[4] = { 0 }, report[28] = { 0x80, 200, 0, 6, 0x89, 0xab, 0xcd, 0xef };
	json_t *root, *stream;

	(void)state;
	take_facts(s, 1, 1, simple_facts());
	for (uint64_t i = 0; i < 5; i++) {
		p = rtp_said(s, 0x20000 + i, START + (nsec_t)i, (struct bytes){ media, 4 });
		p.m.pt = i > 1 ? 101 : 0;
		p.m.codec = i > 1 ? "telephone-event" : "PCMU";
		p.m.rekeys = i > 2 ? 1 : 0;
		assert_int_equal(take_packet(p), 0);
	}
	p.m.fate = MEDIA_TWICE;
	take_packet(p);
	p.m.fate = MEDIA_FORGED;
	p.m.ssrc = 5;
	take_packet(p);
	p = rtp_said(s, 0x20007, START + 9, (struct bytes){ media, 4 });
	p.m.fate = MEDIA_SEALED;
	p.m.reason = SEAL_AUTH_FAILED;
	p.m.key_used = false;
	take_packet(p);
	p = rtp_said(s, 0, START + 10, (struct bytes){ report, sizeof(report) });
	p.m.sort = MEDIA_RTCP;
	p.m.flow.src.port++;
	p.m.flow.dst.port++;
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	root = read_case(s, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "calls.0.streams")), 1);
	stream = json_at(root, "calls.0.streams.0");
	assert_string_equal(json_string_value(json_at(stream, "src")), "192.0.2.11:31000");
	assert_string_equal(json_string_value(json_at(stream, "ssrc")), "0x89abcdef");
	assert_string_equal(json_string_value(json_at(stream, "direction")), "to-target");
	assert_string_equal(json_string_value(json_at(stream, "codec")), "PCMU");
	assert_string_equal(json_string_value(json_at(stream, "suite")), "AES_CM_128_HMAC_SHA1_80");
	assert_string_equal(json_string_value(json_at(stream, "key_source")), "sdes");
	assert_string_equal(json_string_value(json_at(stream, "state")), "decrypted");
	assert_true(json_is_null(json_at(stream, "reason")));
	assert_int_equal(json_integer_value(json_at(stream, "packets")), 6);
	assert_int_equal(json_integer_value(json_at(stream, "decrypted")), 5);
	assert_int_equal(json_integer_value(json_at(stream, "failed")), 1);
	assert_int_equal(json_integer_value(json_at(stream, "duplicates")), 1);
	assert_int_equal(json_integer_value(json_at(stream, "lost")), 2);
	assert_int_equal(json_integer_value(json_at(stream, "roc_first")), 2);
	assert_int_equal(json_integer_value(json_at(stream, "rekeys")), 1);
	assert_int_equal(json_integer_value(json_at(stream, "rtcp_packets")), 1);
	assert_int_equal(json_integer_value(json_at(stream, "rtcp_decrypted")), 1);
	assert_int_equal(json_integer_value(json_at(root, "counters.frames")), 9);
	assert_int_equal(json_integer_value(json_at(root, "counters.forged")), 1);
	assert_int_equal(json_integer_value(json_at(root, "counters.rtp")), 8);
	assert_string_equal(json_string_value(json_at(root, "inputs.0.last")), "2026-11-21T20:58:24.000000Z");
	assert_true(json_is_null(json_at(root, "calls.0.ended")));
	assert_string_equal(json_string_value(json_at(root, "calls.0.matched.0.header")), "To");
	assert_int_equal(s->result.sealed, 1);
	json_decref(root);
	scene_free(s);
}

static void a_sealed_stream_has_a_reason_and_no_hash(void **state)
{
	static const enum seal_reason reasons[] = { SEAL_NO_KEY, SEAL_DTLS_SRTP, SEAL_DTLS_SRTP };
	struct scene *s = scene_new(1);
	uint8_t media[4] = { 0 };
	json_t *root, *stream;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		struct packet_said p = rtp_said(s, i, START, (struct bytes){ media, 4 });

		p.m.fate = MEDIA_SEALED;
		p.m.reason = reasons[i];
		p.m.key_used = false;
		p.m.source = KEY_NONE;
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	root = read_case(s, "LI-A");
	stream = json_at(root, "calls.0.streams.0");
	assert_string_equal(json_string_value(json_at(stream, "state")), "sealed");
	assert_string_equal(json_string_value(json_at(stream, "reason")), "dtls-srtp");
	assert_string_equal(json_string_value(json_at(stream, "key_source")), "none");
	assert_true(json_is_null(json_at(stream, "payload_sha256")));
	assert_false(there(s, "LI-A/call-0001/media.pcap"));
	assert_true(there(s, "LI-A/call-0001/sealed.pcap"));
	json_decref(root);
	scene_free(s);
}

/* The key and salt of rtp_said: 1 2 3 and zeroes, 9 8 7 and zeroes. */
#define KEY_TEXT       "AQIDAAAAAAAAAAAAAAAAAAkIBwAAAAAAAAAAAAAA"
#define OTHER_KEY_TEXT "AQIDAAAAAAAAAAAAAAAAAAkIBwAAAAAAAAAAAAAB"
#define STARS          "****************************************"

static void keys_that_opened_something_are_overwritten_and_others_stay(void **state)
{
	static const char text[] = "INVITE sip:bob@ims.example SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"
				   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_TEXT "|2^20|1:4\r\n"
				   "a=crypto:2 AES_CM_128_HMAC_SHA1_80 INLINE:" OTHER_KEY_TEXT "\r\n"
				   "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:AQIDAAAAAAAAAAAAAAAAAAkI\r\n "
				   "BwAAAAAAAAAAAAAA UNENCRYPTED_SRTP\r\n";
	static const struct flow tcp = { { .family = 4, .port = 5060, .ip = { 192, 0, 2, 1 } },
		{ .family = 4, .port = 40000, .ip = { 192, 0, 2, 2 } } };
	struct scene *s = scene_new(1);
	uint8_t media[4] = { 0 };
	char out[4096];
	json_t *root;

	(void)state;
	take_facts(s, 1, 1, simple_facts());
	take_sip(s, 1, 1, START, sip_flow(), 17, text);
	take_sip(s, 1, 1, START, tcp, 6, text);
	take_sip(s, 1, 0, START, sip_flow(), 17, text);
	assert_int_equal(take_packet(rtp_said(s, 1, START, (struct bytes){ media, 4 })), 0);
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out), "grep -rl -e %s -e ' BwAAAAAA' %s | wc -l", KEY_TEXT, s->dir);
	assert_string_equal(out, "0");
	printed(out, sizeof(out),
		"cd %s/LI-A && strings call-0001/signalling.pcap | grep -i inline | sort | uniq -c | sed 's/^ *//'",
		s->dir);
	assert_string_equal(out, "2 a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" STARS "|2^20|1:4\n"
				 "2 a=crypto:2 AES_CM_128_HMAC_SHA1_80 INLINE:" OTHER_KEY_TEXT "\n"
				 "2 a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:************************");
	printed(out, sizeof(out),
		"cd %s/LI-A && strings call-0001/signalling.pcap | grep -c '^ \\*\\{16\\} UNENCRYPTED_SRTP'", s->dir);
	assert_string_equal(out, "2");
	assert_checksums(s, "LI-A/other/signalling.pcap", "udp");
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/signalling.pcap -o tcp.check_checksum:TRUE -T fields -e "
		"tcp.checksum.status tcp 2>/dev/null",
		s->dir);
	assert_string_equal(out, "1");
	root = read_case(s, "LI-A");
	assert_int_equal(json_integer_value(json_at(root, "keys_removed")), 6);
	json_decref(root);
	scene_free(s);
}

static void where_media_is_not_covered_every_key_goes(void **state)
{
	struct scene *s = scene_new(1);
	struct call_facts facts = simple_facts();
	char out[256];

	(void)state;
	facts.keep_keys = false;
	take_sip(s, 1, 1, START, sip_flow(), 17,
		"SIP/2.0 200 OK\r\n\r\na=crypto:1 X inline:" KEY_TEXT
		"\r\na=crypto:2 Y inline:odd;inline:\r\na=crypto:3 Z inline:inline:c2VjcmV0\r\n");
	take_facts(s, 1, 1, facts);
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out), "strings %s/LI-A/call-0001/signalling.pcap | grep inline", s->dir);
	assert_string_equal(out,
		"a=crypto:1 X inline:" STARS "\na=crypto:2 Y inline:***;inline:\na=crypto:3 Z inline:inline:********");
	scene_free(s);
}

static void where_signalling_only_is_covered_keys_go_out_of_events_too(void **state)
{
	struct scene *s = scene_new(1);
	char out[256];

	(void)state;
	s->set.all[0].scope = SCOPE_IRI;
	take_sip(s, 1, 0, START, sip_flow(), 17, "INVITE sip:x SIP/2.0\r\n\r\na=crypto:1 X inline:" KEY_TEXT "\r\n");
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out), "strings %s/LI-A/other/signalling.pcap | grep inline", s->dir);
	assert_string_equal(out, "a=crypto:1 X inline:" STARS);
	scene_free(s);
}

static void a_udp_checksum_left_out_stays_out_and_a_cut_message_keeps_a_true_one(void **state)
{
	static const char text[] =
		"INVITE sip:b@x SIP/2.0\r\n\r\na=crypto:1 X inline:" KEY_TEXT "\r\na=end-of-it:yes\r\n";
	struct scene *s = scene_new(1);
	struct made m = make_packet(sip_flow(), 17, false, bytes_of(text));
	struct datagram d = { .proto = 17, .flow = sip_flow() };
	struct record r = { .kind = RECORD_SIP, .warrant = 1, .call = 1, .at = START, .sip = &d };
	uint16_t before = be16(m.at + 26), stars, cut;
	char out[256];
	struct made all;
	char starred[sizeof(text)];

	(void)state;
	memcpy(starred, text, sizeof(text));
	memset(strstr(starred, "AQID"), '*', 40);
	all = make_packet(sip_flow(), 17, false, bytes_of(starred));
	stars = be16(all.at + 26);
	cut = (uint16_t)(m.len - 10);
	d.packet = (struct bytes){ m.at, cut };
	d.payload = (struct bytes){ m.at + m.payload_at, cut - m.payload_at };
	d.truncated = true;
	assert_int_equal(folder_take(s->folder, &r, &s->err), 0);
	put_be16(m.at + 26, 0);
	d.packet.len = m.len;
	d.payload.len = m.len - m.payload_at;
	assert_int_equal(folder_take(s->folder, &r, &s->err), 0);
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out),
		"tshark -n -r %s/LI-A/call-0001/signalling.pcap -T fields -e udp.checksum -e frame.len -e "
		"frame.cap_len 2>/dev/null",
		s->dir);
	assert_int_not_equal(before, stars);
	snprintf(starred, sizeof(starred), "0x%04x\t%zu\t%u\n0x0000\t%zu\t%zu", stars, m.len, cut, m.len, m.len);
	assert_string_equal(out, starred);
	scene_free(s);
}

static void two_warrants_share_nothing(void **state)
{
	static const char one[] =
		"INVITE sip:bob@ims.example SIP/2.0\r\nX: only-a\r\n\r\na=crypto:1 X inline:" OTHER_KEY_TEXT "\r\n";
	static const char two[] =
		"INVITE sip:carol@ims.example SIP/2.0\r\nX: only-b\r\n\r\na=crypto:1 X inline:" KEY_TEXT "\r\n";
	struct scene *s = scene_new(2);
	struct packet_said p;
	uint8_t media[4] = { 0 };
	char out[512];
	json_t *root;

	(void)state;
	take_sip(s, 1, 7, START, sip_flow(), 17, one);
	take_facts(s, 1, 7, simple_facts());
	take_sip(s, 2, 9, START, sip_flow(), 17, two);
	take_facts(s, 2, 9, simple_facts());
	p = rtp_said(s, 1, START, (struct bytes){ media, 4 });
	p.call = 7;
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	assert_string_equal(printed(out, sizeof(out), "ls %s", s->dir), "LI%2FB%25\nLI-A");
	assert_string_equal(
		printed(out, sizeof(out), "cd %s && grep -rlE 'only-b|carol|LI/B|B%%25' LI-A | wc -l", s->dir), "0");
	assert_string_equal(
		printed(out, sizeof(out), "cd %s && grep -rlE 'only-a|LI-A|89abcdef' LI%%2FB* | wc -l", s->dir), "0");
	root = read_case(s, "LI%2FB%25");
	assert_int_equal(json_integer_value(json_at(root, "calls.0.id")), 1);
	assert_int_equal(json_integer_value(json_at(root, "counters.rtp")), 0);
	assert_int_equal(
		json_integer_value(json_at(root, "keys_removed")), 0); /* it opened something for the other only */
	json_decref(root);
	assert_int_equal(s->result.warrants, 2);
	assert_int_equal(s->result.calls, 2);
	scene_free(s);
}

static void calls_are_numbered_by_their_first_message(void **state)
{
	struct scene *s = scene_new(1);
	struct call_facts late = simple_facts(), early = simple_facts();
	json_t *root;

	(void)state;
	late.caller = "sip:late@x.example";
	early.caller = "sip:early@x.example";
	take_sip(s, 1, 3, START + 5 * MS, sip_flow(), 17, invite);
	take_facts(s, 1, 3, late);
	take_sip(s, 1, 8, START, sip_flow(), 17, invite);
	take_facts(s, 1, 8, early);
	assert_int_equal(scene_finish(s), 0);
	root = read_case(s, "LI-A");
	assert_string_equal(json_string_value(json_at(root, "calls.0.caller")), "sip:early@x.example");
	assert_int_equal(json_integer_value(json_at(root, "calls.1.id")), 2);
	assert_true(there(s, "LI-A/call-0002/signalling.pcap"));
	json_decref(root);
	scene_free(s);
}

static void values_that_are_no_utf8_still_make_json(void **state)
{
	struct scene *s = scene_new(1);
	struct call_facts facts = simple_facts();
	json_t *root;

	(void)state;
	facts.caller = "sip:al\xff\"ice\x01@\xc3\xa9.example";
	take_facts(s, 1, 1, facts);
	assert_int_equal(scene_finish(s), 0);
	root = read_case(s, "LI-A");
	assert_string_equal(
		json_string_value(json_at(root, "calls.0.caller")), "sip:al\xEF\xBF\xBD\"ice\x01@\xc3\xa9.example");
	json_decref(root);
	scene_free(s);
}

static void packets_that_are_no_rtp_have_a_file_of_their_own(void **state)
{
	static const uint8_t stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	struct scene *s = scene_new(1);
	struct packet_said p = rtp_said(s, 0, START, (struct bytes){ stun, sizeof(stun) });
	char out[128];

	(void)state;
	p.m.sort = MEDIA_NEITHER;
	p.m.fate = MEDIA_BROKEN;
	p.m.suite = SUITE_NONE;
	p.m.key_used = false;
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	printed(out, sizeof(out),
		"cd %s/LI-A/call-0001 && ls *.pcap && tshark -n -r other.pcap -T fields -e udp.length 2>/dev/null",
		s->dir);
	assert_string_equal(out, "other.pcap\n28");
	scene_free(s);
}

static void the_same_records_give_the_same_bytes(void **state)
{
	char manifest[2][4096];

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct scene *s = scene_new(1);
		uint8_t media[160];

		for (uint64_t i = 0; i < 50; i++)
			take_packet(rtp_said(s, i ^ 1, START + (nsec_t)i * 20 * MS, fill(media, 160, (uint8_t)i)));
		take_sip(s, 1, 1, START, sip_flow(), 17, invite);
		take_facts(s, 1, 1, simple_facts());
		assert_int_equal(scene_finish(s), 0);
		printed(manifest[run], sizeof(manifest[run]), "cat %s/LI-A/MANIFEST.sha256", s->dir);
		scene_free(s);
	}
	assert_string_equal(manifest[0], manifest[1]);
}

/* A case whose largest files are 100 KB (put aside), 200 KB (sound) and 300 KB (the page), with files limited to `limit`. */
static void fill_disk(rlim_t limit)
{
	struct rlimit before, small;
	struct scene *s = scene_new(1);
	char out[256];
	uint8_t media[500];
	int rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ limit, before.rlim_max };
	for (uint64_t i = 0; i < 100; i++) {
		struct packet_said p = rtp_said(s, i, START, fill(media, 500, 1));

		p.m.timestamp = (uint32_t)i * 500;
		assert_int_equal(take_packet(p), 0);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = scene_finish(s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(s->err.code, EXIT_FAILED);
	assert_null(strstr(s->err.text, "LI-A"));
	folder_free(s->folder);
	s->folder = NULL;
	assert_string_equal(printed(out, sizeof(out), "ls -A %s", s->top), "");
	scene_free(s);
}

/* The size of files is limited instead of a disk's: a write fails the same way. */
static void a_full_disk_leaves_nothing(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	fill_disk(40000);
	fill_disk(160000);
	fill_disk(240000);
}

static void the_name_of_a_folder_is_safe(void **state)
{
	char out[3 * 25 + 1];

	(void)state;
	folder_name("../etc", out);
	assert_string_equal(out, "%2E.%2Fetc");
	folder_name("a b%c", out);
	assert_string_equal(out, "a b%25c");
	folder_name("NL-2026/0815", out);
	assert_string_equal(out, "NL-2026%2F0815");
}

static void where_keys_of_kmss_came_from_is_said_with_every_one_that_was_tried(void **state)
{
	static const struct call_kms_tried tried[] = { { "sip:kms@a.example", "ticket", "kms-unknown" },
		{ "sip:kms@b.example", "signalled", "keys" } };
	static const struct call_kms kms[] = {
		{ "0123456789abcdef0123456789abcdef", "mikey", 1, START, START + NSEC_PER_SEC, "keys", true, tried, 2 },
		{ NULL, "otway-rees", UINT32_MAX, START, NSEC_NONE, NULL, false, NULL, 0 },
	};
	struct scene *s = scene_new(1);
	struct call_facts facts = simple_facts();
	json_t *root, *one;

	(void)state;
	take_sip(s, 1, 1, START, sip_flow(), 17, "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	facts.kms = kms;
	facts.kms_count = 2;
	take_facts(s, 1, 1, facts);
	take_facts(s, 1, 1, facts); /* again: what was is replaced */
	assert_int_equal(scene_finish(s), 0);
	root = read_case(s, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "calls.0.kms")), 2);
	one = json_at(root, "calls.0.kms.0");
	assert_string_equal(json_string_value(json_at(one, "request")), kms[0].request);
	assert_string_equal(json_string_value(json_at(one, "protocol")), "mikey");
	assert_int_equal(json_integer_value(json_at(one, "line")), 1);
	assert_string_equal(json_string_value(json_at(one, "kms")), "sip:kms@b.example");
	assert_string_equal(json_string_value(json_at(one, "by")), "signalled");
	assert_string_equal(json_string_value(json_at(one, "outcome")), "keys");
	assert_true(json_is_true(json_at(one, "mismatch")));
	assert_int_equal(json_array_size(json_at(one, "tried")), 2);
	assert_string_equal(json_string_value(json_at(one, "tried.0.kms")), "sip:kms@a.example");
	assert_string_equal(json_string_value(json_at(one, "tried.0.outcome")), "kms-unknown");
	one = json_at(root, "calls.0.kms.1");
	assert_true(json_is_null(json_at(one, "request")));
	assert_true(json_is_null(json_at(one, "line")));
	assert_true(json_is_null(json_at(one, "kms")));
	assert_true(json_is_null(json_at(one, "at")));
	assert_true(json_is_null(json_at(one, "outcome")));
	json_decref(root);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_keys_of_kmss_came_from_is_said_with_every_one_that_was_tried),
		cmocka_unit_test(nothing_covered_makes_no_folder),
		cmocka_unit_test(a_folder_that_is_not_empty_is_refused),
		cmocka_unit_test(a_folder_that_is_empty_is_taken),
		cmocka_unit_test(what_is_given_up_leaves_nothing),
		cmocka_unit_test(sha256sum_accepts_the_manifest_and_it_names_every_file),
		cmocka_unit_test(media_is_rebuilt_with_true_lengths_and_checksums),
		cmocka_unit_test(ipv6_extension_headers_stay),
		cmocka_unit_test(files_are_in_time_order_and_sealed_packets_as_captured),
		cmocka_unit_test(hashes_follow_the_index_whatever_the_order_of_arrival),
		cmocka_unit_test(a_stream_is_told_as_the_contract_says),
		cmocka_unit_test(a_sealed_stream_has_a_reason_and_no_hash),
		cmocka_unit_test(keys_that_opened_something_are_overwritten_and_others_stay),
		cmocka_unit_test(where_media_is_not_covered_every_key_goes),
		cmocka_unit_test(where_signalling_only_is_covered_keys_go_out_of_events_too),
		cmocka_unit_test(a_udp_checksum_left_out_stays_out_and_a_cut_message_keeps_a_true_one),
		cmocka_unit_test(two_warrants_share_nothing),
		cmocka_unit_test(calls_are_numbered_by_their_first_message),
		cmocka_unit_test(values_that_are_no_utf8_still_make_json),
		cmocka_unit_test(packets_that_are_no_rtp_have_a_file_of_their_own),
		cmocka_unit_test(the_same_records_give_the_same_bytes),
		cmocka_unit_test(a_full_disk_leaves_nothing),
		cmocka_unit_test(the_name_of_a_folder_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
