/* report: the page read back as a browser would: its tags, its policy, its drawings, the sound within it. */
#include "case_records.h"

#define EVIL "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"

static struct flow sip_flow(void)
{
	return (struct flow){ host(11, 5060), host(12, 5060) };
}

/* A program of Python's standard library over the page of LI-A, as `page`. */
static char *python(const struct scene *s, char *out, size_t size, const char *program)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/check.py", s->top);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"import base64, hashlib, html.parser, re\nfolder = '%s/LI-A/'\npage = open(folder + 'report.html', "
		"encoding='utf-8').read()\n%s",
		s->dir, program);
	assert_int_equal(fclose(f), 0);
	return printed(out, size, "python3 %s", path);
}

static struct scene *page_with(struct call_facts facts, const char *message)
{
	struct scene *s = scene_new(1);

	take_sip(s, 1, 1, START, sip_flow(), 17, message);
	take_facts(s, 1, 1, facts);
	return s;
}

static void what_stands_in_messages_is_text_and_nothing_else(void **state)
{
	static const char *const ids[] = { EVIL };
	static const struct call_diversion diversions[] = { { "CFU", 302, EVIL, EVIL } };
	static const struct call_match matches[] = { { 0, SIP_HEADER_TO, HIT_TO_TARGET, false, EVIL } };
	static const struct call_kms_tried tried[] = { { EVIL, "ticket", "kms-unknown" },
		{ EVIL, "convention", "keys" } };
	static const struct call_kms kms[] = { { EVIL, "mikey", 0, START, START, "keys", true, tried, 2 } };
	struct call_facts facts = simple_facts();
	struct scene *s;
	struct packet_said p;
	struct record event = { .kind = RECORD_EVENT, .warrant = 1, .at = START, .event = { EVIL, 200, EVIL, EVIL } };
	uint8_t media[160] = { 0 };
	char out[512];

	(void)state;
	facts.call_ids = ids;
	facts.caller = facts.callee = EVIL;
	facts.diversions = diversions;
	facts.diversion_count = 1;
	facts.matches = matches;
	facts.kms = kms;
	facts.kms_count = 1;
	s = page_with(facts, "SIP/2.0 200 " EVIL "\r\nCSeq: 1 " EVIL "\r\n\r\n");
	take_sip(s, 1, 1, START, sip_flow(), 17, EVIL EVIL "\r\n\r\n");
	p = rtp_said(s, 1, START, (struct bytes){ media, sizeof(media) });
	p.m.codec = EVIL;
	p.m.kind = "<b>audio";
	p.m.profile = EVIL;
	take_packet(p);
	assert_int_equal(folder_take(s->folder, &event, &s->err), 0);
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"class P(html.parser.HTMLParser):\n"
		"    def handle_starttag(self, tag, attrs):\n"
		"        tags.append(tag)\n"
		"        bad.extend(n for n, v in attrs if n.startswith('on') or n == 'style' or 'javascript' in (v or "
		"''))\n"
		"    def handle_data(self, data):\n"
		"        texts.append(data)\n"
		"tags, bad, texts = [], [], []\n"
		"P().feed(page)\n"
		"print(tags.count('script'), tags.count('img'), tags.count('b'), len(bad),\n"
		"      ''.join(texts).count('<script>alert(1)</script>\"\\'><img src=x onerror=alert(2)>&amp;') >= "
		"12)\n");
	assert_string_equal(out, "1 0 7 0 True"); /* the five figures, the service and the outcome are bold */
	scene_free(s);
}

static void the_policy_knows_the_one_style_and_the_one_script_by_their_hashes(void **state)
{
	struct scene *s = page_with(simple_facts(), "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	char out[512];

	(void)state;
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"policy = re.search('Content-Security-Policy\" content=\"([^\"]*)\"', page).group(1)\n"
		"for tag in 'style', 'script':\n"
		"    body = re.search('<%s>(.*?)</%s>' % (tag, tag), page, re.S).group(1).encode()\n"
		"    policy = policy.replace(base64.b64encode(hashlib.sha256(body).digest()).decode(), tag.upper())\n"
		"print(policy)\n");
	assert_string_equal(out,
		"default-src 'none'; base-uri 'none'; form-action 'none'; media-src data:; style-src 'sha256-STYLE';"
		" script-src 'sha256-SCRIPT'");
	scene_free(s);
}

static void nothing_is_fetched_and_every_link_leads_to_a_file_of_the_folder(void **state)
{
	struct scene *s = page_with(simple_facts(), "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	uint8_t media[160] = { 0 };
	char out[512];

	(void)state;
	take_sip(s, 1, 0, START, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
	take_packet(rtp_said(s, 1, START, (struct bytes){ media, sizeof(media) }));
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"import os\n"
		"refs = re.findall('(?:src|href|action|data)=\"([^\"]*)\"', page)\n"
		"links = [r for r in refs if not r.startswith(('data:audio/wav;base64,', '#call-1'))]\n"
		"print(sorted(set(links)), all(os.path.isfile(folder + l) for l in links), 'url(' in page, '@import' "
		"in page)\n");
	assert_string_equal(out,
		"['call-0001/audio.wav', 'call-0001/media.pcap', 'call-0001/signalling.pcap', 'case.json',"
		" 'other/signalling.pcap'] True False False");
	scene_free(s);
}

static void the_sound_within_the_page_is_the_file(void **state)
{
	struct scene *s = page_with(simple_facts(), "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	uint8_t media[160];
	char out[64];

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		memset(media, (int)(i * 7 & 0xff), sizeof(media));
		take_packet(rtp_said(s, i, START + (nsec_t)i * 20 * MS, (struct bytes){ media, sizeof(media) }));
	}
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"within = base64.b64decode(re.search('src=\"data:audio/wav;base64,([^\"]*)\"', page).group(1))\n"
		"print(within == open(folder + 'call-0001/audio.wav', 'rb').read(), len(within))\n");
	assert_string_equal(out, "True 192044");
	scene_free(s);
}

static void a_long_sound_is_linked(void **state)
{
	struct scene *s = page_with(simple_facts(), "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	uint8_t media[160] = { 0 };
	struct packet_said p;
	char out[64];

	(void)state;
	take_packet(rtp_said(s, 1, START, (struct bytes){ media, sizeof(media) }));
	p = rtp_said(s, 2, START + 700 * NSEC_PER_SEC, (struct bytes){ media, sizeof(media) });
	p.m.timestamp = 160 + 700 * 8000;
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out), "print('data:audio' in page, 'too long' in page, len(page) < 200000)\n");
	assert_string_equal(out, "False True True");
	scene_free(s);
}

static void the_ladder_has_an_arrow_for_every_message(void **state)
{
	struct flow there_flow = sip_flow(), back = { there_flow.dst, there_flow.src };
	struct scene *s = scene_new(1);
	char out[512];

	(void)state;
	take_sip(s, 1, 1, START + 1500 * MS, back, 17, "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n");
	take_sip(s, 1, 1, START, there_flow, 17,
		"INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nm=audio 4 RTP/AVP 0\r\n");
	take_sip(s, 1, 1, START + 500 * MS, there_flow, 17,
		"INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nm=audio 4 RTP/AVP 0\r\n");
	take_facts(s, 1, 1, simple_facts());
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"for g in re.findall('<g class=\"([^\"]*)\">(.*?)</g>', page, re.S):\n"
		"    print(g[0], re.findall('>([^<]+)</text>', g[1]), 'M166 ' in g[1].split('tip')[0])\n");
	assert_string_equal(out,
		"ask ['+0:00.000', 'INVITE · SDP'] True\nask again ['+0:00.500', 'INVITE · SDP (again)'] True\n"
		"bad ['+0:01.500', '486 Busy Here · INVITE'] False");
	scene_free(s);
}

/* Ten seconds of packets every 20 ms: clear, from 4 s on sealed, those between 2 and 3 s missing. */
static void the_timeline_shows_what_is_clear_sealed_and_missing(void **state)
{
	struct scene *s = page_with(simple_facts(), "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	uint8_t media[160] = { 0 };
	char out[512];

	(void)state;
	for (uint64_t i = 0; i < 500; i++) {
		struct packet_said p =
			rtp_said(s, i, START + (nsec_t)i * 20 * MS, (struct bytes){ media, sizeof(media) });

		if (i >= 200) {
			p.m.fate = MEDIA_SEALED;
			p.m.reason = SEAL_AUTH_FAILED;
			p.m.key_used = false;
		}
		if (i < 100 || i >= 150)
			take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out),
		"for look, x, w in re.findall('<rect class=\"(\\w+)\" x=\"([\\d.]+)\" y=\"\\d+\" width=\"([\\d.]+)\"', "
		"page):\n"
		"    if look != 'track': print(look, round(float(x) / 1000 * 9.98), round((float(x) + float(w)) / 1000 "
		"* 9.98))\n");
	assert_string_equal(out, "decrypted 0 2\ndecrypted 3 4\nsealed 4 10\nmissing 2 3");
	scene_free(s);
}

static void marks_that_turn_text_around_are_taken_out(void **state)
{
	struct call_facts facts = simple_facts();
	struct scene *s;
	char out[128];

	(void)state;
	facts.caller = "sip:a\xE2\x80\xAE"
		       "b\xff\x07@x";
	s = page_with(facts, "INVITE sip:bob@ims.example SIP/2.0\r\n\r\n");
	assert_int_equal(scene_finish(s), 0);
	python(s, out, sizeof(out), "print('sip:a\\ufffdb\\ufffd\\ufffd@x' in page, '\\u202e' in page)\n");
	assert_string_equal(out, "True False");
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_in_messages_is_text_and_nothing_else),
		cmocka_unit_test(the_policy_knows_the_one_style_and_the_one_script_by_their_hashes),
		cmocka_unit_test(nothing_is_fetched_and_every_link_leads_to_a_file_of_the_folder),
		cmocka_unit_test(the_sound_within_the_page_is_the_file),
		cmocka_unit_test(a_long_sound_is_linked),
		cmocka_unit_test(the_ladder_has_an_arrow_for_every_message),
		cmocka_unit_test(the_timeline_shows_what_is_clear_sealed_and_missing),
		cmocka_unit_test(marks_that_turn_text_around_are_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
