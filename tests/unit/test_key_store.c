/* key_store: what a KMS keeps, in a file of the test's own folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/key_store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

struct place {
	char dir[64], path[96], key[96];
};

static void write_key(const char *path, const char *hex, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s\n", hex);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static const char key_one[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char key_two[] = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

static void begin(struct place *p)
{
	strcpy(p->dir, "/tmp/otway-keys-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/kms.db", p->dir);
	snprintf(p->key, sizeof(p->key), "%s/key", p->dir);
	write_key(p->key, key_one, 0600);
}

static struct key_store *opened(const struct place *p)
{
	struct key_store *s = NULL;
	struct err err = { 0 };

	if (key_store_open(&s, p->path, p->key, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void end(struct place *p)
{
	assert_int_equal(file_remove_tree(p->dir, NULL), 0);
}

static struct key_record record(const char *handle, const char *run, const char *a, const char *secret)
{
	return (struct key_record){
		.handle = bytes_of(handle),
		.run = bytes_of(run),
		.call_id = bytes_of("call@host.example"),
		.a = bytes_of(a),
		.b = bytes_of("sip:bob@abc.example"),
		.r = bytes_of("sip:carol@abc.example"),
		.made = 5,
		.until = 1000,
		.secret = bytes_of(secret),
	};
}

struct found {
	char text[256];
	unsigned count;
};

static int collect(void *arg, const struct key_record *r)
{
	struct found *f = arg;

	f->count++;
	snprintf(f->text + strlen(f->text), sizeof(f->text) - strlen(f->text), "%.*s@%lld ", (int)r->secret.len,
		(const char *)r->secret.at, (long long)r->until);
	return 0;
}

static struct found find(struct key_store *s, struct key_record like)
{
	struct found f = { 0 };
	struct err err = { 0 };

	assert_int_equal(key_store_find(s, &like, collect, &f, &err), 0);
	return f;
}

static void put(struct key_store *s, struct key_record r)
{
	struct err err = { 0 };

	assert_int_equal(key_store_put(s, &r, &err), 0);
}

static void what_was_put_is_found_by_any_of_its_marks(void **state)
{
	struct place p;
	struct key_store *s;

	(void)state;
	begin(&p);
	s = opened(&p);
	put(s, record("h1", "m1", "sip:alice@abc.example", "first"));
	put(s, record("h2", "m1", "sip:alice@abc.example", "second"));
	put(s, record("h3", "m2", "sip:dave@abc.example", "third"));
	assert_string_equal(find(s, (struct key_record){ .run = bytes_of("m1") }).text, "first@1000 second@1000 ");
	assert_string_equal(find(s, (struct key_record){ .handle = bytes_of("h3") }).text, "third@1000 ");
	assert_string_equal(
		find(s, (struct key_record){ .a = bytes_of("sip:dave@abc.example"), .run = bytes_of("m2") }).text,
		"third@1000 ");
	assert_int_equal(find(s, (struct key_record){ .run = bytes_of("h1") }).count, 0); /* a handle is no run */
	assert_int_equal(find(s, (struct key_record){ .b = bytes_of("sip:bob@abc.example") }).count, 3);
	put(s, record("h1", "m9", "sip:alice@abc.example", "changed"));
	assert_string_equal(find(s, (struct key_record){ .handle = bytes_of("h1") }).text, "changed@1000 ");
	key_store_free(s);
	s = opened(&p);
	assert_int_equal(find(s, (struct key_record){ .b = bytes_of("sip:bob@abc.example") }).count, 3);
	key_store_free(s);
	end(&p);
}

static void nothing_in_the_file_says_who_or_what(void **state)
{
	static const char *const words[] = { "alice", "bob", "carol", "abc.example", "call@host", "TOP-SECRET-KEY" };
	struct place p;
	struct key_store *s;
	struct buf file = { 0 };
	struct err err;

	(void)state;
	begin(&p);
	s = opened(&p);
	put(s, record("h1", "m1", "sip:alice@abc.example", "TOP-SECRET-KEY"));
	key_store_free(s);
	assert_int_equal(file_read(p.path, 10 << 20, &file, &err), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_null(memmem(file.at, file.len, words[i], strlen(words[i])));
	buf_clear(&file);
	end(&p);
}

static void what_is_purged_is_gone_and_known_as_gone(void **state)
{
	struct place p;
	struct key_store *s;
	struct err err;
	const struct key_record run = { .run = bytes_of("m1") }, other = { .run = bytes_of("m7") };
	size_t count = 0;

	(void)state;
	begin(&p);
	s = opened(&p);
	put(s, record("h1", "m1", "sip:alice@abc.example", "first"));
	put(s, record("h2", "m1", "sip:alice@abc.example", "second"));
	put(s, record("h3", "m2", "sip:dave@abc.example", "third"));
	assert_int_equal(key_store_purged(s, &run, &err), 0);
	assert_int_equal(key_store_purge(s, &run, 10, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(find(s, run).count, 0);
	assert_int_equal(key_store_purged(s, &run, &err), 1);
	assert_int_equal(key_store_purged(s, &(struct key_record){ .handle = bytes_of("h2") }, &err), 1);
	assert_int_equal(key_store_purged(s, &other, &err), 0);
	assert_int_equal(find(s, (struct key_record){ .run = bytes_of("m2") }).count, 1);
	assert_int_equal(key_store_purge(s, &(struct key_record){ .made = 3 }, 10, &count, &err), -1);
	/* Eight days later nobody knows that it was. */
	assert_int_equal(key_store_expire(s, 8 * 24 * 3600 * NSEC_PER_SEC, &count, &err), 0);
	assert_int_equal(count, 1); /* h3, whose time is up */
	assert_int_equal(key_store_purged(s, &run, &err), 0);
	key_store_free(s);
	end(&p);
}

/* Every octet that lies under a name beside the store's. */
static void everything(const struct place *p, struct buf *out)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	char path[128];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", p->path, suffixes[i]);
		if (access(path, F_OK) == 0)
			assert_int_equal(file_read(path, 10 << 20, out, NULL), 0);
	}
}

struct sealed {
	uint8_t octets[64];
	size_t len;
};

static int take_sealed(void *arg, int count, char **values, char **names)
{
	struct sealed *s = arg;

	(void)count;
	(void)names;
	s->len = (size_t)text_unhex(bytes_of(values[0]), s->octets, sizeof(s->octets));
	return 0;
}

static void of_what_was_purged_not_even_the_sealed_octets_stay(void **state)
{
	struct place p;
	struct key_store *s;
	struct sealed sealed = { 0 };
	struct buf before = { 0 }, after = { 0 };
	struct err err;
	sqlite3 *db;
	size_t count;

	(void)state;
	begin(&p);
	s = opened(&p);
	put(s, record("h1", "m1", "sip:a@b.example", "a secret of thirty-two octets!!!"));
	assert_int_equal(sqlite3_open(p.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT hex(secret) FROM leg_key", take_sealed, &sealed, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(sealed.len, 12 + 32 + 16);
	everything(&p, &before);
	assert_non_null(memmem(before.at, before.len, sealed.octets, sealed.len));
	assert_int_equal(key_store_purge(s, &(struct key_record){ .run = bytes_of("m1") }, 10, &count, &err), 0);
	everything(&p, &after);
	assert_null(memmem(after.at, after.len, sealed.octets, sealed.len));
	buf_clear(&before);
	buf_clear(&after);
	key_store_free(s);
	end(&p);
}

static void keys_past_their_time_expire(void **state)
{
	struct place p;
	struct key_store *s;
	struct err err;
	struct key_record late = record("h2", "m2", "sip:a@b.example", "late");
	size_t count;

	(void)state;
	begin(&p);
	s = opened(&p);
	late.until = 2000;
	put(s, record("h1", "m1", "sip:a@b.example", "early"));
	put(s, late);
	assert_int_equal(key_store_expire(s, 999, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(key_store_expire(s, 1000, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(find(s, (struct key_record){ .a = bytes_of("sip:a@b.example") }).text, "late@2000 ");
	key_store_free(s);
	end(&p);
}

static void another_key_does_not_open_it(void **state)
{
	struct place p;
	struct key_store *s;
	struct err err;

	(void)state;
	begin(&p);
	s = opened(&p);
	key_store_free(s);
	write_key(p.key, key_two, 0600);
	assert_int_equal(key_store_open(&s, p.path, p.key, &err), -1);
	assert_int_equal(err.code, EXIT_INTEGRITY);
	write_key(p.key, "0102", 0600);
	assert_int_equal(key_store_open(&s, p.path, p.key, &err), -1);
	assert_int_equal(err.code, EXIT_USAGE);
	write_key(p.key, key_one, 0644);
	assert_int_equal(key_store_open(&s, p.path, p.key, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	end(&p);
}

static void a_kill_loses_nothing_that_was_put(void **state)
{
	struct place p;
	struct key_store *s;
	int told[2], status;
	char go;
	pid_t child;

	(void)state;
	begin(&p);
	s = opened(&p);
	key_store_free(s);
	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		struct key_store *own = NULL;
		struct err err;

		if (key_store_open(&own, p.path, p.key, &err) < 0)
			_exit(1);
		for (unsigned i = 0;; i++) {
			char handle[24];
			struct key_record r;

			snprintf(handle, sizeof(handle), "h%u", i);
			r = record(handle, "m", "sip:a@b.example", "key");
			if (key_store_put(own, &r, &err) < 0 || write(told[1], "x", 1) != 1)
				_exit(1);
		}
	}
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(read(told[0], &go, 1), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	s = opened(&p);
	assert_true(find(s, (struct key_record){ .run = bytes_of("m") }).count >= 20);
	key_store_free(s);
	close(told[0]);
	close(told[1]);
	end(&p);
}

struct log_seen {
	char text[512];
};

static int collect_log(void *arg, uint64_t number, const struct key_event *e)
{
	struct log_seen *l = arg;

	snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%llu %s %s %s %s %s\n",
		(unsigned long long)number, e->act, e->request != NULL ? e->request : "-", e->peer,
		e->warrant != NULL ? e->warrant : "-", e->outcome);
	return 0;
}

static int sql(const struct place *p, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command),
		"python3 -c \"import sqlite3,sys; c=sqlite3.connect('%s'); c.executescript(sys.argv[1])\" \"%s\"",
		p->path, text);
	return system(command);
}

static void the_log_tells_every_release_and_an_alteration_shows(void **state)
{
	struct place p;
	struct key_store *s;
	struct err err;
	struct log_seen seen = { 0 };
	uint64_t count = 0;
	const struct key_event release = { .act = "xk-keys",
		.request = "00ff",
		.peer = "li-one",
		.warrant = "LIID-1",
		.outcome = "keys" },
			       ticket = { .act = "ticket", .peer = "proxy", .outcome = "given" };

	(void)state;
	begin(&p);
	s = opened(&p);
	assert_int_equal(key_store_log(s, &ticket, &err), 0);
	assert_int_equal(key_store_log(s, &release, &err), 0);
	assert_int_equal(key_store_log_each(s, collect_log, &seen, &err), 0);
	assert_string_equal(seen.text, "1 ticket - proxy - given\n2 xk-keys 00ff li-one LIID-1 keys\n");
	assert_int_equal(key_store_log_verify(s, &count, &err), 0);
	assert_int_equal(count, 2);
	key_store_free(s);
	assert_int_not_equal(sql(&p, "UPDATE audit SET actor = 'other'"), 0); /* the file itself refuses */
	assert_int_equal(sql(&p, "DROP TRIGGER audit_stays; UPDATE audit SET actor = 'other' WHERE number = 1"), 0);
	s = opened(&p);
	assert_int_equal(key_store_log_verify(s, &count, &err), -1);
	assert_int_equal(err.code, EXIT_INTEGRITY);
	key_store_free(s);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_by_any_of_its_marks),
		cmocka_unit_test(nothing_in_the_file_says_who_or_what),
		cmocka_unit_test(what_is_purged_is_gone_and_known_as_gone),
		cmocka_unit_test(of_what_was_purged_not_even_the_sealed_octets_stay),
		cmocka_unit_test(keys_past_their_time_expire),
		cmocka_unit_test(another_key_does_not_open_it),
		cmocka_unit_test(a_kill_loses_nothing_that_was_put),
		cmocka_unit_test(the_log_tells_every_release_and_an_alteration_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
