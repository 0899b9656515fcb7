/* role_control_help: every number that a role tells is explained, and what goes down again is no counter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/base/file.h"
#include "otway/cases.h"
#include "otway/keys.h"

#include "../../src/daemon/intercept.h"
#include "../../src/daemon/role_control.h"

static const char *sources; /* the folder of the roles */

static void assert_explained(const char *name, bool gauge)
{
	char family[80];

	snprintf(family, sizeof(family), "%s%s", name, gauge ? "" : "_total");
	if (strcmp(control_help(family), control_help("nothing of this name")) == 0)
		fail_msg("nobody says what %s is", family);
}

static void what_an_intercept_counts_is_explained_and_heights_are_no_sums(void **state)
{
	static char mirror[] = "eth1";
	static const char *const heights[] = { "setups", "setups_octets", "undecided", "held_octets", "interface_up",
		"calls_open" };
	struct role_start start = { .conf.run.interfaces = { mirror } };
	struct msg_count all[256];
	struct intercept it = { .start = &start, .fronts = 1, .interface_count = 1 };
	size_t count, found = 0;

	(void)state;
	it.front = front_new(&(struct front_options){ .spill = true, .fronts = 1 });
	it.back = back_new(&(struct back_options){ .kms = true, .journal = true, .setups = 1 << 20 });
	it.open = open_new(1);
	count = watch_counts(&it, all, 256);
	assert_true(count > 60 && count < 256);
	for (size_t i = 0; i < count; i++) {
		bool height = false;

		for (size_t k = 0; k < sizeof(heights) / sizeof(heights[0]); k++)
			height = height || strcmp(all[i].name, heights[k]) == 0;
		assert_explained(all[i].name, all[i].gauge);
		if (height != all[i].gauge)
			fail_msg("%s is told as another kind than it is", all[i].name);
		found += height;
	}
	assert_int_equal(found, sizeof(heights) / sizeof(heights[0]));
	open_free(it.open);
	back_free(it.back);
	front_free(it.front);
}

static void what_keys_count_is_explained(void **state)
{
	struct keys *k = keys_new(NULL);
	struct counter all[32];
	size_t count = keys_counts(k, all, 32);

	(void)state;
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		assert_explained(all[i].name, false);
	keys_free(k);
}

static void what_delivery_counts_is_explained(void **state)
{
	static const char *const heights[] = { "calls_open", "folders_open", "held", "held_octets", "waiting" };
	char dir[] = "/tmp/counts-XXXXXX";
	struct cases_options o = { .dir = mkdtemp(dir), .sync_every = NSEC_PER_SEC };
	struct counter all[32];
	struct cases *c;
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(cases_new(&c, &o, &err), 0);
	count = cases_counts(c, all, 32);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		bool height = false;

		for (size_t k = 0; k < sizeof(heights) / sizeof(heights[0]); k++)
			height = height || strcmp(all[i].name, heights[k]) == 0;
		assert_explained(all[i].name, height);
	}
	cases_free(c);
	file_remove_tree(dir, NULL);
}

/* { "name", "", …, true }: as roles write down what they tell of themselves. */
static size_t names_in(const char *path, const regex_t *told)
{
	struct buf text = { 0 };
	regmatch_t m[3];
	size_t found = 0;

	assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
	buf_add(&text, "", 1);
	for (const char *at = (const char *)text.at; regexec(told, at, 3, m, 0) == 0; at += m[0].rm_eo) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(m[1].rm_eo - m[1].rm_so), at + m[1].rm_so);
		assert_explained(name, at[m[2].rm_so] == 't');
		found++;
	}
	buf_clear(&text);
	return found;
}

static void what_a_role_tells_of_itself_is_explained(void **state)
{
	char pattern[512];
	size_t found = 0;
	glob_t files;
	regex_t told;

	(void)state;
	assert_int_equal(regcomp(&told, "[{] \"([a-z_]+)\", \"\", [^{}]*(true|false) [}]", REG_EXTENDED), 0);
	snprintf(pattern, sizeof(pattern), "%s/*.c", sources);
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		found += names_in(files.gl_pathv[i], &told);
	assert_true(found >= 15);
	globfree(&files);
	regfree(&told);
}

static void each_kind_of_alarm_is_explained(void **state)
{
	(void)state;
	for (enum alarm a = 0; a < ALARMS; a++) {
		char name[64];

		snprintf(name, sizeof(name), "alarm_%s", alarm_text(a));
		assert_explained(name, true);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_intercept_counts_is_explained_and_heights_are_no_sums),
		cmocka_unit_test(what_keys_count_is_explained),
		cmocka_unit_test(what_delivery_counts_is_explained),
		cmocka_unit_test(what_a_role_tells_of_itself_is_explained),
		cmocka_unit_test(each_kind_of_alarm_is_explained),
	};

	sources = argc > 1 ? argv[1] : "src/daemon";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
