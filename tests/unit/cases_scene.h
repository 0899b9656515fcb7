/*
 * cases_scene: the same records go into a folder of decrypt and into case folders that grow, for the tests of cases.
 */
#ifndef TESTS_CASES_SCENE_H
#define TESTS_CASES_SCENE_H

#include "otway/folder.h"

/* What case_records.h gives to a folder goes into both. */
struct record;
static int both_take(struct folder *f, const struct record *r, struct err *err);
#define folder_take both_take
#include "case_records.h"
#undef folder_take

#include <signal.h>
#include <sys/wait.h>

#include "otway/cases.h"

#define NOW (START + 60 * NSEC_PER_SEC)

struct live {
	struct scene *scene;
	struct cases *cases;
	char dir[96];
	nsec_t now;
	struct cases_options options;
	bool off;       /* records go to the folder alone */
	unsigned again; /* after so many records the process is another one; 0: never */
	unsigned taken;
};

static void open_cases(struct live *l);

/* Whom both_take gives to; records made by hand have no room for it. */
static struct live *current; /* cmocka's functions have no other way to it */

static inline int both_take(struct folder *f, const struct record *r, struct err *err)
{
	if (f != NULL)
		assert_int_equal(folder_take(f, r, err), 0);
	if (current->off)
		return 0;
	if (current->again > 0 && ++current->taken % current->again == 0) {
		assert_int_equal(cases_write(current->cases, err), 0);
		cases_free(current->cases);
		open_cases(current);
	}
	return cases_take(current->cases, r, err);
}

static void open_cases(struct live *l)
{
	if (cases_new(&l->cases, &l->options, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
	assert_int_equal(cases_warrants(l->cases, &l->scene->set, &l->scene->err), 0);
}

static inline struct live *live_new(size_t warrants)
{
	struct live *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->scene = scene_new(warrants);
	snprintf(l->dir, sizeof(l->dir), "%s/live", l->scene->top);
	l->options = (struct cases_options){
		.dir = l->dir,
		.sync_every = NSEC_PER_SEC,
		.settle = 5 * NSEC_PER_SEC,
		.held_octets = 1 << 20,
		.run = 1,
	};
	l->now = NOW;
	open_cases(l);
	current = l;
	return l;
}

static inline void live_free(struct live *l)
{
	cases_free(l->cases);
	scene_free(l->scene);
	free(l);
}

static inline uint64_t counted(const struct live *l, const char *name)
{
	struct counter all[32];
	size_t n = cases_counts(l->cases, all, 32);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	fail_msg("no counter of that name: %s", name);
	return 0;
}

/* Time goes on by so much, with a pause for processes to work in. */
static inline void pass(struct live *l, nsec_t span)
{
	for (nsec_t at = 0; at < span; at += NSEC_PER_SEC / 2) {
		l->now += NSEC_PER_SEC / 2;
		assert_int_equal(cases_time(l->cases, l->now, &l->scene->err), 0);
	}
}

static inline void until_finished(struct live *l, uint64_t calls)
{
	for (int i = 0; i < 2000 && counted(l, "calls_finished") < calls; i++) {
		usleep(5000);
		l->now += NSEC_PER_SEC / 20;
		cases_time(l->cases, l->now, &l->scene->err);
	}
	assert_true(counted(l, "calls_finished") >= calls);
}

/* The one folder of a warrant, or the last of them. */
static inline char *folder_of(const struct live *l, const char *warrant, char out[256])
{
	char name[128];

	printed(name, sizeof(name), "ls %s/%s | tail -1", l->dir, warrant);
	snprintf(out, 256, "%s/%s/%s", l->dir, warrant, name);
	return out;
}

static inline json_t *live_case(const struct live *l, const char *warrant)
{
	char folder[256], path[300];
	json_error_t why;
	json_t *root;

	snprintf(path, sizeof(path), "%s/case.json", folder_of(l, warrant, folder));
	root = json_load_file(path, 0, &why);
	assert_non_null(root);
	return root;
}

static const char used[] = "INVITE sip:bob@ims.example SIP/2.0\r\nCall-ID: id-1@ims.example\r\nCSeq: 1 INVITE\r\n"
			   "Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio 31000 RTP/SAVP 0\r\n"
			   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AQIDAAAAAAAAAAAAAAAAAAkIBwAAAAAAAAAAAAAA\r\n"
			   "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:DWHjvj7eFsJPrq2ZuDleG6FCM9P5+SDGl4xaEcHi\r\n";

static inline struct flow sip_flow(void)
{
	return (struct flow){ host(11, 5060), host(12, 5060) };
}

static inline struct call_facts over(void)
{
	struct call_facts f = simple_facts();

	f.ended = START + 10 * NSEC_PER_SEC;
	return f;
}

/* A call: signalling with a key that is used and one that is not, events, RTP both ways, late and lost packets, sealed ones, a copy, RTCP,
 * something that is no RTP. */
static inline void say_call(struct live *l, uint32_t warrant, uint32_t call, nsec_t from)
{
	struct scene *s = l->scene;
	struct packet_said p;
	uint8_t media[160];
	static const uint16_t order[] = { 1, 2, 4, 3, 5, 9, 8, 10, 11, 12 };

	take_sip(s, warrant, call, from, sip_flow(), 17, used);
	take_facts(s, warrant, call, simple_facts());
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		memset(media, 0x80 + (int)i, sizeof(media));
		p = rtp_said(s, order[i], from + (nsec_t)order[i] * 20 * MS, (struct bytes){ media, sizeof(media) });
		p.warrant = warrant;
		p.call = p.m.call = call;
		assert_int_equal(take_packet(p), 0);
		p.m.flow = (struct flow){ host(12, 32000), host(11, 31000) };
		p.m.ssrc = 7;
		p.m.toward = TOWARD_CALLER;
		assert_int_equal(take_packet(p), 0);
	}
	p.m.fate = MEDIA_TWICE;
	assert_int_equal(take_packet(p), 0);
	p.m.fate = MEDIA_FORGED;
	p.m.ssrc = 99;
	assert_int_equal(take_packet(p), 0);
	p.m.fate = MEDIA_SEALED;
	p.m.reason = SEAL_NO_KEY;
	p.m.key_used = false;
	p.m.ssrc = 8;
	assert_int_equal(take_packet(p), 0);
	p.m.fate = MEDIA_BROKEN;
	p.m.sort = MEDIA_NEITHER;
	assert_int_equal(take_packet(p), 0);
	take_sip(s, warrant, call, from + 9 * NSEC_PER_SEC, sip_flow(), 17,
		"BYE sip:bob@ims.example SIP/2.0\r\nCall-ID: id-1@ims.example\r\n\r\n");
}

static inline void say_over(struct live *l, uint32_t warrant, uint32_t call)
{
	take_facts(l->scene, warrant, call, over());
}

/* Both say the same, but for what only a folder that grows or one made of captures has. */
static inline void assert_same_evidence(struct live *l, const char *warrant)
{
	static const char *const differ[] = { "inputs", "period", "gaps", "counters" };
	char folder[256], out[4096];
	json_t *made = read_case(l->scene, warrant), *grown = live_case(l, warrant);
	size_t i;
	json_t *one;

	for (i = 0; i < 4; i++) {
		if (i < 3)
			json_object_del(made, differ[i]);
		if (i < 3)
			json_object_del(grown, differ[i]);
	}
	json_object_del(json_object_get(made, "counters"), "frames");
	json_array_foreach(json_object_get(grown, "calls"), i, one)
	{
		assert_false(json_is_true(json_object_get(one, "growing")));
		json_object_del(one, "growing");
		json_object_del(one, "gaps");
		json_object_del(one, "before");
	}
	if (!json_equal(made, grown)) {
		json_dumpf(made, stderr, JSON_INDENT(1) | JSON_SORT_KEYS);
		json_dumpf(grown, stderr, JSON_INDENT(1) | JSON_SORT_KEYS);
		fail_msg("case.json differs");
	}
	json_decref(made);
	json_decref(grown);
	printed(out, sizeof(out), "diff -r -x case.json -x report.html -x MANIFEST.sha256 %s/%s %s && echo same",
		l->scene->dir, warrant, folder_of(l, warrant, folder));
	assert_string_equal(out, "same");
	printed(out, sizeof(out), "cd %s && sha256sum --strict --quiet -c MANIFEST.sha256 && echo good", folder);
	assert_string_equal(out, "good");
}

#endif
