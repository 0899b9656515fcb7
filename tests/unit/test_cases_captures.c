/*
 * cases: every capture through the pipeline, its records as messages between processes, and the evidence compared with that of a folder of
 * decrypt of the same records, keys and all. The process that takes them in is another one every so often.
 */
#include "cases_scene.h"

#include <dirent.h>

#include "otway/capture.h"
#include "otway/decap.h"
#include "otway/model/msg.h"
#include "otway/pipeline.h"

static char captures[256];

/* A target more of the one warrant, when it can be one. */
static void add_target(struct warrant *w, const char *uri)
{
	struct target t = { .uri = strdup(uri) };

	if (w->target_count < 8 && text_begins(bytes_of(uri), "sip:") && identity_parse(bytes_of(uri), &t.id)) {
		w->targets = realloc(w->targets, (w->target_count + 1) * sizeof(t));
		assert_non_null(w->targets);
		w->targets[w->target_count++] = t;
	} else {
		free(t.uri);
	}
}

/* Whoever takes part in a capture, as its facts say: all are intercepted. */
static void add_targets(struct warrant *w, const char *name)
{
	char path[512];
	json_t *root, *one;
	const char *key;
	size_t i;

	snprintf(path, sizeof(path), "%s/%.*s.json", captures, (int)(strlen(name) - 5), name);
	root = json_load_file(path, 0, NULL);
	json_object_foreach(json_object_get(root, "meta"), key, one) if (json_is_string(one))
		add_target(w, json_string_value(one));
	json_array_foreach(json_at(root, "facts.calls.0.r_uris"), i,
		one) if (strncmp(json_string_value(one), "INVITE ", 7) == 0) add_target(w, json_string_value(one) + 7);
	json_decref(root);
}

/* A record goes to the folder as it is, and to cases as a message. */
static void give(struct live *l, const struct record *r)
{
	struct buf octets = { 0 };
	struct msg_room room = { 0 };
	struct datagram sip;
	struct record other;

	if (r->kind == RECORD_KEY_WANTED || r->kind == RECORD_CALL_OVER)
		return;
	assert_int_equal(folder_take(l->scene->folder, r, &l->scene->err), 0);
	assert_true(msg_put_record(&octets, r));
	assert_true(msg_get_record(buf_bytes(&octets), &other, &sip, &room));
	assert_true(other.kind != RECORD_MEDIA || !other.media.key_used || other.media.key.print);
	l->off = false;
	if (both_take(NULL, &other, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
	msg_room_clear(&room);
	buf_clear(&octets);
}

static void draw(struct live *l, struct pipeline *p)
{
	const struct record *r;

	while (pipeline_next(p, &r))
		give(l, r);
}

static void run_capture(struct live *l, const char *path)
{
	struct pipeline *p = pipeline_new(&(struct pipeline_options){ 0 });
	struct capture *c;
	struct frame f;

	assert_non_null(p);
	assert_true(pipeline_targets(p, &l->scene->set));
	if (capture_open_files(&c, &path, 1, false, decap_knows, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
	while (capture_next(c, &f, &l->scene->err) > 0) {
		pipeline_take(p, &f);
		draw(l, p);
	}
	pipeline_end(p);
	draw(l, p);
	capture_free(c);
	pipeline_free(p);
}

static void set_targets(struct live *l, const char *name)
{
	struct warrant *w = &l->scene->set.all[0];

	add_targets(w, name);
	w->from = 0;
	w->until = NSEC_EVER;
	w->trust_from = true;
	assert_int_equal(cases_warrants(l->cases, &l->scene->set, &l->scene->err), 0);
}

/* 1 when there was something to compare. */
static unsigned compare(const char *name)
{
	struct live *l = live_new(1);
	char path[512];
	unsigned found;

	set_targets(l, name);
	snprintf(path, sizeof(path), "%s/%s", captures, name);
	l->again = 97;
	run_capture(l, path);
	if (cases_finish(l->cases, l->now, 120 * NSEC_PER_SEC, &l->scene->err) < 0)
		fail_msg("%s: %s", name, l->scene->err.text);
	assert_int_equal(scene_finish(l->scene), 0);
	found = l->scene->result.warrants;
	if (found > 0) {
		print_message("%s\n", name);
		assert_same_evidence(l, "LI-A");
	}
	live_free(l);
	return found;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void every_capture_gives_the_evidence_of_decrypt(void **state)
{
	struct dirent **all;
	int count = scandir(captures, &all, NULL, by_name);
	unsigned compared = 0;

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		size_t len = strlen(all[i]->d_name);

		if (len > 5 && strcmp(all[i]->d_name + len - 5, ".pcap") == 0)
			compared += compare(all[i]->d_name);
		free(all[i]);
	}
	free(all);
	assert_true(compared >= 40);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_capture_gives_the_evidence_of_decrypt),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s CAPTURES\n", argv[0]);
		return 2;
	}
	snprintf(captures, sizeof(captures), "%s", argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
