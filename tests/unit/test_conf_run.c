/* The settings of `otway run`: what may be, what is meant when nothing is said, and how errors name the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "otway/base/conf.h"

static int parse(const char *text, struct conf *c, struct err *err)
{
	*err = (struct err){ EXIT_DONE, "" };
	return conf_parse("x.yaml", bytes_of(text), c, err);
}

static void refused(const char *text, const char *sentence)
{
	struct conf c;
	struct err err;

	assert_int_equal(parse(text, &c, &err), -1);
	assert_int_equal(err.code, EXIT_USAGE);
	if (strstr(err.text, sentence) == NULL)
		fail_msg("%s: not in: %s", sentence, err.text);
	conf_clear(&c);
}

static void every_setting_is_read(void **state)
{
	static const char text[] = "run:\n"
				   "  interfaces: [ens1, ens2]\n"
				   "  prepare: true\n"
				   "  intercepts: 4\n"
				   "  ring_mib: 64\n"
				   "  snaplen: 9000\n"
				   "  retire_ms: 20\n"
				   "  midcall: true\n"
				   "  midcall_mib: 128\n"
				   "  hold_kib: 1024\n"
				   "  hold_time: 5m\n"
				   "  lease: 12h\n"
				   "  cases: /srv/cases\n"
				   "  rotate_mib: 512\n"
				   "  rotate_time: 1d\n"
				   "  sync_ms: 500\n"
				   "  settle: 20s\n"
				   "  held_mib: 256\n"
				   "  status: /run/x/status\n"
				   "  metrics: 127.0.0.1:9100\n"
				   "  log_level: debug\n"
				   "  without_landlock: true\n"
				   "  watchdog_s: 10\n"
				   "  users:\n"
				   "    control: a\n"
				   "    intercept: b\n"
				   "    keys: \"20003\"\n"
				   "    delivery: d\n";
	struct conf c;
	struct err err;

	(void)state;
	assert_int_equal(parse(text, &c, &err), 0);
	assert_int_equal(c.run.interfaces_count, 2);
	assert_string_equal(c.run.interfaces[1], "ens2");
	assert_true(c.run.prepare && c.run.midcall && c.run.without_landlock);
	assert_int_equal(c.run.intercepts, 4);
	assert_int_equal(c.run.ring_mib, 64);
	assert_int_equal(c.run.snaplen, 9000);
	assert_int_equal(c.run.retire_ms, 20);
	assert_int_equal(c.run.midcall_mib, 128);
	assert_int_equal(c.run.hold_kib, 1024);
	assert_string_equal(c.run.hold_time, "5m");
	assert_string_equal(c.run.lease, "12h");
	assert_string_equal(c.run.cases, "/srv/cases");
	assert_int_equal(c.run.rotate_mib, 512);
	assert_string_equal(c.run.rotate_time, "1d");
	assert_int_equal(c.run.sync_ms, 500);
	assert_string_equal(c.run.settle, "20s");
	assert_int_equal(c.run.held_mib, 256);
	assert_string_equal(c.run.status, "/run/x/status");
	assert_string_equal(c.run.metrics, "127.0.0.1:9100");
	assert_string_equal(c.run.log_level, "debug");
	assert_int_equal(c.run.watchdog_s, 10);
	assert_string_equal(c.run.users.control, "a");
	assert_string_equal(c.run.users.intercept, "b");
	assert_string_equal(c.run.users.keys, "20003");
	assert_string_equal(c.run.users.delivery, "d");
	conf_clear(&c);
}

/* As include/otway/base/conf.h promises. */
static void what_is_left_out_has_its_default(void **state)
{
	struct conf c;
	struct err err;

	(void)state;
	assert_int_equal(parse("", &c, &err), 0);
	assert_true(conf_run_defaults(&c.run));
	assert_int_equal(c.run.ring_mib, 32);
	assert_int_equal(c.run.snaplen, 65535);
	assert_int_equal(c.run.retire_ms, 10);
	assert_int_equal(c.run.midcall_mib, 64);
	assert_int_equal(c.run.hold_kib, 8192);
	assert_int_equal(c.run.rotate_mib, 1024);
	assert_int_equal(c.run.sync_ms, 1000);
	assert_int_equal(c.run.held_mib, 1024);
	assert_int_equal(c.run.watchdog_s, 5);
	assert_string_equal(c.run.hold_time, "10m");
	assert_string_equal(c.run.lease, "24h");
	assert_string_equal(c.run.rotate_time, "24h");
	assert_string_equal(c.run.cases, "/var/lib/otway/cases");
	assert_string_equal(c.run.status, "/run/otway/status");
	assert_string_equal(c.run.log_level, "info");
	assert_string_equal(c.run.users.control, "otway-control");
	assert_string_equal(c.run.users.intercept, "otway-intercept");
	assert_string_equal(c.run.users.keys, "otway-keys");
	assert_string_equal(c.run.users.delivery, "otway-delivery");
	assert_null(c.run.metrics);
	assert_false(c.run.prepare || c.run.midcall || c.run.without_landlock);
	assert_int_equal(c.run.intercepts, sysconf(_SC_NPROCESSORS_ONLN) > 32 ? 32 : sysconf(_SC_NPROCESSORS_ONLN));
	conf_clear(&c);
}

static void a_setting_that_is_misspelt_is_named_with_its_line_and_the_nearest(void **state)
{
	(void)state;
	refused("run:\n  interfaces: [a]\n  ringmib: 3\n",
		"x.yaml: line 3: there is no setting 'ringmib'; did you mean 'run.ring_mib'?");
	refused("run:\n  users:\n    deliver: d\n",
		"x.yaml: line 3: there is no setting 'deliver'; did you mean 'run.users.delivery'?");
	refused("rum:\n  prepare: true\n", "x.yaml: line 1: there is no setting 'rum'; did you mean 'run'?");
	refused("run:\n  zebras: 3\n", "x.yaml: line 2: there is no setting 'zebras'");
}

static void a_number_out_of_its_range_is_named_with_its_line(void **state)
{
	(void)state;
	refused("run:\n\n  intercepts: 33\n", "x.yaml: line 3: run: intercepts: from 1 to 32");
	refused("run:\n  intercepts: 0\n", "x.yaml: line 2: run: intercepts: from 1 to 32");
	refused("run:\n  ring_mib: 0\n", "ring_mib: from 1 to 4096");
	refused("run:\n  snaplen: 60\n", "snaplen: from 512 to 262144");
	refused("run:\n  retire_ms: 1001\n", "retire_ms: from 1 to 1000");
	refused("run:\n  watchdog_s: 1\n", "watchdog_s: from 2 to 600");
	refused("run:\n  sync_ms: -5\n", "line 2");
	refused("run:\n  hold_kib: many\n", "line 2");
}

static void a_span_is_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		nsec_t span;
	} right[] = {
		{ "1s", NSEC_PER_SEC },
		{ "40s", 40 * NSEC_PER_SEC },
		{ "10m", 600 * NSEC_PER_SEC },
		{ "24h", 86400 * NSEC_PER_SEC },
		{ "7d", 7 * 86400 * NSEC_PER_SEC },
		{ "2w", 14 * 86400 * NSEC_PER_SEC },
	};
	static const char *const wrong[] = { "", "s", "0s", "10", "-10m", "+10m", "10 m", "10y", "1.5h", "10mm",
		"99999999999999999999999999999999999999s", "100000000w" };
	nsec_t span;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		assert_true(conf_span(right[i].text, &span));
		assert_int_equal(span, right[i].span);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (conf_span(wrong[i], &span))
			fail_msg("'%s' is taken for a span", wrong[i]);
	refused("run:\n  lease: soon\n", "line 2: run: lease: a span of time is a number and a unit");
	refused("run:\n  hold_time: 0s\n", "line 2: run: hold_time: a span");
}

static void an_interface_has_a_name_that_the_kernel_takes(void **state)
{
	struct conf c;
	struct err err;

	(void)state;
	refused("run:\n  interfaces: [ens1, sixteen-octets-x]\n", "line 2: run: interfaces: entry 2 is not the name");
	refused("run:\n  interfaces: [a/b]\n", "entry 1 is not the name");
	refused("run:\n  interfaces: ['a b']\n", "entry 1 is not the name");
	refused("run:\n  interfaces: ['..']\n", "entry 1 is not the name");
	refused("run:\n  interfaces: [ens1, ens2, ens1]\n", "ens1 is there twice");
	refused("run:\n  interfaces: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]\n", "line 2");
	assert_int_equal(parse("run:\n  interfaces: [fifteen-octets1, 'ens1.100']\n", &c, &err), 0);
	conf_clear(&c);
}

static void metrics_are_told_to_this_host_alone(void **state)
{
	static const char *const right[] = { "unix:/run/otway/metrics", "127.0.0.1:1", "127.0.0.1:65535",
		"'[::1]:9100'" };
	struct conf c;
	struct err err;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "run:\n  metrics: %s\n", right[i]);
		if (parse(text, &c, &err) < 0)
			fail_msg("%s", err.text);
		conf_clear(&c);
	}
	refused("run:\n  metrics: 0.0.0.0:9100\n", "line 2: run: metrics: is unix:PATH, 127.0.0.1:PORT or [::1]:PORT");
	refused("run:\n  metrics: 127.0.0.1:0\n", "metrics: is unix");
	refused("run:\n  metrics: 127.0.0.1:65536\n", "metrics: is unix");
	refused("run:\n  metrics: 9100\n", "metrics: is unix");
	refused("run:\n  metrics: unix:here\n", "metrics: is unix");
}

static void paths_are_whole_and_sockets_short(void **state)
{
	char text[200];

	(void)state;
	refused("run:\n  cases: here\n", "line 2: run: cases: is a whole path");
	refused("run:\n  status: ../status\n", "line 2: run: status: is a whole path");
	snprintf(text, sizeof(text), "run:\n  status: /%0120d\n", 1);
	refused(text, "status: is too long for a socket: 107 octets at most");
	refused("run:\n  log_level: loud\n", "log_level: is error, warning, info or debug");
}

/* The example is every setting, commented out, or with the value that holds without it: it must be right, and change nothing. */
static void the_example_is_right_and_changes_nothing(void **state)
{
	const char *path = getenv("OTWAY_YAML");
	struct conf c, none;
	struct err err;

	(void)state;
	if (path == NULL)
		skip();
	if (conf_read(path, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(parse("", &none, &err), 0);
	assert_true(conf_run_defaults(&c.run) && conf_run_defaults(&none.run));
	assert_int_equal(c.run.ring_mib, none.run.ring_mib);
	assert_int_equal(c.run.intercepts, none.run.intercepts);
	assert_string_equal(c.run.settle, none.run.settle);
	assert_string_equal(c.run.status, none.run.status);
	conf_clear(&c);
	conf_clear(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_is_read),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(a_setting_that_is_misspelt_is_named_with_its_line_and_the_nearest),
		cmocka_unit_test(a_number_out_of_its_range_is_named_with_its_line),
		cmocka_unit_test(a_span_is_a_number_and_a_unit),
		cmocka_unit_test(an_interface_has_a_name_that_the_kernel_takes),
		cmocka_unit_test(metrics_are_told_to_this_host_alone),
		cmocka_unit_test(paths_are_whole_and_sockets_short),
		cmocka_unit_test(the_example_is_right_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
