/* key, agreement: words and copies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/model/agreement.h"
#include "otway/model/key.h"

static void each_origin_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(kms_origin_text(KMS_OF_TICKET), "ticket");
	assert_string_equal(kms_origin_text(KMS_SIGNALLED), "signalled");
	assert_string_equal(kms_origin_text(KMS_ADMINISTERED), "administered");
	assert_string_equal(kms_origin_text(KMS_CONVENTION), "convention");
	assert_string_equal(kms_origin_text(KMS_NETWORK_DEFAULT), "network-default");
	assert_null(kms_origin_text(KMS_ORIGINS));
}

static void a_copy_of_what_is_wanted_lives_longer_than_what_it_was_made_of(void **state)
{
	char offer[] = "offer", target[] = "sip:alice@abc.com", id[] = "c1";
	struct key_wanted w = { .number = 7,
		.call = 3,
		.at = 12,
		.offer = bytes_of(offer),
		.target = bytes_of(target),
		.signalled = bytes_of(id) },
			  copy;

	(void)state;
	assert_true(key_wanted_copy(&w, &copy));
	memset(offer, 'x', sizeof(offer));
	memset(target, 'x', sizeof(target));
	memset(id, 'x', sizeof(id));
	assert_int_equal(copy.number, 7);
	assert_int_equal(copy.call, 3);
	assert_int_equal(copy.at, 12);
	assert_true(bytes_equal(copy.offer, bytes_of("offer")));
	assert_true(bytes_equal(copy.target, bytes_of("sip:alice@abc.com")));
	assert_true(bytes_equal(copy.signalled, bytes_of("c1")));
	assert_int_equal(copy.answer.len, 0);
	key_wanted_clear(&copy);
	assert_null(copy.offer.at);
	assert_int_equal(copy.target.len, 0);
}

/* Every member is its own: none is forgotten, none stands for another. */
static void every_view_is_copied(void **state)
{
	struct key_wanted w = { .offer = bytes_of("a"),
		.answer = bytes_of("b"),
		.first_offer = bytes_of("c"),
		.first_answer = bytes_of("d"),
		.target = bytes_of("e"),
		.target_sip = bytes_of("f"),
		.from = bytes_of("g"),
		.to = bytes_of("h"),
		.answered = bytes_of("i"),
		.call_id = bytes_of("j"),
		.from_tag = bytes_of("k"),
		.to_tag = bytes_of("l"),
		.signalled = bytes_of("m") },
			  copy;
	const struct bytes *first = &copy.offer;

	(void)state;
	assert_true(key_wanted_copy(&w, &copy));
	for (size_t i = 0; i < 13; i++) {
		assert_int_equal(first[i].len, 1);
		assert_int_equal(first[i].at[0], 'a' + i);
		assert_ptr_not_equal(first[i].at, (&w.offer)[i].at);
	}
	key_wanted_clear(&copy);
}

static void what_is_empty_is_copied_and_cleared_twice(void **state)
{
	struct key_wanted w = { .number = 1 }, copy;

	(void)state;
	assert_true(key_wanted_copy(&w, &copy));
	assert_int_equal(copy.number, 1);
	key_wanted_clear(&copy);
	key_wanted_clear(&copy);
}

static void a_cleared_answer_has_no_key_left(void **state)
{
	static const struct key_answer nothing;
	struct key_answer *a = malloc(sizeof(*a));

	(void)state;
	assert_non_null(a);
	memset(a, 0xaa, sizeof(*a));
	key_answer_clear(a);
	assert_memory_equal(a, &nothing, sizeof(*a));
	free(a);
}

static void an_agreement_is_copied_whole(void **state)
{
	char identity[] = "sip:kms@abc.com", home[] = "abc.com", user[] = "tel:+15550100";
	char *homes[] = { home }, *users[] = { user };
	struct kms_agreement a = { .number = 4,
		.identity = identity,
		.url = (char[]){ "https://kms.abc.com" },
		.ca = (char[]){ "ca.pem" },
		.homes = homes,
		.home_count = 1,
		.users = users,
		.user_count = 1,
		.roaming_partner = true };
	struct kms_agreements set = { 0 };

	(void)state;
	assert_true(kms_agreement_add(&set, &a));
	assert_true(kms_agreement_add(&set, &a));
	memset(identity, 'x', strlen(identity));
	memset(home, 'x', strlen(home));
	memset(user, 'x', strlen(user));
	assert_int_equal(set.count, 2);
	assert_int_equal(set.all[1].number, 4);
	assert_string_equal(set.all[1].identity, "sip:kms@abc.com");
	assert_string_equal(set.all[1].url, "https://kms.abc.com");
	assert_string_equal(set.all[1].ca, "ca.pem");
	assert_null(set.all[1].cert);
	assert_string_equal(set.all[1].homes[0], "abc.com");
	assert_string_equal(set.all[0].users[0], "tel:+15550100");
	assert_true(set.all[1].roaming_partner);
	assert_false(set.all[1].network_default);
	kms_agreements_clear(&set);
	assert_int_equal(set.count, 0);
	kms_agreements_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_origin_has_its_word),
		cmocka_unit_test(a_copy_of_what_is_wanted_lives_longer_than_what_it_was_made_of),
		cmocka_unit_test(every_view_is_copied),
		cmocka_unit_test(what_is_empty_is_copied_and_cleared_twice),
		cmocka_unit_test(a_cleared_answer_has_no_key_left),
		cmocka_unit_test(an_agreement_is_copied_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
