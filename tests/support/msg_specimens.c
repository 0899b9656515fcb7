/* msg_specimens: things with something else in every member. */
#include "msg_specimens.h"

#include <stdlib.h>

static const struct addr four = { .family = 4, .port = 5060, .ip = { 192, 0, 2, 1 } };
static const struct addr six = { .family = 6, .port = 49170, .ip = { 0x20, 1, 0xd, 0xb8, [14] = 7, [15] = 9 } };

/* An IPv4 packet of UDP, as far as messages know one: 28 octets of headers, and 12 behind them. */
static const uint8_t packet[41] = "E-header-of-ip-20octUDP-hdr.twelve-bytes";
static const uint8_t clear[25] = "RTP-header12codec-octets";

void specimen_datagram(struct datagram *out)
{
	*out = (struct datagram){ .at = 1700000000123456789,
		.source = 3,
		.proto = IP_PROTO_UDP,
		.truncated = true,
		.flow = { four, six },
		.packet = { packet, 40 },
		.payload = { packet + 28, 12 },
		.header = 8,
		.wrapped = true };
}

void specimen_fragment(struct datagram *out)
{
	*out = (struct datagram){ .at = 5, .source = 1, .proto = 44, .packet = { packet, 30 }, .framed = true };
}

static struct record record_of(enum record_kind kind)
{
	return (struct record){ .kind = kind, .warrant = 11, .call = 12, .at = 13 };
}

void specimen_sip(struct record *out)
{
	static struct datagram d;

	specimen_datagram(&d);
	*out = record_of(RECORD_SIP);
	out->sip = &d;
}

void specimen_event(struct record *out)
{
	specimen_sip(out);
	out->kind = RECORD_EVENT;
	out->event = (struct event_facts){ "MESSAGE", 202, NULL, "sip:b@x.example" };
}

void specimen_call(struct record *out)
{
	static const char *const ids[] = { "id-1", "id-2" };
	static const struct call_match matches[] = {
		{ 1, SIP_HEADER_PAI, HIT_FROM_TARGET, true, "sip:a@x.example" },
		{ 2, SIP_HEADER_DIVERSION, HIT_DIVERTING, false, "tel:+15550101" },
	};
	static const struct call_diversion diversions[] = { { "CFU", 302, "sip:b@x.example", NULL } };
	static const struct call_kms_tried tried[] = { { "sip:kms@x.example", "ticket", "kms-refused" },
		{ "sip:kms@y.example", "signalled", "keys" }, { "sip:kms@z.example", "convention", "no-key" } };
	static const struct call_kms kms[] = {
		{ "00112233445566778899aabbccddeeff", "mikey", UINT32_MAX, 21, 22, "keys", true, tried, 2 },
		{ NULL, "otway-rees", 1, 23, NSEC_NONE, NULL, false, tried + 2, 1 },
	};

	*out = record_of(RECORD_CALL);
	out->facts = (struct call_facts){ ids, 2, 31, 32, NSEC_NONE, CALL_ANSWERED, "sip:a@x.example", NULL, matches, 2,
		diversions, 1, TOWARD_CALLEE, true, kms, 2, 9 };
}

void specimen_media(struct record *out)
{
	*out = record_of(RECORD_MEDIA);
	out->media = (struct media_packet){ .at = 41,
		.call = 12,
		.stream = 43,
		.sort = MEDIA_RTCP,
		.fate = MEDIA_CLEAR,
		.reason = SEAL_KMS_UNKNOWN,
		.flow = { six, four },
		.packet = { packet, 40 },
		.payload = { packet + 28, 12 },
		.clear = { clear, 24 },
		.ssrc = 0xdeadbeef,
		.index = UINT64_C(0x123456789abc),
		.pt = 101,
		.timestamp = 44,
		.media = { clear + 12, 12 },
		.toward = TOWARD_CALLER,
		.kind = "audio",
		.profile = "RTP/SAVP",
		.codec = "AMR-WB",
		.clock = 16000,
		.channels = 2,
		.fmtp = "octet-align=1",
		.suite = AES_CM_128_HMAC_SHA1_80,
		.source = KEY_KMS,
		.rekeys = 6,
		.key_used = true,
		.learned = true };
	out->media.key = (struct srtp_key){ .suite = AES_CM_128_HMAC_SHA1_80,
		.source = KEY_KMS,
		.key = "0123456789abcdef",
		.salt = "salt salt sal",
		.mki_len = 1,
		.mki = "m",
		.unencrypted_srtcp = true };
}

void specimen_media_bare(struct record *out)
{
	specimen_media(out);
	out->media.key_used = out->media.learned = false;
	out->media.suite = SUITE_NONE;
	out->media.clear = out->media.payload;
	out->media.media = (struct bytes){ NULL, 0 };
}

void specimen_cover(struct step *out)
{
	*out = (struct step){ .kind = STEP_COVER, .at = 51, .call = 52, .cover_count = 2 };
	out->covers[0] = (struct cover){ 53, 54, NSEC_EVER };
	out->covers[1] = (struct cover){ 55, NSEC_NONE, 56 };
}

void specimen_place(struct step *out)
{
	*out = (struct step){ .kind = STEP_PLACE, .at = 61, .call = 62 };
	out->place = (struct place){ .call = 62,
		.line = 1,
		.toward = TOWARD_CALLEE,
		.rtp = four,
		.answered = true,
		.kind = "video",
		.profile = "UDP/TLS/RTP/SAVPF",
		.secure = true,
		.zrtp = true,
		.waiting = true,
		.refusal = SEAL_KEY_MISMATCH,
		.formats = { { 96, "H264", 90000, 1, "profile-level-id=42e01f" }, { 0, "PCMU", 8000, 1, "" } },
		.format_count = 2 };
}

static struct key_given given(void)
{
	struct key_given k = { .call = 71,
		.line = UINT32_MAX,
		.chosen = true,
		.sender = six,
		.toward = TOWARD_CALLER,
		.dst = four,
		.ssrc_set = true,
		.ssrc = 72 };

	k.key = (struct srtp_key){ .suite = AEAD_AES_256_GCM,
		.source = KEY_SDES,
		.key = "fedcba9876543210fedcba9876543210",
		.salt = "salt of gcm",
		.mki_len = 3,
		.mki = "mki",
		.unauthenticated_srtp = true };
	return k;
}

void specimen_key(struct step *out)
{
	*out = (struct step){ .kind = STEP_KEY, .at = 73, .call = 71, .key = given() };
}

void specimen_wanted(struct key_wanted *out)
{
	*out = (struct key_wanted){ 81, 82, UINT32_MAX, 83, 84, KEY_MGMT_OTWAY_REES, bytes_of("offer"),
		bytes_of("answer"), bytes_of("first offer"), bytes_of("first answer"), bytes_of("tel:+15550101"),
		bytes_of("sip:a@x.example"), bytes_of("sip:f@x.example"), bytes_of("sip:t@x.example"),
		bytes_of("sip:d@x.example"), bytes_of("call id"), bytes_of("from tag"), bytes_of("to tag"),
		bytes_of("sip:kms@x.example") };
}

void specimen_answer(struct key_answer *out)
{
	*out = (struct key_answer){ .number = 91,
		.call = 92,
		.line = 1,
		.at = 93,
		.request = "00112233445566778899aabbccddeeff",
		.reason = SEAL_KMS_NO_AGREEMENT,
		.mismatch = true,
		.tried = { { KMS_NETWORK_DEFAULT, "sip:kms@x.example", SEAL_NONE },
			{ KMS_OF_TICKET, "", SEAL_KEY_PURGED } },
		.tried_count = 2,
		.keys = { given(), { .call = 92, .key = { .suite = SUITE_UNSUPPORTED } } },
		.key_count = 2 };
}

void specimen_warrant(struct warrant *out)
{
	static char agency[] = "agency-a", authority[] = "court of x",
		    uris[2][24] = { "sip:Alice@X.example", "tel:+15550101" };
	static struct target targets[2];

	for (size_t i = 0; i < 2; i++) {
		targets[i].uri = uris[i];
		if (!identity_parse(bytes_of(uris[i]), &targets[i].id))
			abort();
	}
	*out = (struct warrant){ 101, "LIID-101", agency, authority, targets, 2, 102, NSEC_EVER, SCOPE_CC,
		DIVERTED_REPORT, true };
}

void specimen_agreement(struct kms_agreement *out)
{
	static char identity[] = "sip:kms@x.example", url[] = "https://192.0.2.9/xk", ca[] = "/ca.pem",
		    cert[] = "/c.pem";
	static char key[] = "/k.pem", home[] = "x.example", user[2][24] = { "sip:u@y.example", "tel:+15550199" };
	static char *homes[] = { home }, *users[] = { user[0], user[1] };

	*out = (struct kms_agreement){ 111, identity, url, ca, cert, key, homes, 1, users, 2, true, false };
}

void specimen_gap(struct gap *out)
{
	*out = (struct gap){ 121, NSEC_NONE, GAP_CLOCK, "interface eth1", GAP_UNKNOWN };
}

static bool put_record(void (*fill)(struct record *), struct buf *out)
{
	struct record r;

	fill(&r);
	return msg_put_record(out, &r);
}

static bool put_step(void (*fill)(struct step *), struct buf *out)
{
	struct step s = { .kind = STEP_CLOSE, .at = 131, .call = 132 };

	if (fill != NULL)
		fill(&s);
	return msg_put_step(out, &s);
}

static bool put_datagram(void (*fill)(struct datagram *), struct buf *out)
{
	struct datagram d;

	fill(&d);
	return msg_put_datagram(out, &d);
}

static bool put_held(struct buf *out)
{
	struct msg_held h = { .call = 141 };

	specimen_datagram(&h.datagram);
	return msg_put_held(out, &h);
}

static bool put_wanted(struct buf *out)
{
	struct key_wanted w;

	specimen_wanted(&w);
	return msg_put_key_wanted(out, &w);
}

static bool put_answer(struct buf *out)
{
	struct key_answer a;

	specimen_answer(&a);
	return msg_put_key_answer(out, &a);
}

static bool put_warrant(struct buf *out)
{
	struct warrant w;

	specimen_warrant(&w);
	return msg_put_warrant(out, &w, true, true, true);
}

static bool put_agreement(struct buf *out)
{
	struct kms_agreement a;

	specimen_agreement(&a);
	return msg_put_agreement(out, &a);
}

static bool put_gap(struct buf *out)
{
	struct gap g;

	specimen_gap(&g);
	return msg_put_gap(out, &g);
}

static bool as(enum msg_type is, enum msg_type *type, bool put)
{
	*type = is;
	if (!put)
		abort();
	return true;
}

bool specimen_message(size_t i, enum msg_type *type, struct buf *out)
{
	buf_reset(out);
	switch (i) {
	case 0:
		return as(MSG_PEER_UP, type, msg_put_peer(out, &(struct msg_peer){ ROLE_INTERCEPT, 3, 151 }));
	case 1:
		return as(MSG_MARK, type, msg_put_time(out, -152));
	case 2:
		return as(MSG_CALL_OVER, type, msg_put_call(out, UINT32_MAX));
	case 3:
		return as(MSG_LEASE, type, msg_put_lease(out, &(struct msg_lease){ 153, 154 }));
	case 4:
		return as(MSG_WARRANT, type, put_warrant(out));
	case 5:
		return as(MSG_AGREEMENT, type, put_agreement(out));
	case 6:
		return as(MSG_SIGNAL, type, put_datagram(specimen_datagram, out));
	case 7:
		return as(MSG_FORWARD, type, put_datagram(specimen_fragment, out));
	case 8:
		return as(MSG_STEP, type, put_step(specimen_cover, out));
	case 9:
		return as(MSG_STEP, type, put_step(specimen_place, out));
	case 10:
		return as(MSG_STEP, type, put_step(specimen_key, out));
	case 11:
		return as(MSG_STEP, type, put_step(NULL, out));
	case 12:
		return as(MSG_ESP, type, msg_put_esp(out, &six, 0xcafebabe, 12));
	case 13:
		return as(MSG_RECORD, type, put_record(specimen_sip, out));
	case 14:
		return as(MSG_RECORD, type, put_record(specimen_event, out));
	case 15:
		return as(MSG_RECORD, type, put_record(specimen_call, out));
	case 16:
		return as(MSG_RECORD, type, put_record(specimen_media, out));
	case 17:
		return as(MSG_RECORD, type, put_record(specimen_media_bare, out));
	case 18:
		return as(MSG_GAP, type, put_gap(out));
	case 19:
		return as(MSG_HELD, type, put_held(out));
	case 20:
		return as(MSG_KEY_WANTED, type, put_wanted(out));
	case 21:
		return as(MSG_KEY, type, put_answer(out));
	case 22:
		return as(MSG_AUDIT, type,
			msg_put_audit(out, &(struct msg_audit){ 155, "key-request", "kms", "{\"call\":1}" }));
	case 23:
		return as(MSG_AUDITED, type, msg_put_audited(out, UINT64_C(0x1020304050607080), true));
	case 24:
		return as(
			MSG_COUNTS, type, msg_put_count(out, &(struct msg_count){ "kernel_drops", "eth1", 156, true }));
	case 25:
		return as(MSG_ACTIVE, type, msg_put_active(out, &(struct msg_active){ 157, 158 }));
	case 26:
		return as(MSG_ALARM, type,
			msg_put_alarm(out, &(struct msg_alarm){ ALARM_CONFIG, true, "agreement 2", "why" }));
	case 27:
		return as(MSG_CHECKPOINT, type,
			msg_put_checkpoint(out, &(struct msg_checkpoint){ 159, bytes_of("sealed") }));
	default:
		return false;
	}
}
