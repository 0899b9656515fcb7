/* twice: what is a copy that a mirror made. Every hash is the same here: octets alone tell messages apart (S13). */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/call_scene.h"
#include "otway/base/table.h"

#define B "sip:bob@ims.example"

/* The linker puts this in the place of table_hash. */
uint64_t __wrap_table_hash(struct bytes key);
uint64_t __wrap_table_hash(struct bytes key)
{
	(void)key;
	return 1;
}

static void invite(struct scene *s, const char *src, const char *branch)
{
	scene_say(s, &(struct said){ .src = src,
			     .dst = "10.0.0.2:5060",
			     .start = "INVITE " B,
			     .method = "INVITE",
			     .call_id = "one",
			     .branch = branch,
			     .from = "sip:alice@ims.example",
			     .from_tag = "a",
			     .to = B });
}

static uint64_t duplicates(const struct scene *s)
{
	struct counter counts[16];

	for (size_t i = 0, n = call_counts(s->call, counts, 16); i < n; i++)
		if (strcmp(counts[i].name, "sip_duplicates") == 0)
			return counts[i].value;
	return UINT64_MAX;
}

static void s13_messages_whose_hashes_collide_are_no_copies(void **state)
{
	struct scene *s = *state;
	uint32_t w;

	scene_begin(s);
	w = scene_warrant(s, B, SCOPE_ALL, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	invite(s, "10.0.0.1:5060", "1");
	invite(s, "10.0.0.1:5060", "2");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 2);
	assert_int_equal(duplicates(s), 0);
	invite(s, "10.0.0.1:5060", "1");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 2);
	assert_int_equal(duplicates(s), 1);
	invite(s, "10.0.0.3:5060", "1");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 3);
	assert_int_equal(duplicates(s), 1);
	scene_end(s);
}

int main(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(s13_messages_whose_hashes_collide_are_no_copies, scene),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(scene);
	return failed;
}
