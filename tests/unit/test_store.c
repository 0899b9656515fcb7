/*
 * store: agencies, warrants, history, permissions, schema, and the trail; in SQLite, or in PostgreSQL at the URL that is the
 * argument. What somebody with write access to the database could do is done here with its own library, not with the store's code.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/text.h"
#include "../support/store_scene.h"

static void a_new_store_is_private_and_so_is_its_folder(void **state)
{
	struct bench *b = *state;
	struct stat st;
	char folder[96];

	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(folder, sizeof(folder), "%s/made", b->folder);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_store_that_others_may_read_is_refused(void **state)
{
	struct bench *b = *state;

	store_free(b->store);
	b->store = NULL;
	assert_int_equal(chmod(b->path, 0640), 0);
	assert_int_equal(store_open(&b->store, b->url, true, "alice", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "chmod"));
}

static void a_store_that_is_not_there_is_not_made_by_reading(void **state)
{
	struct bench *b = *state;
	struct store *s = NULL;
	char url[128], path[112];

	snprintf(path, sizeof(path), "%s/other.db", b->folder);
	snprintf(url, sizeof(url), "sqlite:%s", path);
	assert_int_equal(store_open(&s, url, false, "alice", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_store_that_is_gone_is_not_made_by_reading(void **state)
{
	struct bench *b = *state;

	scene_empty(b);
	assert_int_equal(store_open(&b->store, b->url, false, "alice", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
	assert_non_null(strstr(b->err.text, "'otway agency add' makes one"));
	scene_open(b);
	assert_int_equal(scene_verify(b, &(uint64_t){ 0 }), 0);
}

static void a_newer_schema_is_refused_by_number(void **state)
{
	struct bench *b = *state;

	store_free(b->store);
	b->store = NULL;
	scene_tamper(b, "UPDATE schema_version SET version = 7");
	assert_int_equal(store_open(&b->store, b->url, true, "alice", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "opening the warrant store: schema is version 7, this program knows 3"));
}

static void another_programs_database_is_left_alone(void **state)
{
	struct bench *b = *state;

	scene_empty(b);
	scene_sql(b, scene_text("CREATE TABLE recipe (step text)",
			     "CREATE SCHEMA otway; CREATE TABLE otway.recipe (step text)"));
	if (!scene_postgresql())
		chmod(b->path, 0600);
	assert_int_equal(store_open(&b->store, b->url, true, "alice", &b->err), -1);
	assert_non_null(strstr(b->err.text, "no otway store"));
}

static void a_file_that_is_no_database_is_told_so(void **state)
{
	struct bench *b = *state;
	FILE *f;

	store_free(b->store);
	b->store = NULL;
	f = fopen(b->path, "w");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("This is prose. ", f);
	fclose(f);
	assert_int_equal(store_open(&b->store, b->url, true, "alice", &b->err), -1);
	assert_non_null(strstr(b->err.text, "not a database"));
}

static void the_same_agency_again_is_done_and_another_is_refused(void **state)
{
	struct bench *b = *state;
	char *deliver[] = { (char *)(uintptr_t) "hi2:192.0.2.1:7000" };
	struct agency a = {
		.name = (char *)(uintptr_t) "Police", .country = "NZ", .deliver = deliver, .deliver_count = 1
	};
	bool fresh = true;

	scene_agency(b, "Police");
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), 0);
	assert_false(fresh);
	strcpy(a.country, "AU");
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "--country"));
}

static int take_agency_number(void *arg, const struct agency *a)
{
	*(uint32_t *)arg = a->number;
	return 0;
}

static void a_number_is_never_used_again(void **state)
{
	struct bench *b = *state;
	uint32_t number = 0;

	scene_agency(b, "Police");
	assert_int_equal(store_agency_remove(b->store, "Police", &b->err), 0);
	scene_agency(b, "Police");
	assert_int_equal(store_agency_each(b->store, "Police", take_agency_number, &number, &b->err), 0);
	assert_int_equal(number, 2);
}

static void an_agency_with_a_warrant_cannot_go(void **state)
{
	struct bench *b = *state;
	bool fresh;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	assert_int_equal(store_warrant_revoke(b->store, "LIID-1", "error", &fresh, &b->err), 0);
	assert_int_equal(store_agency_remove(b->store, "Police", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(store_agency_remove(b->store, "Army", &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
}

static void the_same_words_are_the_same_warrant_whenever_entered(void **state)
{
	struct bench *b = *state;
	struct target target;
	struct warrant_row r = scene_warrant("LIID-1", &target);
	bool fresh = true;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	r.w.from += 60 * NSEC_PER_SEC; /* "now" was a minute later */
	r.w.until += 60 * NSEC_PER_SEC;
	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), 0);
	assert_false(fresh);
	r.until_entered = (char *)(uintptr_t) "+73h";
	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "--until"));
}

static void another_content_under_a_liid_is_refused_by_field(void **state)
{
	static const char *const fields[] = { "--target", "--authority", "--scope", "--diverted", "--trust-from",
		"--document" };
	struct bench *b = *state;
	bool fresh;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct target target;
		struct warrant_row r = scene_warrant("LIID-1", &target);

		if (i == 0)
			target.uri = (char *)(uintptr_t) "sip:carol@ims.example";
		else if (i == 1)
			r.w.authority = (char *)(uintptr_t) "Court 13/26";
		else if (i == 2)
			r.w.scope = SCOPE_IRI;
		else if (i == 3)
			r.w.diverted = DIVERTED_REPORT;
		else if (i == 4)
			r.w.trust_from = true;
		else
			r.document = (char *)(uintptr_t) "order.pdf";
		assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
		assert_int_equal(b->err.code, EXIT_REFUSED);
		assert_non_null(strstr(b->err.text, fields[i]));
		assert_null(strstr(b->err.text, "carol"));
	}
}

static void a_revoked_warrant_is_closed_for_good(void **state)
{
	struct bench *b = *state;
	const char *liid = "LIID-1";
	struct target target;
	struct warrant_row r = scene_warrant(liid, &target);
	struct warrant_set set;
	bool fresh;

	scene_agency(b, "Police");
	scene_add_warrant(b, liid);
	scene_add_warrant(b, "LIID-2");
	assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
	assert_int_equal(set.count, 2);
	warrant_set_clear(&set);
	assert_int_equal(store_warrant_revoke(b->store, liid, "wrong number", &fresh, &b->err), 0);
	assert_true(fresh);
	assert_int_equal(store_warrant_revoke(b->store, liid, "wrong number", &fresh, &b->err), 0);
	assert_false(fresh);
	assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
	assert_int_equal(set.count, 1);
	assert_string_equal(set.all[0].liid, "LIID-2");
	warrant_set_clear(&set);
	assert_int_equal(store_warrants_in_use(b->store, &liid, 1, &set, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(store_warrant_extend(b->store, liid, 3000 * NSEC_PER_SEC, "x", NULL, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
}

static void the_store_gives_targets_as_they_are_compared(void **state)
{
	struct bench *b = *state;
	struct warrant_set set;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
	assert_int_equal(set.all[0].target_count, 1);
	assert_string_equal(set.all[0].targets[0].uri, "sip:bob@ims.example");
	assert_string_equal(set.all[0].targets[0].id.uri, "sip:bob@ims.example");
	assert_true(set.all[0].from == 1000 * NSEC_PER_SEC && set.all[0].until == 2000 * NSEC_PER_SEC);
	warrant_set_clear(&set);
}

struct seen {
	char text[1024];
};

static int write_down(void *arg, const struct warrant_change *c)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s %s %s %s>%s\n", c->actor, c->act, c->field,
		c->before != NULL ? c->before : "-", c->after != NULL ? c->after : "-");
	return 0;
}

static void history_tells_who_and_what_was_before(void **state)
{
	struct bench *b = *state;
	struct seen seen = { "" };
	bool fresh;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	assert_int_equal(
		store_warrant_extend(b->store, "LIID-1", 3000 * NSEC_PER_SEC, "x", "Court 14/26", &fresh, &b->err), 0);
	assert_true(fresh);
	assert_int_equal(
		store_warrant_extend(b->store, "LIID-1", 3000 * NSEC_PER_SEC, "x", "Court 14/26", &fresh, &b->err), 0);
	assert_false(fresh);
	assert_int_equal(store_warrant_extend(b->store, "LIID-1", 2500 * NSEC_PER_SEC, "x", NULL, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(store_warrant_revoke(b->store, "LIID-1", "done", &fresh, &b->err), 0);
	assert_int_equal(store_warrant_history(b->store, "LIID-1", write_down, &seen, &b->err), 0);
	assert_non_null(strstr(seen.text, "alice add target ->sip:bob@ims.example\n"));
	assert_non_null(strstr(seen.text, "alice extend until 1970-01-01T00:33:20.000000Z>1970-01-01T00:50:00.000000Z\n"
					  "alice extend authority Court 12/26>Court 14/26\n"));
	assert_non_null(strstr(seen.text, "alice revoke revoked_reason ->done\n"));
	assert_int_equal(store_warrant_history(b->store, "LIID-9", write_down, &seen, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
}

static int count_records(void *arg, const struct audit_record *r)
{
	uint64_t *count = arg;

	(*count)++;
	assert_int_equal(r->number, *count);
	assert_string_equal(r->actor, "alice");
	assert_null(strstr(r->detail, "bob"));
	return 0;
}

/* agency, warrant, extension, revocation, and an act of reading: five records. */
static void five_records(struct bench *b)
{
	uint64_t number = 0;
	bool fresh;

	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	assert_int_equal(store_warrant_extend(b->store, "LIID-1", 3000 * NSEC_PER_SEC, "x", NULL, &fresh, &b->err), 0);
	assert_int_equal(
		store_audit(b->store, "decrypt", "captures", "{\"captures\":[\"a.pcap\"]}", &number, &b->err), 0);
	assert_int_equal(number, 4);
	assert_int_equal(store_warrant_revoke(b->store, "LIID-1", "done", &fresh, &b->err), 0);
}

static void every_change_is_in_the_trail_without_its_target(void **state)
{
	struct bench *b = *state;
	uint64_t count = 0;

	five_records(b);
	assert_int_equal(store_audit_each(b->store, count_records, &count, &b->err), 0);
	assert_int_equal(count, 5);
}

/* The first record as anyone can compute it: the recipe of store.h, by hand. */
static int recompute(void *arg, const struct audit_record *r)
{
	char before[SHA256_HEX], at[NSEC_TEXT], text[1024];
	uint8_t hash[SHA256_LEN];

	(void)arg;
	text_hex((struct bytes){ r->before, SHA256_LEN }, before);
	snprintf(text, sizeof(text),
		"{\"act\":\"%s\",\"actor\":\"%s\",\"at\":\"%s\",\"before\":\"%s\",\"detail\":%s,\"number\":%d,"
		"\"subject\":\"%s\"}",
		r->act, r->actor, nsec_text(r->at, at), before, r->detail, (int)r->number, r->subject);
	sha256_of(bytes_of(text), hash);
	assert_memory_equal(hash, r->hash, SHA256_LEN);
	return 0;
}

static void the_hash_of_a_record_can_be_recomputed_from_its_text(void **state)
{
	struct bench *b = *state;

	five_records(b);
	assert_int_equal(store_audit_each(b->store, recompute, NULL, &b->err), 0);
}

static void check_tampered(struct bench *b, const char *sql, const char *finding)
{
	struct audit_kept kept;
	uint64_t count;
	uint8_t head[SHA256_LEN];

	five_records(b);
	assert_int_equal(store_audit_verify(b->store, NULL, 0, &kept.number, kept.hash, &b->err), 0);
	assert_int_equal(kept.number, 5);
	assert_int_equal(store_audit_verify(b->store, &kept, 1, &count, head, &b->err), 0);
	scene_tamper(b, sql);
	assert_int_equal(store_audit_verify(b->store, &kept, 1, &count, head, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_non_null(strstr(b->err.text, finding));
}

static void an_altered_record_is_found(void **state)
{
	check_tampered(*state, "UPDATE audit SET actor = 'mallory' WHERE number = 3", "record 3 was altered");
}

static void an_altered_detail_is_found(void **state)
{
	check_tampered(*state, "UPDATE audit SET detail = replace(detail, 'LIID-1', 'LIID-2') WHERE number = 2",
		"record 2 was altered");
}

static void a_missing_record_is_found(void **state)
{
	check_tampered(*state, "DELETE FROM audit WHERE number = 2", "record 2 is missing");
}

static void a_trail_that_was_cut_off_is_found(void **state)
{
	check_tampered(*state,
		"DELETE FROM audit WHERE number >= 5; UPDATE warrant SET revoked = NULL, revoked_reason = NULL",
		"ends at record 4, but record 5 was kept");
}

static void a_target_changed_behind_the_trail_is_found(void **state)
{
	check_tampered(*state, "UPDATE warrant_target SET uri = 'sip:carol@ims.example'",
		"warrant 1 is not as audit record 5 left it");
}

static void a_revocation_taken_back_behind_the_trail_is_found(void **state)
{
	check_tampered(*state, "UPDATE warrant SET revoked = NULL, revoked_reason = NULL",
		"warrant 1 is not as audit record 5");
}

static void a_kept_hash_tells_a_rewritten_trail(void **state)
{
	struct bench *b = *state;
	struct audit_kept kept = { 3, { 1, 2, 3 } };
	uint64_t count;
	uint8_t head[SHA256_LEN];

	five_records(b);
	assert_int_equal(store_audit_verify(b->store, &kept, 1, &count, head, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_non_null(strstr(b->err.text, "record 3 is not the one that was kept"));
}

static void the_database_itself_refuses_to_change_the_trail(void **state)
{
	static const char *const attempts[] = { "UPDATE audit SET actor = 'mallory'", "DELETE FROM audit",
		"INSERT INTO audit SELECT 17, at, actor, act, subject, detail, before, hash FROM audit LIMIT 1",
		"UPDATE warrant SET revoked = NULL", "DELETE FROM warrant", "UPDATE warrant_target SET uri = 'sip:x@y'",
		"UPDATE warrant_change SET actor = 'mallory'", "DELETE FROM warrant_change",
		"UPDATE store_identity SET id = '0123456789abcdef0123456789abcdef'", "DELETE FROM store_identity",
		"INSERT INTO store_identity (id) VALUES ('0123456789abcdef0123456789abcdef')" };
	static const char *const more[] = { "TRUNCATE audit", "TRUNCATE warrant_change", "TRUNCATE warrant CASCADE",
		"TRUNCATE store_identity" };
	struct bench *b = *state;

	five_records(b);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		assert_int_equal(scene_try(b, attempts[i]), SQL_REFUSED_BY_TRIGGER);
	for (size_t i = 0; scene_postgresql() && i < sizeof(more) / sizeof(more[0]); i++)
		assert_int_equal(scene_try(b, more[i]), SQL_REFUSED_BY_TRIGGER);
	if (!scene_postgresql())
		assert_int_equal(scene_try(b, "REPLACE INTO audit SELECT * FROM audit WHERE number = 2"),
			SQL_REFUSED_BY_TRIGGER);
}

static void an_older_copy_lacks_what_was_kept_since(void **state)
{
	struct bench *b = *state;
	struct audit_kept first, last, other;
	bool holds;

	assert_int_equal(store_audit_last(b->store, &first, &b->err), 0);
	assert_int_equal(first.number, 0);
	assert_int_equal(store_audit_holds(b->store, &first, &holds, &b->err), 0);
	assert_true(holds);
	five_records(b);
	assert_int_equal(store_audit_last(b->store, &last, &b->err), 0);
	assert_int_equal(last.number, 5);
	assert_int_equal(store_audit_holds(b->store, &last, &holds, &b->err), 0);
	assert_true(holds);
	other = last;
	other.hash[0] ^= 1;
	assert_int_equal(store_audit_holds(b->store, &other, &holds, &b->err), 0);
	assert_false(holds);
	scene_tamper(b, "DELETE FROM audit WHERE number = 5"); /* as in yesterday's copy */
	assert_int_equal(store_audit_holds(b->store, &last, &holds, &b->err), 0);
	assert_false(holds);
}

static void what_cannot_be_written_to_the_trail_does_not_happen(void **state)
{
	struct bench *b = *state;
	struct target target;
	struct warrant_row r = scene_warrant("LIID-1", &target);
	struct warrant_set set;
	bool fresh;

	scene_agency(b, "Police");
	scene_sql(
		b, scene_text("CREATE TRIGGER no_room BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END",
			   "CREATE TRIGGER no_room BEFORE INSERT ON audit EXECUTE FUNCTION refuse('no room')"));
	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "no room"));
	assert_int_equal(store_audit(b->store, "decrypt", "captures", "{}", NULL, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
	assert_int_equal(set.count, 0);
	warrant_set_clear(&set);
}

static void a_warrant_of_an_agency_that_is_not_there_is_not_found(void **state)
{
	struct bench *b = *state;
	struct target target;
	struct warrant_row r = scene_warrant("LIID-1", &target);
	bool fresh;

	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
}

static void a_state_follows_the_clock(void **state)
{
	struct target target;
	struct warrant_row r = scene_warrant("LIID-1", &target);

	(void)state;
	assert_string_equal(warrant_state(&r, 999 * NSEC_PER_SEC), "pending");
	assert_string_equal(warrant_state(&r, 1000 * NSEC_PER_SEC), "active");
	assert_string_equal(warrant_state(&r, 2000 * NSEC_PER_SEC), "ended");
	r.revoked = 1500 * NSEC_PER_SEC;
	assert_string_equal(warrant_state(&r, 1000 * NSEC_PER_SEC), "revoked");
}

static struct kms_agreement agreement(void)
{
	static char *homes[] = { (char *)(uintptr_t) "abc.example", (char *)(uintptr_t) "sub.abc.example" };
	static char *users[] = { (char *)(uintptr_t) "tel:+6441234567" };

	return (struct kms_agreement){
		.identity = (char *)(uintptr_t) "sip:kms@abc.example",
		.url = (char *)(uintptr_t) "https://kms.abc.example:8443",
		.ca = (char *)(uintptr_t) "/etc/otway/abc.ca.pem",
		.cert = (char *)(uintptr_t) "/etc/otway/li.pem",
		.key = (char *)(uintptr_t) "/etc/otway/li.key",
		.homes = homes,
		.home_count = 2,
		.users = users,
		.user_count = 1,
		.roaming_partner = true,
	};
}

static void an_agreement_is_kept_as_it_was_made(void **state)
{
	struct bench *b = *state;
	struct kms_agreement a = agreement();
	struct kms_agreements all = { 0 };
	bool fresh;

	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	assert_true(fresh);
	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	assert_false(fresh);
	assert_int_equal(store_kms_all(b->store, &all, &b->err), 0);
	assert_int_equal(all.count, 1);
	assert_string_equal(all.all[0].identity, a.identity);
	assert_string_equal(all.all[0].url, a.url);
	assert_string_equal(all.all[0].ca, a.ca);
	assert_string_equal(all.all[0].cert, a.cert);
	assert_string_equal(all.all[0].key, a.key);
	assert_int_equal(all.all[0].home_count, 2);
	assert_string_equal(all.all[0].homes[1], "sub.abc.example");
	assert_int_equal(all.all[0].user_count, 1);
	assert_string_equal(all.all[0].users[0], "tel:+6441234567");
	assert_true(all.all[0].roaming_partner);
	assert_false(all.all[0].network_default);
	kms_agreements_clear(&all);
}

static void another_agreement_under_its_identity_is_refused_by_field(void **state)
{
	struct bench *b = *state;
	struct kms_agreement a = agreement();
	bool fresh;

	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	a.home_count = 1;
	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "--home"));
	assert_int_equal(store_kms_remove(b->store, a.identity, &b->err), 0);
	assert_int_equal(store_kms_remove(b->store, a.identity, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_NOT_FOUND);
	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	assert_true(fresh);
}

static int verified(struct bench *b)
{
	uint64_t count;

	return scene_verify(b, &count);
}

static void an_agreement_that_was_altered_is_found(void **state)
{
	struct bench *b = *state;
	struct kms_agreement a = agreement();
	bool fresh;

	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	assert_int_equal(verified(b), 0);
	scene_tamper(b, "UPDATE kms SET url = 'https://elsewhere.example'");
	assert_int_equal(verified(b), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_non_null(strstr(b->err.text, "kms 1"));
}

static void an_agreement_that_was_taken_out_is_missed(void **state)
{
	struct bench *b = *state;
	struct kms_agreement a = agreement();
	bool fresh;

	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
	scene_tamper(b, "DELETE FROM kms");
	assert_int_equal(verified(b), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
}

static void an_older_store_is_brought_up_to_date(void **state)
{
	struct bench *b = *state;
	struct kms_agreement a = agreement();
	bool fresh;

	scene_agency(b, "Police");
	store_free(b->store);
	scene_tamper(b, scene_text("DROP TABLE kms_binding; DROP TABLE kms; DROP TABLE store_identity;"
				   "UPDATE schema_version SET version = 1",
				"DROP TABLE kms_binding; DROP TABLE kms; DROP TABLE store_identity;"
				"DROP FUNCTION tell() CASCADE; DROP FUNCTION grant_rights();"
				"UPDATE schema_version SET version = 1"));
	scene_open(b);
	assert_int_equal(verified(b), 0);
	assert_int_equal(store_kms_add(b->store, &a, &fresh, &b->err), 0);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest of_files[] = {
		WITH_STORE(a_new_store_is_private_and_so_is_its_folder),
		WITH_STORE(a_store_that_others_may_read_is_refused),
		WITH_STORE(a_store_that_is_not_there_is_not_made_by_reading),
		WITH_STORE(a_file_that_is_no_database_is_told_so),
	};
	const struct CMUnitTest of_both[] = {
		WITH_STORE(a_store_that_is_gone_is_not_made_by_reading),
		WITH_STORE(an_agreement_is_kept_as_it_was_made),
		WITH_STORE(another_agreement_under_its_identity_is_refused_by_field),
		WITH_STORE(an_agreement_that_was_altered_is_found),
		WITH_STORE(an_agreement_that_was_taken_out_is_missed),
		WITH_STORE(an_older_store_is_brought_up_to_date),
		WITH_STORE(a_newer_schema_is_refused_by_number),
		WITH_STORE(another_programs_database_is_left_alone),
		WITH_STORE(the_same_agency_again_is_done_and_another_is_refused),
		WITH_STORE(a_number_is_never_used_again),
		WITH_STORE(an_agency_with_a_warrant_cannot_go),
		WITH_STORE(the_same_words_are_the_same_warrant_whenever_entered),
		WITH_STORE(another_content_under_a_liid_is_refused_by_field),
		WITH_STORE(a_revoked_warrant_is_closed_for_good),
		WITH_STORE(the_store_gives_targets_as_they_are_compared),
		WITH_STORE(history_tells_who_and_what_was_before),
		WITH_STORE(every_change_is_in_the_trail_without_its_target),
		WITH_STORE(the_hash_of_a_record_can_be_recomputed_from_its_text),
		WITH_STORE(an_altered_record_is_found),
		WITH_STORE(an_altered_detail_is_found),
		WITH_STORE(a_missing_record_is_found),
		WITH_STORE(a_trail_that_was_cut_off_is_found),
		WITH_STORE(a_target_changed_behind_the_trail_is_found),
		WITH_STORE(a_revocation_taken_back_behind_the_trail_is_found),
		WITH_STORE(a_kept_hash_tells_a_rewritten_trail),
		WITH_STORE(the_database_itself_refuses_to_change_the_trail),
		WITH_STORE(an_older_copy_lacks_what_was_kept_since),
		WITH_STORE(what_cannot_be_written_to_the_trail_does_not_happen),
		WITH_STORE(a_warrant_of_an_agency_that_is_not_there_is_not_found),
		cmocka_unit_test(a_state_follows_the_clock),
	};

	int failed;

	scene_arguments(argc, argv);
	failed = cmocka_run_group_tests(of_both, NULL, NULL);
	return scene_postgresql() ? failed : failed + cmocka_run_group_tests(of_files, NULL, NULL);
}
