/* sip: what is a message, and what it says of its parties. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../src/sip/parts.h"
#include "../support/sip_text.h"

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

#define assert_bytes(b, text)                                                                                          \
	do {                                                                                                           \
		struct bytes got_ = (b);                                                                               \
		assert_int_equal(got_.len, strlen(text));                                                              \
		assert_memory_equal(got_.len > 0 ? got_.at : (const uint8_t *)"", text, strlen(text));                 \
	} while (0)

static int open_ear(void **state)
{
	static struct ear e;

	ear_open(&e);
	*state = &e;
	return e.sip == NULL;
}

static int close_ear(void **state)
{
	ear_close(*state);
	return 0;
}

/* The n-th party (from 0) of a header. */
static const struct sip_party *party(const struct sip_message *m, enum sip_header h, size_t n)
{
	for (size_t i = 0; i < m->party_count; i++)
		if (m->parties[i].header == h && n-- == 0)
			return &m->parties[i];
	fail_msg("no such party of %s", sip_header_text(h));
	return NULL;
}

static size_t parties(const struct sip_message *m, enum sip_header h)
{
	size_t n = 0;

	for (size_t i = 0; i < m->party_count; i++)
		n += m->parties[i].header == h;
	return n;
}

/* S30 */
static void sip_is_recognised_by_what_it_says(void **state)
{
	static const char *const sip[] = { "INVITE sip:bob@x SIP/2.0\r\n", "\r\n\r\nBYE sip:x SIP/2.0\r\n",
		"SIP/2.0 200 OK\r\n", "SIP/2.0 100 \r\n", "RE%47IST%45R sip:registrar.example.com sip/2.0\n",
		"OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "\r\nsip/2.0 603 Decline", "INVITE tel:+1 SIP/2.0",
		"INVITE  sip:a@b  SIP/2.0 \r\n" };
	static const char *const other[] = { "", "\r\n\r\n", "GET / HTTP/1.1\r\n", "OPTIONS rtsp://x RTSP/1.0\r\n",
		"HTTP/1.1 200 OK\r\n", "INVITE sip:bob@x SIP/7.0\r\n", "SIP/2.0 4294967301 better not break\r\n",
		"SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 20 x", "INVITE sip:bob@x", "INVITE sip:bob@x\r\nSIP/2.0\r\n",
		" INVITE sip:bob@x SIP/2.0\r\n", "INVITE SIP/2.0\r\n", "M-SEARCH * HTTP/1.1\r\n", "SIP/2.0", "SIP/2.0 ",
		"jaK", "\x80\x08INVITE sip:bob@x SIP/2.0\r\n" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(sip); i++)
		if (!sip_is(bytes_of(sip[i])))
			fail_msg("not recognised: %s", sip[i]);
	for (size_t i = 0; i < ELEMENTS(other); i++)
		if (sip_is(bytes_of(other[i])))
			fail_msg("taken for SIP: %s", other[i]);
}

/* S30: on either side. Streams: golden/test_explain.py */
static void s30_sip_is_looked_for_on_some_ports_alone(void **state)
{
	static const uint16_t ports[] = { 5060, 65535 };
	static const struct {
		uint16_t src, dst;
		bool heard;
	} cases[] = { { 5060, 9, true }, { 9, 5060, true }, { 65535, 9, true }, { 9, 5061, false },
		{ 5124, 9, false } };
	struct ear *e = *state;
	uint64_t other = 0;

	assert_true(sip_ports(e->sip, ports, ELEMENTS(ports)));
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		e->datagram.proto = IP_PROTO_UDP;
		e->datagram.flow.src.port = cases[i].src;
		e->datagram.flow.dst.port = cases[i].dst;
		assert_int_equal(ear_invite(e, "", "") != NULL, cases[i].heard);
		other += !cases[i].heard;
		assert_int_equal(ear_count(e, "sip_other_port"), other);
		assert_null(ear_text(e, "no SIP"));
	}
	assert_int_equal(ear_count(e, "sip_other_port"), other);
	assert_true(sip_ports(e->sip, NULL, 0));
	assert_non_null(ear_invite(e, "", ""));
}

/* S18 */
static void keep_alives_are_no_messages(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
	} alive[] = { { "\r\n\r\n", 4 }, { "\0", 1 }, { "jaK\0", 4 }, { "\0\0\0\0", 4 }, { "\0\0\0\0\0\0\0\0", 8 } };

	for (size_t i = 0; i < ELEMENTS(alive); i++)
		assert_null(ear_octets(*state, (struct bytes){ (const uint8_t *)alive[i].octets, alive[i].len }));
	assert_int_equal(ear_count(*state, "sip_bad"), 0);
	assert_non_null(ear_invite(*state, "", ""));
}

/* RFC 4475 3.1.1.1: folding, odd case, compact forms, white space round every mark. */
static void the_short_tortuous_invite_is_read(void **state)
{
	const struct sip_message *m = ear_text(*state,
		"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\n"
		"TO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n"
		"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\n"
		"MaX-fOrWaRdS: 0068\n"
		"Call-ID: wsinv.ndaksdj@192.0.2.1\n"
		"Content-Length   : 150\n"
		"cseq: 0009\n  INVITE\n"
		"Via  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\n"
		"s :\n"
		"NewFangledHeader:   newfangled value\n continued newfangled value\n"
		"UnknownHeaderWithUnusualValue: ;;,,;;,;\n"
		"Content-Type: application/sdp\n"
		"Route:\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\n"
		"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n"
		" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n"
		"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n"
		"  secondparam ; q = 0.33\n"
		"\n"
		"v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.3\ns=-\nc=IN IP4 192.0.2.4\nt=0 0\n"
		"m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n");

	assert_non_null(m);
	assert_int_equal(ear_count(*state, "sip_bad"), 0);
	assert_true(m->request);
	assert_int_equal(m->method, SIP_INVITE);
	assert_int_equal(m->cseq, 9);
	assert_bytes(m->call_id, "wsinv.ndaksdj@192.0.2.1");
	assert_bytes(m->to_tag, "1918181833n");
	assert_bytes(m->from_tag, "98asjd8");
	assert_bytes(m->branch, "390skdjuw");
	assert_bytes(party(m, SIP_HEADER_TO, 0)->uri, "sip:vivekg@chair-dnrc.example.com");
	assert_bytes(party(m, SIP_HEADER_FROM, 0)->uri, "sip:jdrosen@example.com");
	assert_bytes(party(m, SIP_HEADER_CONTACT, 0)->uri, "sip:jdrosen@example.com");
	assert_string_equal(party(m, SIP_HEADER_REQUEST_URI, 0)->id.uri, "sip:vivekg@chair-dnrc.example.com");
	assert_int_equal(m->sdp.line_count, 2);
	assert_int_equal(m->sdp.lines[1].rtp.port, 3227);
}

static void compact_and_long_names_say_the_same(void **state)
{
	const struct sip_message *m =
		ear_text(*state, "REFER sip:bob@x SIP/2.0\nv: SIP/2.0/UDP h;branch=z9hG4bKb\nf: <sip:a@x>;tag=ft\n"
				 "t: <sip:b@x>;tag=tt\ni: id1\nCSEQ: 7 REFER\nm: <sip:a@192.0.2.1>\nr: <sip:c@x>\nb: "
				 "<sip:a@x>\nx: 1800\n"
				 "y: \"not an identity\"\nl: 0\n\n");

	assert_non_null(m);
	assert_bytes(m->call_id, "id1");
	assert_bytes(m->from_tag, "ft");
	assert_bytes(m->to_tag, "tt");
	assert_bytes(m->branch, "z9hG4bKb");
	assert_int_equal(m->cseq, 7);
	assert_int_equal(m->method, SIP_REFER);
	assert_bytes(party(m, SIP_HEADER_REFER_TO, 0)->uri, "sip:c@x");
	assert_bytes(party(m, SIP_HEADER_REFERRED_BY, 0)->uri, "sip:a@x");
	assert_int_equal(m->party_count, 6);
}

static void a_response_has_the_method_of_its_cseq(void **state)
{
	const struct sip_message *m = ear_text(*state,
		"SIP/2.0 183 Session Progress\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\n"
		"From: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: id2\nCSeq: 42 UPDATE\nContent-Length: 0\n\n");

	assert_non_null(m);
	assert_false(m->request);
	assert_int_equal(m->status, 183);
	assert_int_equal(m->method, SIP_UPDATE);
	assert_int_equal(m->cseq, 42);
	assert_int_equal(m->expires, UINT32_MAX);
	assert_int_equal(parties(m, SIP_HEADER_REQUEST_URI), 0);
}

/* Commas in display names and URIs part nothing; S34's other half: a display name is no identity. */
static void lists_of_identities_are_taken_apart(void **state)
{
	const struct sip_message *m = ear_invite(*state,
		"P-Asserted-Identity: \"Carol, <sip:eve@ims.example>\" <sip:carol,x@ims.example>, tel:+15550100\n"
		"P-Asserted-Identity: <sips:dave@ims.example;x=a,b>\n"
		"P-Preferred-Identity: sip:frank@ims.example\n"
		"Remote-Party-ID: Grace Hopper <sip:grace@ims.example>;party=calling;screen=yes\n"
		"P-Called-Party-ID: sip:heidi@ims.example\n",
		"");

	assert_non_null(m);
	assert_int_equal(parties(m, SIP_HEADER_PAI), 3);
	assert_bytes(party(m, SIP_HEADER_PAI, 0)->uri, "sip:carol,x@ims.example");
	assert_string_equal(party(m, SIP_HEADER_PAI, 1)->id.number, "+15550100");
	assert_bytes(party(m, SIP_HEADER_PAI, 2)->uri, "sips:dave@ims.example;x=a,b");
	assert_string_equal(party(m, SIP_HEADER_PAI, 2)->id.uri, "sip:dave@ims.example");
	assert_bytes(party(m, SIP_HEADER_PPI, 0)->uri, "sip:frank@ims.example");
	assert_bytes(party(m, SIP_HEADER_RPID, 0)->uri, "sip:grace@ims.example");
	assert_bytes(party(m, SIP_HEADER_PCPID, 0)->uri, "sip:heidi@ims.example");
}

/* S31, without the angle brackets that RFC 3261 20.10 asks for. */
static void a_number_keeps_its_context_without_brackets(void **state)
{
	const struct sip_message *m = ear_invite(*state,
		"P-Asserted-Identity: tel:123456;phone-context=+4930\n"
		"P-Called-Party-ID: tel:123456;phone-context=+4930;x=y\nDiversion: "
		"sip:004930123456@x;user=phone;reason=deflection\n",
		"");

	assert_non_null(m);
	assert_string_equal(party(m, SIP_HEADER_PAI, 0)->id.number, "+4930123456");
	assert_string_equal(party(m, SIP_HEADER_PCPID, 0)->id.number, "+4930123456");
	assert_bytes(party(m, SIP_HEADER_PCPID, 0)->uri, "tel:123456;phone-context=+4930");
	assert_string_equal(party(m, SIP_HEADER_DIVERSION, 0)->id.number, "+4930123456");
	assert_bytes(party(m, SIP_HEADER_DIVERSION, 0)->reason, "deflection");
}

static void tel_uris_are_parties_everywhere(void **state)
{
	const struct sip_message *m = ear_text(*state,
		"INVITE tel:+1-555-0101 SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\n"
		"From: \"Caller\" <tel:+15550100>;tag=1\nTo: tel:+1(555)0101\nCall-ID: id3\nCSeq: 1 INVITE\n\n");

	assert_non_null(m);
	assert_int_equal(ear_count(*state, "sip_bad"), 0);
	assert_string_equal(party(m, SIP_HEADER_REQUEST_URI, 0)->id.number, "+15550101");
	assert_string_equal(party(m, SIP_HEADER_FROM, 0)->id.number, "+15550100");
	assert_string_equal(party(m, SIP_HEADER_TO, 0)->id.number, "+15550101");
}

/* RFC 7044 5, its example, and the cause of RFC 4458. */
static void history_is_a_tree_with_causes(void **state)
{
	const struct sip_message *m = ear_invite(*state,
		"History-Info: <sip:UserA@ims.example.com>;index=1;foo=bar\n"
		"History-Info: <sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302>;index=1.1,\n"
		" <sip:UserB@example.com?Privacy=history&Reason=SIP%3B%20cause%3D486%3Btext%3D%22Busy%2C%20Here%22>;"
		"index=1.2;mp=1.1,\n"
		" <sip:45432@192.168.0.3;cause=408>;index=1.3;rc=1.2, <sip:x@y>;index=2\n",
		"");
	const struct sip_party *p;

	assert_non_null(m);
	assert_int_equal(parties(m, SIP_HEADER_HISTORY), 5);
	p = party(m, SIP_HEADER_HISTORY, 0);
	assert_int_equal(p->cause, 0);
	assert_bytes(p->index, "1");
	assert_bytes(p->parent, "");
	p = party(m, SIP_HEADER_HISTORY, 1);
	assert_int_equal(p->cause, 302);
	assert_true(p->cause_led_on);
	assert_bytes(p->parent, "1");
	p = party(m, SIP_HEADER_HISTORY, 2);
	assert_int_equal(p->cause, 486);
	assert_bytes(p->index, "1.2");
	assert_bytes(p->parent, "1.1");
	assert_string_equal(p->id.uri, "sip:UserB@example.com");
	p = party(m, SIP_HEADER_HISTORY, 3);
	assert_int_equal(p->cause, 408);
	assert_false(p->cause_led_on);
	assert_bytes(p->parent, "1.2");
	assert_bytes(p->uri, "sip:45432@192.168.0.3;cause=408");
	assert_bytes(party(m, SIP_HEADER_HISTORY, 4)->parent, "");
}

static void a_diverted_request_uri_bears_its_cause(void **state)
{
	const struct sip_message *m =
		ear_text(*state, "INVITE sip:voicemail@example.com;target=bob%40example.com;cause=486 SIP/2.0\n"
				 "Via: SIP/2.0/UDP h;branch=z9hG4bKb\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: "
				 "id4\nCSeq: 1 INVITE\n"
				 "Diversion: \"B\" <sip:b@x>;reason=\"user-busy\";counter=1, <sip:c@x> ; reason = "
				 "unconditional\n"
				 "P-Served-User: <sip:b@x>; sescase=ORIG; regstate=reg\nP-Served-User: "
				 "sip:c@x;sescase=term\n\n"); /* RFC 4458, 5502 */

	assert_non_null(m);
	assert_int_equal(party(m, SIP_HEADER_REQUEST_URI, 0)->cause, 486);
	assert_bytes(party(m, SIP_HEADER_DIVERSION, 0)->reason, "user-busy");
	assert_bytes(party(m, SIP_HEADER_DIVERSION, 1)->reason, "unconditional");
	assert_true(party(m, SIP_HEADER_SERVED_USER, 0)->originating);
	assert_false(party(m, SIP_HEADER_SERVED_USER, 1)->originating);
	assert_bytes(party(m, SIP_HEADER_SERVED_USER, 1)->uri, "sip:c@x");
}

static void a_contact_tells_its_device_and_time(void **state)
{
	const struct sip_message *m = ear_text(*state,
		"REGISTER sip:ims.example SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\n"
		"From: <sip:a@x>;tag=1\nTo: <sip:a@x>\nCall-ID: id5\nCSeq: 1 REGISTER\nExpires: 3600\n"
		"Contact: <sip:a@192.0.2.1>;+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";expires=600;q=0.5,\n"
		" <sip:a@192.0.2.2>;expires=4294967296\n"
		"Contact: *\nP-Associated-URI: <sip:a@x>, <tel:+15550100>\n\n");

	assert_non_null(m);
	assert_int_equal(m->expires, 3600);
	assert_int_equal(parties(m, SIP_HEADER_CONTACT), 2);
	assert_bytes(party(m, SIP_HEADER_CONTACT, 0)->instance, "urn:gsma:imei:90420156-025763-0");
	assert_int_equal(party(m, SIP_HEADER_CONTACT, 0)->expires, 600);
	assert_bytes(party(m, SIP_HEADER_CONTACT, 1)->instance, "");
	assert_int_equal(
		party(m, SIP_HEADER_CONTACT, 1)->expires, UINT32_MAX - 1); /* RFC 3261 20.19: 2**32 - 1 at most */
	assert_string_equal(party(m, SIP_HEADER_ASSOCIATED, 1)->id.number, "+15550100");
}

static void what_joins_legs_is_read(void **state)
{
	const struct sip_message *m = ear_invite(*state,
		"Session-ID: ab30317f1a784dc48ff824d0d3715d86;\n remote=47755a9de7794ba387653f2099600ef2\n"
		"P-Charging-Vector: icid-value=\"1234bc9876e\";icid-generated-at=192.0.6.8;orig-ioi=home1.net\n"
		"Replaces: 425928@bobster.example.org;to-tag=7743;from-tag=6472\nX-KMS: <kms@abc.example>;x\n",
		""); /* RFC 7989, 7315, 3891 */

	assert_non_null(m);
	assert_bytes(m->session_local, "ab30317f1a784dc48ff824d0d3715d86");
	assert_bytes(m->session_remote, "47755a9de7794ba387653f2099600ef2");
	assert_bytes(m->icid, "1234bc9876e");
	assert_bytes(m->replaces, "425928@bobster.example.org");
	assert_bytes(m->kms, "kms@abc.example");
	m = ear_invite(
		*state, "Session-ID: f81d4fae7dec11d0a76500a0c91e6bf6;remote=00000000000000000000000000000000\n", "");
	assert_bytes(m->session_local, "f81d4fae7dec11d0a76500a0c91e6bf6");
	assert_bytes(m->session_remote, "");
	assert_bytes(m->kms, "");
	m = ear_invite(*state, "Session-ID: 00000000000000000000000000000000\nP-Charging-Vector: icid-value=abc\n", "");
	assert_bytes(m->session_local, "");
	assert_bytes(m->icid, "abc");
	m = ear_invite(*state, "Session-ID: short\n", "");
	assert_bytes(m->session_local, "");
}

static const char sdp[] = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n";

/* S27 */
static void octets_behind_the_body_are_not_of_the_message(void **state)
{
	const struct sip_message *m =
		ear_invite(*state, "Content-Type: text/plain\nContent-Length: 5\n", "hello\nBYE sip:x SIP/2.0\n\n");

	assert_non_null(m);
	assert_bytes(m->body, "hello");
	assert_int_equal(m->text.at + m->text.len - m->body.at, 5);
	assert_int_equal(ear_count(*state, "sip_bad"), 0);
}

static void without_a_length_the_datagram_ends_the_body(void **state)
{
	const struct sip_message *m = ear_invite(*state, "Content-Type: application/sdp\n", sdp);

	assert_non_null(m);
	assert_true(m->has_sdp);
	assert_int_equal(m->sdp.lines[0].rtp.port, 4000);
	assert_int_equal(ear_count(*state, "sdp"), 1);
	assert_int_equal(ear_count(*state, "sdp_bad"), 0);
}

/* S24, RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9: counted, and what can be followed is. */
static void a_wrong_length_is_bad_and_the_call_is_followed(void **state)
{
	static const char *const lengths[] = { "Content-Length: 4294967328\n", "Content-Length: -999\n",
		"Content-Length: 9999\n", "Content-Length: 13\nContent-Length: 5\n", "l: 1x\n" };

	for (size_t i = 0; i < ELEMENTS(lengths); i++) {
		char more[128];
		const struct sip_message *m;

		snprintf(more, sizeof(more), "Content-Type: application/sdp\n%s", lengths[i]);
		m = ear_invite(*state, more, sdp);
		assert_non_null(m);
		assert_bytes(m->call_id, "c1");
		assert_int_equal(ear_count(*state, "sip_bad"), i + 1);
	}
	assert_int_equal(ear_count(*state, "sip"), ELEMENTS(lengths));
}

/* S25, RFC 4475 3.3.1, 3.1.2.4 */
static void what_cannot_be_followed_is_only_counted(void **state)
{
	assert_null(ear_text(*state, "INVITE sip:b@x SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@x>;tag=1\nTo: "
				     "<sip:b@x>\nCSeq: 1 INVITE\n\n"));
	assert_int_equal(ear_count(*state, "sip_bad"), 1);
	assert_null(ear_text(*state,
		"REGISTER sip:x SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\n"
		"CSeq: 36893488147419103232 REGISTER\n\n"));
	assert_int_equal(ear_count(*state, "sip_bad"), 2);
	assert_int_equal(ear_count(*state, "sip"), 0);
}

/* RFC 4475 3.1.2.6, 3.1.2.7, 3.1.2.9, 3.1.2.15: refused by libosip2, and followed. */
static void torture_that_is_malformed_is_counted_and_followed(void **state)
{
	const struct sip_message *m = ear_text(*state,
		"INVITE sip:user@example.com SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.com>\n"
		"From: sip:caller@example.net;tag=93334\nMax-Forwards: 10\nCall-ID: quotbal.aksdj\nContact: "
		"<sip:caller@host59.example.net>\n"
		"CSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234\nContent-Length: 0\n\n");

	assert_non_null(m);
	assert_bytes(party(m, SIP_HEADER_TO, 0)->uri, "sip:j.user@example.com");
	m = ear_text(*state,
		"INVITE <sip:user@example.com> SIP/2.0\nTo: sip:user@example.com\nFrom: "
		"sip:caller@example.net;tag=39291\n"
		"Call-ID: ltgtruri.1@192.0.2.5\nCSeq: 1 INVITE\nVia: SIP/2.0/UDP 192.0.2.5\nContent-Length: 0\n\n");
	assert_non_null(m);
	assert_bytes(party(m, SIP_HEADER_REQUEST_URI, 0)->uri, "sip:user@example.com");
	m = ear_text(*state, "INVITE  sip:user@example.com  SIP/2.0\nTo: sip:user@example.com\nFrom: "
			     "sip:caller@example.net;tag=8814\n"
			     "Call-ID: lwsstart.d@example.com\nCSeq: 1893884 INVITE\nVia: SIP/2.0/UDP "
			     "host1.example.com;branch=z9hG4bKkdjuw3923\n\n");
	assert_non_null(m);
	assert_bytes(party(m, SIP_HEADER_REQUEST_URI, 0)->uri, "sip:user@example.com");
	m = ear_text(*state,
		"OPTIONS sip:t.watson@example.org SIP/2.0\nVia: SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw\n"
		"Max-Forwards: 70\nFrom: Bell, Alexander <sip:a.g.bell@example.com>;tag=43\nTo: Watson, Thomas "
		"<sip:t.watson@example.org>\n"
		"Call-ID: baddn.31415@c.example.com\nAccept: application/sdp\nCSeq:    3923239 OPTIONS\nl: 0\n\n");
	assert_non_null(m);
	assert_bytes(party(m, SIP_HEADER_FROM, 0)->uri, "sip:a.g.bell@example.com");
	assert_bytes(m->from_tag, "43");
	assert_true(ear_count(*state, "sip_bad") >= 3);
}

/* S26 */
static void monstrous_headers_are_bounded(void **state)
{
	struct buf more = { 0 };
	const struct sip_message *m;

	for (size_t i = 0; i < 200; i++)
		buf_printf(&more, "Via: SIP/2.0/UDP h%zu;branch=z9hG4bK%zu\n", i, i);
	buf_text(&more, "Warning: non-numeric\nX: ");
	for (size_t i = 0; i < 60000; i++)
		buf_add(&more, i % 7 == 0 ? "," : i % 5 == 0 ? "\"" : "<", 1);
	buf_add(&more, "\n", 2);
	m = ear_invite(*state, (const char *)more.at, "");
	assert_non_null(m);
	assert_bytes(m->branch, "z9hG4bK1");
	buf_reset(&more);
	buf_text(&more, "History-Info: ");
	for (size_t i = 1; i <= 3000; i++)
		buf_printf(&more, "<sip:u%zu@x>;index=1.%zu%s", i, i, i < 3000 ? "," : "\nDiversion: ");
	for (size_t i = 1; i <= 3000; i++)
		buf_printf(&more, "<sip:d%zu@x>%s", i, i < 3000 ? "," : "\n");
	buf_text(&more, "P-Asserted-Identity: <sip:alice@ims.example>\n");
	buf_add(&more, "", 1);
	m = ear_invite(*state, (const char *)more.at, "");
	assert_non_null(m);
	assert_bytes(party(m, SIP_HEADER_HISTORY, 0)->uri, "sip:u1@x");
	assert_bytes(party(m, SIP_HEADER_HISTORY, parties(m, SIP_HEADER_HISTORY) - 1)->uri, "sip:u3000@x");
	assert_bytes(party(m, SIP_HEADER_PAI, 0)->uri, "sip:alice@ims.example");
	buf_clear(&more);
}

static void a_nul_in_a_uri_ends_nothing(void **state)
{
	static const char text[] =
		"INVITE sip:bob\0x@ims.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\r\n"
		"From: <sip:a@x>;tag=1\r\nTo: <sip:bob\0x@ims.example>\r\nCall-ID: id6\r\nCSeq: 1 INVITE\r\n\r\n";
	const struct sip_message *m = ear_octets(*state, (struct bytes){ (const uint8_t *)text, sizeof(text) - 1 });

	assert_non_null(m);
	assert_string_equal(party(m, SIP_HEADER_TO, 0)->id.uri, "sip:bob%00x@ims.example");
}

/* A cut line may name somebody else than its whole would. */
static void of_a_cut_message_whole_lines_are_read(void **state)
{
	struct ear *e = *state;
	const struct sip_message *m;

	e->datagram.truncated = true;
	m = ear_text(e, "INVITE sip:bob@x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\nFrom: <sip:a@x>;tag=1\nTo: "
			"<tel:+155501");
	assert_non_null(m);
	assert_true(m->truncated);
	assert_bytes(m->call_id, "");
	assert_bytes(m->from_tag, "1");
	assert_int_equal(parties(m, SIP_HEADER_TO), 0);
	m = ear_invite(e, "Content-Type: application/sdp\nContent-Length: 500\n",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\nm=video 40");
	assert_non_null(m);
	assert_int_equal(m->sdp.line_count, 1);
	assert_int_equal(m->sdp.lines[0].rtp.port, 4000);
	assert_int_equal(ear_count(e, "sip_bad"), 0);
	e->datagram.truncated = false;
}

static void the_first_sdp_of_a_nested_body_counts(void **state)
{
	const struct sip_message *m = ear_invite(*state, "Content-Type: multipart/mixed; boundary=\"=_outer; 1\"\n",
		"preamble\n--=_outer; 1\nContent-Type: text/plain\n\nv=0\nm=audio 1 RTP/AVP 0\n"
		"--=_outer; 1\nc: multipart/alternative;boundary=in\n\n--in\nContent-Type: "
		"Application/SDP;charset=x\n\n"
		"v=0\nc=IN IP4 192.0.2.9\nm=audio 4002 RTP/AVP 0\n--in--\n--=_outer; 1\nContent-Type: "
		"application/sdp\n\n"
		"v=0\nc=IN IP4 192.0.2.9\nm=audio 6000 RTP/AVP 0\n--=_outer; 1--\n");

	assert_non_null(m);
	assert_true(m->has_sdp);
	assert_int_equal(m->sdp.line_count, 1);
	assert_int_equal(m->sdp.lines[0].rtp.port, 4002);
	m = ear_invite(*state, "Content-Type: multipart/mixed\n",
		"--x\nContent-Type: application/sdp\n\nm=audio 1 RTP/AVP 0\n");
	assert_false(m->has_sdp);
}

static void one_message_leaves_nothing_in_the_next(void **state)
{
	const struct sip_message *m =
		ear_invite(*state, "Content-Type: application/sdp\nP-Asserted-Identity: <sip:a@x>\nExpires: 5\n", sdp);

	assert_int_equal(m->sdp.line_count, 1);
	m = ear_invite(*state, "", "");
	assert_non_null(m);
	assert_false(m->has_sdp);
	assert_int_equal(m->sdp.line_count, 0);
	assert_int_equal(parties(m, SIP_HEADER_PAI), 0);
	assert_int_equal(m->expires, UINT32_MAX);
	assert_bytes(m->content_type, "");
}

static void lines_may_end_in_any_way_of_the_field(void **state)
{
	static const char *const texts[] = {
		"INVITE sip:b@x SIP/2.0\nTo: <sip:b@x>\nFrom: <sip:a@x>;tag=1\nCall-ID: id7\nCSeq: 1 INVITE\n\nbody",
		"INVITE sip:b@x SIP/2.0\rTo: <sip:b@x>\rFrom: <sip:a@x>;tag=1\rCall-ID: id7\rCSeq: 1 INVITE\r\rbody",
		"BYE sip:b SIP/2.0\r\nFrom: <sip:a@x>;tag=1\r\r\nCall-ID: id7\r\r\nCSeq: 1 BYE\r\n\r\nbody",
	};

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		const struct sip_message *m = ear_octets(*state, bytes_of(texts[i]));

		assert_non_null(m);
		assert_bytes(m->call_id, "id7");
		assert_bytes(m->from_tag, "1");
		assert_bytes(m->body, "body");
	}
}

static void a_body_that_came_by_gzip_is_read(void **state)
{
	/* An SDP with one m= and one a=crypto line, written by gzip. */
	static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xb3, 0x35,
		0xe0, 0xe5, 0xca, 0xb5, 0x4d, 0x2c, 0x4d, 0xc9, 0xcc, 0x57, 0x30, 0x31, 0x30, 0x30, 0x50, 0x08, 0x0a,
		0x09, 0xd0, 0x0f, 0x76, 0x0c, 0x0b, 0x50, 0x00, 0x4a, 0x24, 0xda, 0x26, 0x17, 0x55, 0x16, 0x94, 0xe4,
		0x5b, 0x19, 0x2a, 0x38, 0xba, 0x06, 0xc7, 0x3b, 0xfb, 0xc6, 0x1b, 0x1a, 0x59, 0xc4, 0x7b, 0xf8, 0x3a,
		0x3a, 0xc7, 0x07, 0x7b, 0x38, 0x1a, 0xc6, 0x5b, 0x18, 0x28, 0x64, 0xe6, 0xe5, 0x64, 0xe6, 0xa5, 0x5a,
		0x25, 0xf9, 0xa4, 0x17, 0x5b, 0xe4, 0x64, 0x44, 0x64, 0x45, 0xb9, 0xa4, 0x78, 0x99, 0x7b, 0x55, 0x98,
		0x97, 0x55, 0x65, 0x56, 0xb9, 0xb9, 0x78, 0x57, 0x56, 0x66, 0x67, 0xbb, 0x87, 0x44, 0x05, 0xa7, 0x57,
		0x19, 0x06, 0x15, 0x05, 0x45, 0x39, 0xf2, 0x72, 0x01, 0x00, 0x6b, 0x54, 0x68, 0x6c, 0x72, 0x00, 0x00,
		0x00 };
	static const char head[] =
		"INVITE sip:b@x SIP/2.0\r\nTo: <sip:b@x>\r\nFrom: <sip:a@x>;tag=1\r\nCall-ID: id7\r\nCSeq: 1 INVITE\r\n"
		"c: application/sdp\r\ne: gzip\r\n\r\n";
	uint8_t text[sizeof(head) - 1 + sizeof(packed)];
	const struct sip_message *m;

	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + sizeof(head) - 1, packed, sizeof(packed));
	m = ear_octets(*state, (struct bytes){ text, sizeof(text) });
	assert_non_null(m);
	assert_true(m->has_sdp);
	assert_int_equal(m->sdp.line_count, 1);
	assert_int_equal(m->sdp.lines[0].crypto_count, 1);
	assert_int_equal(m->body.len, sizeof(packed)); /* as it stands */
	m = ear_octets(*state, (struct bytes){ text, sizeof(text) - 12 });
	assert_non_null(m);
	assert_false(m->has_sdp);
}

/* "v=0, c=IN IP4 192.0.2.9, m=audio 4002 RTP/AVP 0", as Python writes it in every coding. */
static const uint8_t sdp_gzip[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xb3, 0x35, 0xe0,
	0xe5, 0x4a, 0xb6, 0xf5, 0xf4, 0x53, 0xf0, 0x0c, 0x30, 0x51, 0x30, 0xb4, 0x34, 0xd2, 0x33, 0xd0, 0x33, 0xd2,
	0xb3, 0xe4, 0xe5, 0xca, 0xb5, 0x4d, 0x2c, 0x4d, 0xc9, 0xcc, 0x57, 0x30, 0x31, 0x30, 0x30, 0x52, 0x08, 0x0a,
	0x09, 0xd0, 0x77, 0x0c, 0x0b, 0x50, 0x00, 0xaa, 0x05, 0x00, 0xb6, 0x81, 0x30, 0x82, 0x31, 0x00, 0x00, 0x00 };
static const uint8_t sdp_zlib[] = { 0x78, 0x9c, 0x2b, 0xb3, 0x35, 0xe0, 0xe5, 0x4a, 0xb6, 0xf5, 0xf4, 0x53, 0xf0, 0x0c,
	0x30, 0x51, 0x30, 0xb4, 0x34, 0xd2, 0x33, 0xd0, 0x33, 0xd2, 0xb3, 0xe4, 0xe5, 0xca, 0xb5, 0x4d, 0x2c, 0x4d,
	0xc9, 0xcc, 0x57, 0x30, 0x31, 0x30, 0x30, 0x52, 0x08, 0x0a, 0x09, 0xd0, 0x77, 0x0c, 0x0b, 0x50, 0x00, 0xaa,
	0x05, 0x00, 0x1d, 0x22, 0x0b, 0x4c };
static const uint8_t sdp_deflate[] = { 0x2b, 0xb3, 0x35, 0xe0, 0xe5, 0x4a, 0xb6, 0xf5, 0xf4, 0x53, 0xf0, 0x0c, 0x30,
	0x51, 0x30, 0xb4, 0x34, 0xd2, 0x33, 0xd0, 0x33, 0xd2, 0xb3, 0xe4, 0xe5, 0xca, 0xb5, 0x4d, 0x2c, 0x4d, 0xc9,
	0xcc, 0x57, 0x30, 0x31, 0x30, 0x30, 0x52, 0x08, 0x0a, 0x09, 0xd0, 0x77, 0x0c, 0x0b, 0x50, 0x00, 0xaa, 0x05,
	0x00 };

#define OF(array)                                                                                                      \
	{                                                                                                              \
		(const uint8_t *)(array), sizeof(array) - 1                                                            \
	}
static const struct coded {
	const char *says; /* header lines of the part, each with its end */
	struct bytes octets;
} coded_parts[] = {
	{ "Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n",
		OF("dj0wDQpjPUlOIElQNCAxOTIuMC4yLjkNCm09YXVkaW8gNDAwMiBSVFAvQVZQIDANCg==\r\n") },
	{ "Content-Transfer-Encoding: BASE64\r\ne: gzip\r\nc: application/sdp\r\n",
		OF("H4sIAAAAAAACAyuzNeDlSrb19FPwDDBRMLQ00jPQM9Kz5OXKtU0sTcnMVzAxMDBSCAoJ0HcMC1AA\r\nqgUAtoEwgj"
		   "EAAAA=\r\n") },
	{ "c: application/sdp\r\ncontent-transfer-encoding:\r\n quoted-printable\r\n",
		OF("v=3D0=0D=0A=\r\nc=3DIN IP4 192.0.2.9=0D=0Am=3Daudio=20=\n4002 RTP/AVP 0") },
	{ "c: application/sdp\r\nContent-Encoding: gzip\r\nContent-Transfer-Encoding: binary\r\n",
		{ sdp_gzip, sizeof(sdp_gzip) } },
	{ "c: application/sdp\r\nContent-Encoding: deflate\r\n", { sdp_zlib, sizeof(sdp_zlib) } },
	{ "c: application/sdp\r\nContent-Encoding: deflate\r\n", { sdp_deflate, sizeof(sdp_deflate) } },
	{ "c: multipart/alternative;boundary=in\r\nContent-Transfer-Encoding: base64\r\n",
		OF("LS1pbg0KQ29udGVudC1UeXBlOiBhcHBsaWNhdGlvbi9zZHANCg0Kdj0wDQpjPUlOIElQNCAxOTIu\r\nMC4yLjkNCm"
		   "09YXVkaW8gNDAwMiBSVFAvQVZQIDANCi0taW4tLQ0K\r\n") },
};
#undef OF

#define CODED_HEAD                                                                                                     \
	"INVITE sip:b@x SIP/2.0\r\nTo: <sip:b@x>\r\nFrom: <sip:a@x>;tag=1\r\nCall-ID: id7\r\nCSeq: 1 INVITE\r\n"

static void assert_coded(struct ear *e, struct buf *text)
{
	const struct sip_message *m = ear_octets(e, buf_bytes(text));

	assert_non_null(m);
	assert_true(m->has_sdp);
	assert_int_equal(m->sdp.line_count, 1);
	assert_int_equal(m->sdp.lines[0].rtp.port, 4002);
	buf_clear(text);
}

static void a_body_is_read_however_it_is_coded(void **state)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < ELEMENTS(coded_parts); i++) {
		const struct coded *c = &coded_parts[i];

		buf_printf(&text, CODED_HEAD "%s\r\n", c->says);
		buf_add(&text, c->octets.at, c->octets.len);
		assert_coded(*state, &text);
		buf_printf(&text,
			CODED_HEAD
			"Content-Type: multipart/mixed;boundary=b\r\n\r\n"
			"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n"
			"--b\r\n%s\r\n",
			c->says);
		buf_add(&text, c->octets.at, c->octets.len);
		buf_text(&text, "\r\n--b--\r\n");
		assert_coded(*state, &text);
	}
}

static void a_part_whose_coding_is_broken_is_left_out(void **state)
{
	const struct sip_message *m = ear_invite(*state, "Content-Type: multipart/mixed;boundary=b\n",
		"--b\nContent-Type: application/sdp\nContent-Transfer-Encoding: base64\n\nv=0?\n"
		"--b\nContent-Type: application/sdp\nContent-Encoding: gzip\n\nv=0\n"
		"--b\nContent-Type: application/sdp\n\nv=0\nc=IN IP4 192.0.2.9\nm=audio 4008 RTP/AVP 0\n--b--\n");

	assert_non_null(m);
	assert_true(m->has_sdp);
	assert_int_equal(m->sdp.lines[0].rtp.port, 4008);
}

/* 400,000 zeroes in 422 octets, again and again: the parts of a message share what they may unpack to. */
static void all_codings_of_a_message_unpack_to_a_bounded_number_of_octets(void **state)
{
	static const uint8_t bomb[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31,
		0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x0a, 0x3f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x6f, 0x71, 0x3d, 0x59, 0x5e, 0x80, 0x1a, 0x06,
		0x00 };
	const struct part big = { .encoding = bytes_of("gzip"), .body = { bomb, sizeof(bomb) } },
			  small = { .encoding = bytes_of("deflate"), .body = { sdp_zlib, sizeof(sdp_zlib) } };
	struct codings c = { 0 };
	struct bytes body;
	size_t held = 0;

	(void)state;
	codings_begin(&c);
	assert_true(codings_undo(&c, &small, &body));
	assert_int_equal(c.left, UNPACKED_MAX - 49);
	for (int i = 0; i < 100; i++) {
		assert_false(codings_undo(&c, &big, &body));
		assert_int_equal(c.left, 0); /* the first took all there was */
	}
	assert_false(codings_undo(&c, &small, &body));
	for (size_t i = 0; i < CODINGS_MAX; i++)
		held += c.undone[i].cap;
	assert_in_range(held, UNPACKED_MAX, 4 * UNPACKED_MAX);
	codings_begin(&c); /* the next message has its own */
	assert_true(codings_undo(&c, &small, &body));
	codings_clear(&c);
}

/* Headers as RFC 3329 4.1 and TS 33.203 annex H write them. */
static void associations_without_encryption_are_told(void **state)
{
	static const char ok[] =
		"SIP/2.0 401 Unauthorized\r\nSecurity-Server: ipsec-3gpp;q=0.1;prot=esp;mod=trans;"
		"spi-c=98765432;spi-s=87654321;port-c=8642;port-s=7531;alg=hmac-sha-1-96;ealg=null\r\n\r\n";
	static const char verify[] = "REGISTER sip:x SIP/2.0\r\nSecurity-Verify: ipsec-3gpp; alg=hmac-md5-96; "
				     "spi-c=1000 ;spi-s=1001\r\n\r\n";
	static const char sealed[] =
		"SIP/2.0 401 Unauthorized\r\nSecurity-Server: ipsec-3gpp;spi-c=98765432;spi-s=87654321;"
		"alg=hmac-sha-1-96;ealg=aes-cbc\r\n\r\n";
	struct datagram d = { .proto = IP_PROTO_UDP };
	struct sip_esp out[SIP_ESP_MAX];

	(void)state;
	addr_parse(bytes_of("10.0.0.1:5060"), &d.flow.src);
	addr_parse(bytes_of("10.0.0.2:5060"), &d.flow.dst);
	d.payload = bytes_of(ok);
	assert_int_equal(sip_security(&d, out), 2);
	assert_true(addr_same_host(&out[0].dst, &d.flow.src));
	assert_int_equal(out[0].spi, 98765432);
	assert_int_equal(out[1].spi, 87654321);
	assert_int_equal(out[0].icv, 12);
	d.payload = bytes_of(verify);
	assert_int_equal(sip_security(&d, out), 2);
	assert_true(addr_same_host(&out[0].dst, &d.flow.dst));
	assert_int_equal(out[1].spi, 1001);
	d.payload = bytes_of(sealed);
	assert_int_equal(sip_security(&d, out), 0);
}

int main(void)
{
#define WITH_EAR(test) cmocka_unit_test_setup_teardown(test, open_ear, close_ear)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip_is_recognised_by_what_it_says),
		cmocka_unit_test(associations_without_encryption_are_told),
		WITH_EAR(s30_sip_is_looked_for_on_some_ports_alone),
		WITH_EAR(keep_alives_are_no_messages),
		WITH_EAR(a_body_that_came_by_gzip_is_read),
		WITH_EAR(a_body_is_read_however_it_is_coded),
		WITH_EAR(a_part_whose_coding_is_broken_is_left_out),
		cmocka_unit_test(all_codings_of_a_message_unpack_to_a_bounded_number_of_octets),
		WITH_EAR(the_short_tortuous_invite_is_read),
		WITH_EAR(compact_and_long_names_say_the_same),
		WITH_EAR(a_response_has_the_method_of_its_cseq),
		WITH_EAR(lists_of_identities_are_taken_apart),
		WITH_EAR(a_number_keeps_its_context_without_brackets),
		WITH_EAR(tel_uris_are_parties_everywhere),
		WITH_EAR(history_is_a_tree_with_causes),
		WITH_EAR(a_diverted_request_uri_bears_its_cause),
		WITH_EAR(a_contact_tells_its_device_and_time),
		WITH_EAR(what_joins_legs_is_read),
		WITH_EAR(octets_behind_the_body_are_not_of_the_message),
		WITH_EAR(without_a_length_the_datagram_ends_the_body),
		WITH_EAR(a_wrong_length_is_bad_and_the_call_is_followed),
		WITH_EAR(what_cannot_be_followed_is_only_counted),
		WITH_EAR(torture_that_is_malformed_is_counted_and_followed),
		WITH_EAR(monstrous_headers_are_bounded),
		WITH_EAR(a_nul_in_a_uri_ends_nothing),
		WITH_EAR(of_a_cut_message_whole_lines_are_read),
		WITH_EAR(the_first_sdp_of_a_nested_body_counts),
		WITH_EAR(one_message_leaves_nothing_in_the_next),
		WITH_EAR(lines_may_end_in_any_way_of_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
