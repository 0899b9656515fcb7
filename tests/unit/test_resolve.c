/* resolve: which KMS is asked, rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "otway/otway_rees.h"
#include "otway/resolve.h"

#define LIST(...)                                                                                                      \
	(char *[])                                                                                                     \
	{                                                                                                              \
		__VA_ARGS__                                                                                            \
	}
#define TEXT(text)                                                                                                     \
	(char[])                                                                                                       \
	{                                                                                                              \
		text                                                                                                   \
	}

/* TRANSFER_INIT with a ticket whose TP Data names a KMS (RFC 6043 6.10, 6.6), octet by octet. */
struct token {
	uint8_t at[512];
	size_t len;
};

static void put(struct token *t, const void *from, size_t len)
{
	memcpy(t->at + t->len, from, len);
	t->len += len;
}

static struct bytes ticket_of(struct token *t, uint8_t id_type, const char *kms)
{
	static const uint8_t header[] = { 1, 14, 17, 0, 0x11, 0x22, 0x33, 0x44, 0, 1 };
	static const uint8_t ticket[] = { 0, 0, 1, 1, 1, 1 /* D */, 0x90 /* E H */, 0xc0 /* N O, below: L M none */ };
	const uint8_t policy[] = { 0, (uint8_t)(1 + 5 + strlen(kms)), 14, 0, 3, id_type, 0, (uint8_t)strlen(kms) };
	static const uint8_t rest[] = { 0, 1, 0xff, 0, 0 };

	*t = (struct token){ .len = 0 };
	put(t, header, sizeof(header));
	put(t, ticket, sizeof(ticket));
	put(t, policy, sizeof(policy));
	put(t, kms, strlen(kms));
	put(t, rest, sizeof(rest));
	return (struct bytes){ t->at, t->len };
}

/* Otway-Rees message 1 without a KMS identity, and with one (otway_rees.h). */
static struct bytes message_1(struct buf *out, const char *a, const char *kms)
{
	static const uint8_t m[16] = "run", envelope[137] = "sealed";
	struct or_message message = { .type = OR_OFFER,
		.m = { m, 16 },
		.a = bytes_of(a),
		.b = bytes_of("sip:bob@b.example"),
		.kms = bytes_of(kms),
		.envelope_a = { envelope, sizeof(envelope) },
		.session_count = 1,
		.sessions = { { .cs = 1, .suite = AES_CM_128_HMAC_SHA1_80, .suite_number = 1 } } };

	assert_int_equal(or_write(&message, out, NULL), 0);
	return buf_bytes(out);
}

static struct key_wanted wanted(const char *target)
{
	return (struct key_wanted){
		.number = 1, .target = bytes_of(target), .from = bytes_of("sip:carol@c.example"), .to = bytes_of(target)
	};
}

static void assert_candidate(const struct kms_candidate *c, enum kms_origin origin, const char *identity, bool agreed)
{
	assert_string_equal(kms_origin_text(c->origin), kms_origin_text(origin));
	assert_string_equal(c->identity, identity);
	assert_int_equal(c->agreement != NULL, agreed);
}

/* S90 */
static void without_a_kms_in_signalling_the_convention_says_which(void **state)
{
	struct kms_agreement a = { .number = 3, .identity = TEXT("sip:kms@abc.com") };
	struct kms_agreements set = { &a, 1 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@abc.com", true);
	assert_int_equal(out[0].agreement->number, 3);
	w = wanted("sips:alice@ABC.com:5061;transport=tls");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@abc.com", true);
}

/* S91 */
static void a_signalled_kms_comes_before_the_targets_own(void **state)
{
	struct kms_agreement all[] = { { .number = 1, .identity = TEXT("sip:kms@abc.com") },
		{ .number = 2, .identity = TEXT("sip:keys@visited.example") } };
	struct kms_agreements set = { all, 2 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	w.signalled = bytes_of("sip:keys@Visited.example:5060;lr");
	assert_int_equal(kms_resolve(&w, &set, out), 2);
	assert_candidate(&out[0], KMS_SIGNALLED, "sip:keys@visited.example", true);
	assert_candidate(&out[1], KMS_CONVENTION, "sip:kms@abc.com", true);
	w.signalled = bytes_of("\"Keys\" <sips:keys@visited.example;lr>;q=1");
	assert_int_equal(kms_resolve(&w, &set, out), 2);
	assert_candidate(&out[0], KMS_SIGNALLED, "sip:keys@visited.example", true);
}

static void what_was_signalled_is_only_a_name(void **state)
{
	struct kms_agreement a = { .identity = TEXT("sip:kms@abc.com") };
	struct kms_agreements set = { &a, 1 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	w.signalled = bytes_of("sip:kms@evil.example");
	assert_int_equal(kms_resolve(&w, &set, out), 2);
	assert_candidate(&out[0], KMS_SIGNALLED, "sip:kms@evil.example", false);
	assert_candidate(&out[1], KMS_CONVENTION, "sip:kms@abc.com", true);
	w.signalled = bytes_of("https://evil.example/xk");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	w.signalled = bytes_of("sip:evil.example");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_int_equal(kms_resolve(&w, NULL, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@abc.com", false);
}

/* S97 */
static void another_operators_kms_is_asked_for_users_of_its_homes_alone(void **state)
{
	struct kms_agreement all[] = { { .number = 1,
					       .identity = TEXT("sip:kms@visited.example"),
					       .homes = LIST(TEXT("visited.example")),
					       .home_count = 1 },
		{ .number = 2,
			.identity = TEXT("sip:kms@home.example"),
			.homes = LIST(TEXT("home.example")),
			.home_count = 1,
			.roaming_partner = true } };
	struct kms_agreements set = { all, 2 };
	struct key_wanted w = wanted("sip:alice@home.example");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_ADMINISTERED, "sip:kms@home.example", true);
	assert_int_equal(out[0].agreement->number, 2);
	/* a user of nobody's home: signalling may name the partner's KMS, it is not asked */
	w = wanted("sip:alice@visited.example");
	w.signalled = bytes_of("sip:kms@home.example");
	assert_int_equal(kms_resolve(&w, &set, out), 2);
	assert_candidate(&out[0], KMS_SIGNALLED, "sip:kms@home.example", false);
	assert_candidate(&out[1], KMS_ADMINISTERED, "sip:kms@visited.example", true);
	/* but where its user is a party, whoever the target is */
	w.answered = bytes_of("sip:bob@HOME.example;user=phone");
	assert_int_equal(kms_resolve(&w, &set, out), 2);
	assert_candidate(&out[0], KMS_SIGNALLED, "sip:kms@home.example", true);
	/* without the agreement: known, not asked */
	set.count = 1;
	w = wanted("sip:alice@home.example");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@home.example", false);
}

static void the_ticket_comes_before_all_others(void **state)
{
	struct kms_agreement a = {
		.identity = TEXT("sip:kms@abc.com"), .homes = LIST(TEXT("abc.com")), .home_count = 1
	};
	struct kms_agreements set = { &a, 1 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];
	struct token t;

	(void)state;
	w.signalled = bytes_of("sip:kms@signalled.example");
	w.offer = ticket_of(&t, 1, "sip:kms@ticket.example");
	assert_int_equal(kms_resolve(&w, &set, out), 3);
	assert_candidate(&out[0], KMS_OF_TICKET, "sip:kms@ticket.example", false);
	assert_candidate(&out[1], KMS_SIGNALLED, "sip:kms@signalled.example", false);
	assert_candidate(&out[2], KMS_ADMINISTERED, "sip:kms@abc.com", true);
	w.offer = ticket_of(&t, 0, "kms@ticket.example"); /* a NAI */
	assert_int_equal(kms_resolve(&w, &set, out), 3);
	assert_candidate(&out[0], KMS_OF_TICKET, "sip:kms@ticket.example", false);
}

static void a_re_keying_without_a_ticket_is_of_the_first_ones_kms(void **state)
{
	static const uint8_t rekey[] = { 1, 14, 11, 0, 0x11, 0x22, 0x33, 0x44, 0, 1, 0, 2, 0xaa, 0xbb };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];
	struct token t;

	(void)state;
	w.offer = (struct bytes){ rekey, sizeof(rekey) };
	w.first_offer = ticket_of(&t, 1, "sip:kms@ticket.example");
	assert_int_equal(kms_resolve(&w, NULL, out), 2);
	assert_candidate(&out[0], KMS_OF_TICKET, "sip:kms@ticket.example", false);
}

static void an_identity_is_asked_once_and_its_first_origin_stands(void **state)
{
	struct kms_agreement a = { .identity = TEXT("sips:kms@ABC.com:5061"),
		.homes = LIST(TEXT("abc.com")),
		.home_count = 1,
		.users = LIST(TEXT("sip:alice@abc.com")),
		.user_count = 1 };
	struct kms_agreements set = { &a, 1 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];
	struct token t;

	(void)state;
	w.signalled = bytes_of("sip:kms@abc.com");
	w.offer = ticket_of(&t, 1, "sips:kms@abc.com:5061;x=y");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_OF_TICKET, "sip:kms@abc.com", true);
}

static void a_binding_of_the_user_comes_before_one_of_the_domain(void **state)
{
	struct kms_agreement all[] = { { .number = 1,
					       .identity = TEXT("sip:keys@abc.com"),
					       .homes = LIST(TEXT("other.example"), TEXT("ABC.com.")),
					       .home_count = 2 },
		{ .number = 2,
			.identity = TEXT("sip:vip@abc.com"),
			.users = LIST(TEXT("tel:+1-555-0100")),
			.user_count = 1 } };
	struct kms_agreements set = { all, 2 };
	struct key_wanted w = wanted("sip:+15550100@abc.com;user=phone");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	assert_int_equal(kms_resolve(&w, &set, out), 3);
	assert_candidate(&out[0], KMS_ADMINISTERED, "sip:vip@abc.com", true);
	assert_candidate(&out[1], KMS_ADMINISTERED, "sip:keys@abc.com", true);
	assert_candidate(&out[2], KMS_CONVENTION, "sip:kms@abc.com", false);
	w = wanted("sip:bob@sub.abc.com"); /* another domain, and nobody's */
	assert_int_equal(kms_resolve(&w, &set, out), 1);
}

static void a_number_is_found_by_the_sip_uri_of_the_same_user_else_by_the_networks_default(void **state)
{
	struct kms_agreement all[] = { { .identity = TEXT("sip:kms@abc.com") },
		{ .identity = TEXT("sip:kms@network.example"), .network_default = true } };
	struct kms_agreements set = { all, 2 };
	struct key_wanted w = wanted("tel:+15550100");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_NETWORK_DEFAULT, "sip:kms@network.example", true);
	w.target_sip = bytes_of("sip:alice@abc.com");
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@abc.com", true);
	w.target_sip = (struct bytes){ NULL, 0 };
	set.count = 1;
	assert_int_equal(kms_resolve(&w, &set, out), 0);
	assert_false(kms_keyed_by_signalling(&w));
}

static void keys_that_signalling_carries_itself_are_no_kmss(void **state)
{
	struct kms_agreement a = { .identity = TEXT("sip:kms@abc.com"), .network_default = true };
	struct kms_agreements set = { &a, 1 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];
	uint8_t offer[] = { 1, 0, 0, 0, 0, 0, 0, 1, 0, 1 };

	(void)state;
	w.signalled = bytes_of("sip:kms@abc.com");
	w.offer = (struct bytes){ offer, sizeof(offer) };
	for (uint8_t type = 0; type <= 10; type++) {
		offer[1] = type;
		assert_true(kms_keyed_by_signalling(&w));
		assert_int_equal(kms_resolve(&w, &set, out), 0);
	}
	offer[1] = 14;
	assert_false(kms_keyed_by_signalling(&w));
	assert_int_equal(kms_resolve(&w, &set, out), 1);
	offer[1] = 0;
	w.protocol = KEY_MGMT_OTWAY_REES;
	assert_false(kms_keyed_by_signalling(&w));
}

static void an_otway_rees_token_names_its_kms_or_means_that_of_its_a(void **state)
{
	struct key_wanted w = wanted("sip:bob@b.example");
	struct kms_candidate out[KEY_CANDIDATES];
	struct buf token = { 0 };

	(void)state;
	w.protocol = KEY_MGMT_OTWAY_REES;
	w.offer = message_1(&token, "sip:carol@c.example", "sip:keys@k.example");
	assert_int_equal(kms_resolve(&w, NULL, out), 2);
	assert_candidate(&out[0], KMS_OF_TICKET, "sip:keys@k.example", false);
	assert_candidate(&out[1], KMS_CONVENTION, "sip:kms@b.example", false);
	buf_reset(&token);
	w.offer = message_1(&token, "sip:carol@c.example", NULL);
	assert_int_equal(kms_resolve(&w, NULL, out), 2);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@b.example", false);
	assert_candidate(&out[1], KMS_CONVENTION, "sip:kms@c.example", false);
	buf_clear(&token);
}

static void garbage_for_a_token_leaves_the_other_rules(void **state)
{
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	w.offer = bytes_of("\x01\x0e garbage");
	assert_int_equal(kms_resolve(&w, NULL, out), 1);
	w.protocol = KEY_MGMT_OTWAY_REES;
	assert_int_equal(kms_resolve(&w, NULL, out), 1);
	assert_candidate(&out[0], KMS_CONVENTION, "sip:kms@abc.com", false);
}

static void there_are_never_more_candidates_than_fit(void **state)
{
	struct kms_agreement all[20];
	char names[20][32], *home = TEXT("abc.com");
	struct kms_agreements set = { all, 20 };
	struct key_wanted w = wanted("sip:alice@abc.com");
	struct kms_candidate out[KEY_CANDIDATES];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "sip:k%d@abc.com", i);
		all[i] = (struct kms_agreement){ .identity = names[i], .homes = &home, .home_count = 1 };
	}
	assert_int_equal(kms_resolve(&w, &set, out), KEY_CANDIDATES);
	assert_string_equal(out[7].identity, "sip:k7@abc.com");
}

static void identities_are_normalised(void **state)
{
	char out[KEY_URI_MAX], uri[400] = "sip:kms@";

	(void)state;
	assert_true(kms_identity(bytes_of(" sips:KMS@Abc.Com.:5061;transport=tls?x=y "), out));
	assert_string_equal(out, "sip:KMS@abc.com");
	assert_true(kms_identity(bytes_of("kms@abc.com"), out));
	assert_string_equal(out, "sip:kms@abc.com");
	assert_false(kms_identity(bytes_of("sip:abc.com"), out));
	assert_false(kms_identity(bytes_of("tel:+15550100"), out));
	assert_false(kms_identity(bytes_of("http://kms@abc.com"), out));
	assert_false(kms_identity(bytes_of(""), out));
	memset(uri + 8, 'a', 300);
	assert_false(kms_identity(bytes_of(uri), out));
	assert_false(kms_identity(bytes_of(uri + 4), out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_kms_in_signalling_the_convention_says_which),
		cmocka_unit_test(a_signalled_kms_comes_before_the_targets_own),
		cmocka_unit_test(what_was_signalled_is_only_a_name),
		cmocka_unit_test(another_operators_kms_is_asked_for_users_of_its_homes_alone),
		cmocka_unit_test(the_ticket_comes_before_all_others),
		cmocka_unit_test(a_re_keying_without_a_ticket_is_of_the_first_ones_kms),
		cmocka_unit_test(an_identity_is_asked_once_and_its_first_origin_stands),
		cmocka_unit_test(a_binding_of_the_user_comes_before_one_of_the_domain),
		cmocka_unit_test(a_number_is_found_by_the_sip_uri_of_the_same_user_else_by_the_networks_default),
		cmocka_unit_test(keys_that_signalling_carries_itself_are_no_kmss),
		cmocka_unit_test(an_otway_rees_token_names_its_kms_or_means_that_of_its_a),
		cmocka_unit_test(garbage_for_a_token_leaves_the_other_rules),
		cmocka_unit_test(there_are_never_more_candidates_than_fit),
		cmocka_unit_test(identities_are_normalised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
