/*
 * cases: what goes into a folder of decrypt goes into one that grows, and must come out the same: octet for octet where nothing differs by
 * design.
 */
#include "cases_scene.h"

static void what_grew_is_in_the_end_what_decrypt_makes(void **state)
{
	struct live *l = live_new(2);
	char out[512], folder[256];
	json_t *root;

	(void)state;
	take_sip(l->scene, 1, 0, START - NSEC_PER_SEC, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
	say_call(l, 1, 1, START);
	say_call(l, 1, 2, START + NSEC_PER_SEC);
	say_call(l, 2, 2, START + NSEC_PER_SEC);
	pass(l, NSEC_PER_SEC);
	say_over(l, 1, 1);
	say_over(l, 1, 2);
	say_over(l, 2, 2);
	take_sip(l->scene, 1, 0, START - 2 * NSEC_PER_SEC, sip_flow(), 17, "OPTIONS sip:x@ims.example SIP/2.0\r\n\r\n");
	if (cases_finish(l->cases, l->now, 60 * NSEC_PER_SEC, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
	assert_int_equal(scene_finish(l->scene), 0);
	root = live_case(l, "LI-A");
	assert_int_equal(json_integer_value(json_object_get(root, "keys_removed")), 2);
	json_decref(root);
	assert_same_evidence(l, "LI-A");
	assert_same_evidence(l, "LI%2FB%25");
	printed(out, sizeof(out), "cd %s && find . -type f -printf '%%P\\n' | LC_ALL=C sort | tr '\\n' ' '",
		folder_of(l, "LI-A", folder));
	assert_string_equal(out,
		"MANIFEST.sha256 call-0001/audio.wav call-0001/media.pcap call-0001/other.pcap call-0001/sealed.pcap "
		"call-0001/signalling.pcap call-0002/audio.wav call-0002/media.pcap call-0002/other.pcap "
		"call-0002/sealed.pcap call-0002/signalling.pcap case.json other/signalling.pcap report.html ");
	printed(out, sizeof(out), "ls -A %s/.journal", l->dir);
	assert_string_equal(out, "state"); /* no journal is left */
	live_free(l);
}

static void finish(struct live *l)
{
	if (cases_finish(l->cases, l->now, 60 * NSEC_PER_SEC, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
}

static void whoever_follows_after_any_record_makes_the_same_of_them(void **state)
{
	static const unsigned every[] = { 1, 2, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		struct live *l = live_new(1);

		l->again = every[i];
		say_call(l, 1, 1, START);
		take_sip(l->scene, 1, 0, START, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
		pass(l, 40 * NSEC_PER_SEC); /* states are written, which who follows begins from */
		say_call(l, 1, 2, START + NSEC_PER_SEC);
		say_over(l, 1, 2);
		say_over(l, 1, 1);
		finish(l);
		assert_int_equal(scene_finish(l->scene), 0);
		assert_same_evidence(l, "LI-A");
		live_free(l);
	}
}

/* What tshark reads of a file, in so many lines. */
static unsigned packets_in(const struct live *l, const char *file)
{
	char folder[256], out[4096];

	printed(out, sizeof(out), "tshark -n -r %s/%s -T fields -e frame.time_epoch 2>/dev/null | wc -l",
		folder_of(l, "LI-A", folder), file);
	return (unsigned)atoi(out);
}

static void files_can_be_read_while_they_grow_and_have_no_key_in_them(void **state)
{
	struct live *l = live_new(1);
	char folder[256], out[256];
	uint8_t media[160] = { 0 };
	json_t *root;

	(void)state;
	take_sip(l->scene, 1, 1, START, sip_flow(), 17, used);
	take_facts(l->scene, 1, 1, simple_facts());
	for (unsigned i = 1; i <= 40; i++) {
		assert_int_equal(
			take_packet(rtp_said(l->scene, i, START + i * 20 * MS, (struct bytes){ media, 160 })), 0);
		if (i % 8 == 0) {
			pass(l, NSEC_PER_SEC);
			assert_int_equal(packets_in(l, "call-0001/media.pcap"), i);
			assert_int_equal(packets_in(l, "call-0001/signalling.pcap"), 1);
		}
	}
	folder_of(l, "LI-A", folder);
	assert_string_equal(
		printed(out, sizeof(out), "grep -c 'inline:AQID\\|inline:DWHj' -r %s | grep -v ':0' | wc -l", folder),
		"0");
	assert_string_equal(printed(out, sizeof(out),
				    "tshark -n -r %s/call-0001/media.pcap -d udp.port==32000,rtp -T fields -e rtp.seq "
				    "-e rtp.p_type 2>/dev/null | tail -1",
				    folder),
		"40\t0");
	root = live_case(l, "LI-A");
	assert_true(json_is_true(json_at(root, "calls.0.growing")));
	assert_true(json_is_true(json_at(root, "period.open")));
	assert_true(json_is_null(json_at(root, "period.until")));
	assert_true(json_is_null(json_at(root, "calls.0.streams.0.payload_sha256")));
	assert_true(json_is_null(json_at(root, "calls.0.streams.0.lost")));
	assert_int_equal(json_integer_value(json_at(root, "calls.0.streams.0.packets")), 40);
	assert_string_equal(json_string_value(json_at(root, "calls.0.outcome")), "answered");
	assert_int_equal(json_array_size(json_at(root, "inputs")), 0);
	json_decref(root);
	live_free(l);
}

static void a_call_is_finished_when_it_has_settled_and_again_when_more_comes(void **state)
{
	struct live *l = live_new(1);
	char folder[256], out[256];
	json_t *root;

	(void)state;
	say_call(l, 1, 1, START);
	say_over(l, 1, 1);
	pass(l, 4 * NSEC_PER_SEC);
	assert_int_equal(counted(l, "calls_finished"), 0); /* it may not have settled: options say 5 s */
	until_finished(l, 1);
	pass(l, 2 * NSEC_PER_SEC);
	folder_of(l, "LI-A", folder);
	printed(out, sizeof(out),
		"cd %s && sha256sum --strict --quiet -c MANIFEST.sha256 && cut -c67- MANIFEST.sha256 | tr '\n' ' '",
		folder);
	assert_string_equal(out, "call-0001/audio.wav call-0001/media.pcap call-0001/other.pcap call-0001/sealed.pcap "
				 "call-0001/signalling.pcap report.html ");
	root = live_case(l, "LI-A");
	assert_true(json_is_false(json_at(root, "calls.0.growing")));
	assert_int_equal(json_integer_value(json_at(root, "calls.0.streams.0.lost")), 2); /* 6 and 7 of say_call */
	json_decref(root);
	take_sip(l->scene, 1, 1, START + 20 * NSEC_PER_SEC, sip_flow(), 17,
		"SIP/2.0 200 OK\r\nCall-ID: id-1@ims.example\r\n\r\n");
	until_finished(l, 2);
	finish(l);
	assert_int_equal(scene_finish(l->scene), 0);
	assert_same_evidence(l, "LI-A");
	live_free(l);
}

static void signalling_that_comes_again_is_passed_over(void **state)
{
	struct live *l = live_new(1);

	(void)state;
	take_sip(l->scene, 1, 0, START, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
	say_call(l, 1, 1, START);
	for (int process = 0; process < 2; process++) { /* the one that took it in, and the one that follows */
		struct folder *kept = l->scene->folder;

		l->scene->folder = NULL; /* of what comes again the folder hears nothing */
		take_sip(l->scene, 1, 1, START, sip_flow(), 17, used);
		take_facts(l->scene, 1, 1, simple_facts());
		take_sip(l->scene, 1, 0, START, sip_flow(), 17, "MESSAGE sip:x@ims.example SIP/2.0\r\n\r\n");
		assert_int_equal(counted(l, "records_again"), 2);
		l->scene->folder = kept;
		pass(l, NSEC_PER_SEC);
		cases_free(l->cases);
		open_cases(l);
	}
	take_sip(l->scene, 1, 1, START + 1, sip_flow(), 17, used); /* a moment later it is another one */
	assert_int_equal(counted(l, "records_again"), 0);
	say_over(l, 1, 1);
	finish(l);
	assert_int_equal(scene_finish(l->scene), 0);
	assert_same_evidence(l, "LI-A");
	live_free(l);
}

static unsigned periods(const struct live *l)
{
	char out[64];

	return (unsigned)atoi(printed(out, sizeof(out), "ls %s/LI-A | wc -l", l->dir));
}

static void a_new_period_begins_when_one_is_old_and_a_call_stays_where_it_began(void **state)
{
	struct live *l = live_new(1);
	uint8_t media[160] = { 0 };
	char out[512];

	(void)state;
	l->options.rotate_time = 600 * NSEC_PER_SEC;
	cases_set(l->cases, &l->options);
	take_sip(l->scene, 1, 1, START, sip_flow(), 17, used);
	take_facts(l->scene, 1, 1, simple_facts());
	pass(l, NSEC_PER_SEC);
	l->now = START + 601 * NSEC_PER_SEC;
	pass(l, NSEC_PER_SEC);
	take_sip(l->scene, 1, 2, START + 700 * NSEC_PER_SEC, sip_flow(), 17, used);
	assert_int_equal(
		take_packet(rtp_said(l->scene, 1, START + 701 * NSEC_PER_SEC, (struct bytes){ media, 160 })), 0);
	pass(l, NSEC_PER_SEC);
	assert_int_equal(periods(l), 2);
	printed(out, sizeof(out), "cd %s/LI-A && find . -name '*.pcap' | LC_ALL=C sort | tr '\n' ' '", l->dir);
	assert_string_equal(out,
		"./2026-11-21T205823Z/call-0001/media.pcap ./2026-11-21T205823Z/call-0001/signalling.pcap "
		"./2026-11-21T211003Z/call-0001/signalling.pcap ");
	assert_int_equal(counted(l, "folders_closed"), 0);
	say_over(l, 1, 1);
	until_finished(l, 1);
	for (int i = 0; i < 400 && counted(l, "folders_closed") == 0; i++) {
		usleep(5000);
		pass(l, NSEC_PER_SEC / 2);
	}
	assert_int_equal(counted(l, "folders_closed"), 1);
	printed(out, sizeof(out),
		"cd %s/LI-A/2026-11-21T205823Z && sha256sum --strict --quiet -c MANIFEST.sha256 && grep -c . "
		"MANIFEST.sha256",
		l->dir);
	assert_string_equal(out, "5"); /* signalling, media, sound, case.json, report.html */
	finish(l);
	live_free(l);
}

static void a_new_period_begins_when_one_is_big(void **state)
{
	struct live *l = live_new(1);

	(void)state;
	l->options.rotate_octets = 3000;
	cases_set(l->cases, &l->options);
	say_call(l, 1, 1, START);
	pass(l, NSEC_PER_SEC);
	say_call(l, 1, 2, START + NSEC_PER_SEC);
	pass(l, NSEC_PER_SEC);
	assert_int_equal(periods(l), 2);
	live_free(l);
}

static void calls_of_another_run_are_other_calls_and_those_of_before_are_finished(void **state)
{
	struct live *l = live_new(1);
	json_t *root;

	(void)state;
	say_call(l, 1, 1, START);
	pass(l, NSEC_PER_SEC);
	cases_free(l->cases);
	l->options.run = 2;
	open_cases(l);
	say_call(l, 1, 1, START + 100 * NSEC_PER_SEC);
	until_finished(l, 1); /* though nobody said that it is over */
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "calls")), 2);
	assert_true(json_is_false(json_at(root, "calls.0.growing")));
	assert_true(json_is_true(json_at(root, "calls.1.growing")));
	/* From when the one before was last alive to when this one began. */
	assert_int_equal(json_array_size(json_at(root, "gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.reason")), "role");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.where")), "otway");
	json_decref(root);
	live_free(l);
}

static struct gap kernel_gap(nsec_t from, nsec_t until, uint64_t packets)
{
	return (struct gap){ .from = from, .until = until, .reason = GAP_KERNEL, .where = "eth1", .packets = packets };
}

static void a_gap_goes_to_every_warrant_that_was_in_force_and_to_the_calls_it_touches(void **state)
{
	struct live *l = live_new(2);
	struct gap g = kernel_gap(START + 2 * NSEC_PER_SEC, START + 3 * NSEC_PER_SEC, 7);
	struct gap before = kernel_gap(START - 7200 * NSEC_PER_SEC, START - 7000 * NSEC_PER_SEC, 9);
	json_t *root;
	char out[64];

	(void)state;
	l->scene->set.all[1].until = START + 2 * NSEC_PER_SEC - 1; /* not in force any more */
	assert_int_equal(cases_warrants(l->cases, &l->scene->set, &l->scene->err), 0);
	assert_int_equal(cases_gap(l->cases, &before, &l->scene->err), 0);
	pass(l, NSEC_PER_SEC);
	assert_string_equal(printed(out, sizeof(out), "ls %s", l->dir), ""); /* none was in force then */
	assert_int_equal(cases_gap(l->cases, &g, &l->scene->err), 0);
	pass(l, NSEC_PER_SEC);
	assert_string_equal(printed(out, sizeof(out), "ls %s", l->dir), "LI-A");
	say_call(l, 1, 1, START);
	say_call(l, 1, 2, START + 10 * NSEC_PER_SEC);
	for (uint32_t call = 1; call <= 2; call++) {
		struct call_facts f = over();

		f.started = call == 1 ? START : START + 10 * NSEC_PER_SEC;
		f.ended = f.started + 9 * NSEC_PER_SEC;
		take_facts(l->scene, 1, call, f);
	}
	g = kernel_gap(START + 3 * NSEC_PER_SEC, START + 4 * NSEC_PER_SEC, 5); /* it goes on */
	assert_int_equal(cases_gap(l->cases, &g, &l->scene->err), 0);
	cases_write(l->cases, &l->scene->err);
	cases_free(l->cases);
	open_cases(l);
	finish(l);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.from")), "2026-11-21T20:58:25.000000Z");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.until")), "2026-11-21T20:58:27.000000Z");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.reason")), "kernel");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.where")), "eth1");
	assert_int_equal(json_integer_value(json_at(root, "gaps.0.packets")), 12);
	assert_int_equal(json_array_size(json_at(root, "calls.0.gaps")), 1);
	assert_int_equal(json_array_size(json_at(root, "calls.1.gaps")), 0);
	json_decref(root);
	printed(out, sizeof(out), "grep -c 'gap touches this call' %s/LI-A/*/report.html", l->dir);
	assert_string_equal(out, "1");
	printed(out, sizeof(out), "grep -c 'Of a call that was set up then, all may be missing' %s/LI-A/*/report.html",
		l->dir);
	assert_string_equal(out, "1");
	live_free(l);
}

static void over_at(struct live *l, uint32_t call, nsec_t began, nsec_t ended)
{
	struct call_facts f = simple_facts();

	f.started = began;
	f.ended = ended;
	take_facts(l->scene, 1, call, f);
}

/* Of three calls one was over, one was under way and one began later; of a second warrant there is nothing. */
static void what_was_known_of_calls_is_lost_for_those_that_were_under_way(void **state)
{
	struct live *l = live_new(2);
	struct gap g = { START + 20 * NSEC_PER_SEC, NSEC_NONE, GAP_STATE, "intercept 0", GAP_UNKNOWN };
	char out[64];
	json_t *root;

	(void)state;
	over_at(l, 1, START, START + 10 * NSEC_PER_SEC);
	over_at(l, 2, START + 15 * NSEC_PER_SEC, NSEC_NONE);
	assert_int_equal(cases_gap(l->cases, &g, &l->scene->err), 0);
	over_at(l, 3, START + 25 * NSEC_PER_SEC, NSEC_NONE);
	g.from = START + 30 * NSEC_PER_SEC; /* and once more */
	assert_int_equal(cases_gap(l->cases, &g, &l->scene->err), 0);
	over_at(l, 4, START + 40 * NSEC_PER_SEC, START + 50 * NSEC_PER_SEC);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "gaps")), 2);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.reason")), "state");
	assert_true(json_is_null(json_at(root, "gaps.0.until")));
	assert_int_equal(json_array_size(json_at(root, "calls.0.gaps")), 0);
	assert_int_equal(json_array_size(json_at(root, "calls.1.gaps")), 2);
	assert_int_equal(json_array_size(json_at(root, "calls.2.gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "calls.2.gaps.0.from")), "2026-11-21T20:58:53.000000Z");
	assert_int_equal(json_array_size(json_at(root, "calls.3.gaps")), 0);
	json_decref(root);
	printed(out, sizeof(out), "ls %s", l->dir);
	assert_string_equal(out, "LI-A");
	finish(l);
	printed(out, sizeof(out), "grep -c 'what was known of calls was lost' %s/LI-A/*/report.html", l->dir);
	assert_string_equal(out, "1");
	live_free(l);
}

static void a_gap_that_goes_on_is_ended_by_the_same_one(void **state)
{
	struct live *l = live_new(1);
	struct gap g = kernel_gap(START, NSEC_NONE, GAP_UNKNOWN);
	json_t *root;

	(void)state;
	cases_gap(l->cases, &g, &l->scene->err);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_true(json_is_null(json_at(root, "gaps.0.until")));
	json_decref(root);
	g.until = START + 5 * NSEC_PER_SEC;
	cases_gap(l->cases, &g, &l->scene->err);
	cases_gap(l->cases, &g, &l->scene->err); /* told once more */
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.until")), "2026-11-21T20:58:28.000000Z");
	assert_true(json_is_null(json_at(root, "gaps.0.packets")));
	json_decref(root);
	live_free(l);
}

static void a_gap_whose_teller_died_is_ended_by_the_one_that_follows(void **state)
{
	struct live *l = live_new(1);
	struct gap g = kernel_gap(START, NSEC_NONE, GAP_UNKNOWN);
	json_t *root;

	(void)state;
	cases_gap(l->cases, &g, &l->scene->err);
	g.from = START + 3 * NSEC_PER_SEC; /* it finds it so */
	cases_gap(l->cases, &g, &l->scene->err);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_true(json_is_null(json_at(root, "gaps.0.until")));
	json_decref(root);
	g.until = START + 5 * NSEC_PER_SEC;
	cases_gap(l->cases, &g, &l->scene->err);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.from")), "2026-11-21T20:58:23.000000Z");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.until")), "2026-11-21T20:58:28.000000Z");
	json_decref(root);
	live_free(l);
}

static void a_warrant_that_is_changed_is_told_as_it_is_now_and_one_that_is_gone_is_kept(void **state)
{
	struct live *l = live_new(1);
	struct warrant_set none = { 0 };
	json_t *root;

	(void)state;
	say_call(l, 1, 1, START);
	l->scene->set.all[0].until += 3600 * NSEC_PER_SEC;
	assert_int_equal(cases_warrants(l->cases, &l->scene->set, &l->scene->err), 0);
	say_over(l, 1, 1);
	assert_int_equal(cases_warrants(l->cases, &none, &l->scene->err), 0);
	pass(l, NSEC_PER_SEC);
	cases_free(l->cases);
	assert_int_equal(cases_new(&l->cases, &l->options, &l->scene->err), 0);
	finish(l);
	root = live_case(l, "LI-A");
	assert_string_equal(json_string_value(json_at(root, "warrant.until")), "2026-11-21T22:58:23.000000Z");
	assert_string_equal(json_string_value(json_at(root, "warrant.targets.0")), "sip:bob@ims.example");
	assert_string_equal(json_string_value(json_at(root, "calls.0.matched.0.target")), "sip:bob@ims.example");
	json_decref(root);
	live_free(l);
}

static void records_of_a_warrant_that_nobody_knows_are_refused(void **state)
{
	struct live *l = live_new(1);

	(void)state;
	l->scene->err.code = EXIT_DONE;
	{
		struct folder *kept = l->scene->folder;

		l->scene->folder = NULL;
		assert_int_equal(take_facts(l->scene, 9, 1, simple_facts()), -1);
		l->scene->folder = kept;
	}
	assert_int_equal(l->scene->err.code, EXIT_REFUSED);
	assert_int_equal(counted(l, "records_refused"), 1);
	live_free(l);
}

static int media_at(struct live *l, nsec_t at)
{
	uint8_t media[160] = { 0 };
	struct packet_said p =
		rtp_said(l->scene, (uint64_t)(at / (20 * MS)), at, (struct bytes){ media, sizeof(media) });

	return take_packet(p);
}

static int message_at(struct live *l, nsec_t at)
{
	return take_sip(l->scene, 1, 1, at, sip_flow(), 17, used);
}

static int facts_at(struct live *l, nsec_t at)
{
	struct call_facts f = simple_facts();

	f.started = at;
	return take_facts(l->scene, 1, 1, f);
}

static void revoke_at(struct live *l, nsec_t at)
{
	l->scene->set.all[0].revoked = true;
	l->scene->set.all[0].until = at;
	assert_int_equal(cases_warrants(l->cases, &l->scene->set, &l->scene->err), 0);
}

/* All of a warrant may still be on its way when the word of its revocation is here already. */
static void what_was_sent_before_a_revocation_is_taken_in_and_nothing_after_it(void **state)
{
	struct live *l = live_new(1);
	struct folder *kept = l->scene->folder;
	const nsec_t end = START + 5 * NSEC_PER_SEC;

	(void)state;
	l->scene->folder = NULL;
	revoke_at(l, end);
	assert_int_equal(facts_at(l, START), 0);
	assert_int_equal(message_at(l, START), 0);
	assert_int_equal(media_at(l, end - 1), 0);
	assert_int_equal(counted(l, "records_refused"), 0);
	assert_int_equal(media_at(l, end), -1);
	assert_int_equal(l->scene->err.code, EXIT_REFUSED);
	assert_int_equal(message_at(l, end + 1), -1);
	assert_int_equal(facts_at(l, end), -1);
	assert_int_equal(counted(l, "records_refused"), 3);
	l->scene->folder = kept;
	live_free(l);
}

static void a_folder_that_is_open_takes_nothing_from_after_a_revocation(void **state)
{
	struct live *l = live_new(1);
	struct folder *kept = l->scene->folder;
	struct warrant_set none = { 0 };
	const nsec_t end = START + 5 * NSEC_PER_SEC;
	json_t *root;

	(void)state;
	l->scene->folder = NULL;
	assert_int_equal(facts_at(l, START), 0);
	assert_int_equal(media_at(l, START + NSEC_PER_SEC), 0);
	revoke_at(l, end);
	assert_int_equal(media_at(l, end - 1), 0);
	assert_int_equal(media_at(l, end), -1);
	assert_int_equal(cases_warrants(l->cases, &none, &l->scene->err), 0);
	assert_int_equal(media_at(l, end - 1), -1);
	assert_int_equal(counted(l, "records_refused"), 2);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_int_equal(json_integer_value(json_at(root, "calls.0.streams.0.packets")), 2);
	assert_string_equal(json_string_value(json_at(root, "warrant.until")), "2026-11-21T20:58:28.000000Z");
	json_decref(root);
	l->scene->folder = kept;
	live_free(l);
}

static void what_began_and_was_finished_is_told_once_by_local_numbers(void **state)
{
	struct live *l = live_new(1);
	struct cases_note n;

	(void)state;
	assert_false(cases_note(l->cases, &n));
	say_call(l, 1, 1, START);
	assert_true(cases_note(l->cases, &n));
	assert_true(n.begun && n.warrant == 1 && n.from == START);
	assert_false(cases_note(l->cases, &n));
	say_over(l, 1, 1);
	until_finished(l, 1);
	assert_true(cases_note(l->cases, &n));
	assert_true(!n.begun && n.warrant == 1 && n.call == 1);
	assert_false(cases_note(l->cases, &n));
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_grew_is_in_the_end_what_decrypt_makes),
		cmocka_unit_test(whoever_follows_after_any_record_makes_the_same_of_them),
		cmocka_unit_test(files_can_be_read_while_they_grow_and_have_no_key_in_them),
		cmocka_unit_test(a_call_is_finished_when_it_has_settled_and_again_when_more_comes),
		cmocka_unit_test(signalling_that_comes_again_is_passed_over),
		cmocka_unit_test(a_new_period_begins_when_one_is_old_and_a_call_stays_where_it_began),
		cmocka_unit_test(a_new_period_begins_when_one_is_big),
		cmocka_unit_test(calls_of_another_run_are_other_calls_and_those_of_before_are_finished),
		cmocka_unit_test(a_gap_goes_to_every_warrant_that_was_in_force_and_to_the_calls_it_touches),
		cmocka_unit_test(what_was_known_of_calls_is_lost_for_those_that_were_under_way),
		cmocka_unit_test(a_gap_that_goes_on_is_ended_by_the_same_one),
		cmocka_unit_test(a_gap_whose_teller_died_is_ended_by_the_one_that_follows),
		cmocka_unit_test(a_warrant_that_is_changed_is_told_as_it_is_now_and_one_that_is_gone_is_kept),
		cmocka_unit_test(records_of_a_warrant_that_nobody_knows_are_refused),
		cmocka_unit_test(what_was_sent_before_a_revocation_is_taken_in_and_nothing_after_it),
		cmocka_unit_test(a_folder_that_is_open_takes_nothing_from_after_a_revocation),
		cmocka_unit_test(what_began_and_was_finished_is_told_once_by_local_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
