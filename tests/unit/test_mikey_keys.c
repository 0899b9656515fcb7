/* mikey_keys: what is derived from a key, against values computed by other programs, and what is encrypted and signed by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/mikey_scene.h"
#include "otway/mikey_keys.h"

#define CSB 0x11223344

static struct octets tgk, rand_i, rand_r, rand_kms, mpk, psk;

static int set_up(void **state)
{
	(void)state;
	tgk = octets_up(0x00, 16);
	rand_i = octets_up(0x10, 16);
	rand_r = octets_up(0x30, 16);
	rand_kms = octets_up(0x50, 16);
	psk = octets_up(0xa0, 16);
	mpk = octets_up(0xc0, 16);
	return 0;
}

static void assert_derived(struct mikey_source s, enum mikey_constant constant, const char *hex)
{
	uint8_t seen[64];
	size_t len = strlen(hex) / 2;

	assert_true(mikey_keys_derive(&s, constant, seen, len));
	assert_octets((struct bytes){ seen, len }, hex);
}

static struct bytes view(const struct octets *o)
{
	return octets_view(o);
}

static void rfc_3830_derives_traffic_keys_for_each_crypto_session(void **state)
{
	struct octets longer = octets_up(0, 40);
	struct mikey_source one = mikey_keys_3830_traffic(MIKEY_PRF_SHA1, view(&tgk), 1, CSB, view(&rand_i));

	(void)state;
	assert_derived(one, MIKEY_C_TEK, "9e1c5f3cb5d0ff0f43d4b76801a81346");
	assert_derived(one, MIKEY_C_TGK_SALT, "f036aa717c3e41fcf40bb2577029");
	assert_derived(mikey_keys_3830_traffic(MIKEY_PRF_SHA1, view(&tgk), 2, CSB, view(&rand_i)), MIKEY_C_TEK,
		"b1c279e478d44328821ffd230ea63552");
	assert_derived(mikey_keys_3830_traffic(MIKEY_PRF_SHA1, view(&longer), 1, CSB, view(&rand_i)), MIKEY_C_TEK,
		"7786580fada5e25014906754d4d2f041");
}

static void rfc_3830_derives_message_keys_from_a_pre_shared_key(void **state)
{
	struct mikey_source s = mikey_keys_3830_message(MIKEY_PRF_SHA1, view(&psk), CSB, view(&rand_i));

	(void)state;
	assert_derived(s, MIKEY_C_ENCR, "8552026b4cab5bf0f219cfc8940cb58b");
	assert_derived(s, MIKEY_C_AUTH, "7f05161e6f548e7d57e621ae1095fe0056fdb469");
	assert_derived(s, MIKEY_C_SALT, "39d57eed5ea17ac0fa8a93b67e08");
}

static void rfc_6043_derives_traffic_keys_without_the_bundle(void **state)
{
	const struct bytes none = { NULL, 0 };
	struct mikey_source sha1 = mikey_keys_traffic(MIKEY_PRF_SHA1, view(&tgk), 1, view(&rand_i), view(&rand_r));
	struct mikey_source sha256 = mikey_keys_traffic(MIKEY_PRF_SHA256, view(&tgk), 1, view(&rand_i), view(&rand_r));

	(void)state;
	assert_derived(sha1, MIKEY_C_TEK, "01d834403e588033181f4dacc7f0347e");
	assert_derived(sha1, MIKEY_C_TGK_SALT, "96f87680c628a709ff95cdd83e60");
	assert_derived(sha256, MIKEY_C_TEK, "2588fa9aacea1e02c2eb35044fcf8c04");
	assert_derived(sha256, MIKEY_C_TGK_SALT, "8b594ec701652d0188f95b60f95d");
	assert_derived(mikey_keys_traffic(MIKEY_PRF_SHA1, view(&tgk), 1, view(&rand_i), none), MIKEY_C_TEK,
		"deaf177284d04252b70d4f6720adf7fe");
	assert_derived(mikey_keys_traffic(MIKEY_PRF_SHA256, view(&tgk), 1, view(&rand_i), none), MIKEY_C_TEK,
		"f367211e8d9f237d741024d21c7aacdb");
}

static void assert_forked(enum mikey_prf prf, const char *tgk_hex, const char *mpk_hex, const char *tek_hex)
{
	struct bytes idr = bytes_of("bob@example.com");
	struct mikey_source s = mikey_keys_forked(prf, view(&tgk), idr, view(&rand_kms));
	uint8_t forked[16];

	assert_derived(s, MIKEY_C_TGK_FORKED, tgk_hex);
	assert_derived(mikey_keys_forked(prf, view(&mpk), idr, view(&rand_kms)), MIKEY_C_MPKR_FORKED, mpk_hex);
	assert_true(mikey_keys_derive(&s, MIKEY_C_TGK_FORKED, forked, 16));
	assert_derived(mikey_keys_traffic(prf, (struct bytes){ forked, 16 }, 1, view(&rand_i), view(&rand_r)),
		MIKEY_C_TEK, tek_hex);
}

static void rfc_6043_forks_keys_for_who_answered(void **state)
{
	(void)state;
	assert_forked(MIKEY_PRF_SHA1, "d6fec67aeaa679dcfe95746a223e6fe6", "ae3006372fb6cd3c2cb98bc7e4c0cd4a",
		"fb275416a770164f2d84ea92f8d52ba6");
	assert_forked(MIKEY_PRF_SHA256, "600134e56a47300b1b487c7907a5a878", "943b61a9f20f36dcd68775ac03eee060",
		"1ccae9c6a5f9dd3250676d4109b5dcd6");
}

static void rfc_6043_derives_what_signs_a_transfer(void **state)
{
	const struct bytes none = { NULL, 0 };

	(void)state;
	assert_derived(mikey_keys_message(MIKEY_PRF_SHA1, view(&mpk), CSB, false, view(&rand_i), none), MIKEY_C_AUTH,
		"917d6534257cb8e66a0f868d63b1a20314a8e0db");
	assert_derived(mikey_keys_message(MIKEY_PRF_SHA256, view(&mpk), CSB, false, view(&rand_i), none), MIKEY_C_AUTH,
		"5a906af9404f91d6bc5a28468c1abcca78259362e94c333136ec9a941d41db5e");
}

/* Values that a public implementation of MIKEY publishes with its tests: SHA-256 with the labels of RFC 3830. */
static void published_values_of_another_implementation_come_out(void **state)
{
	struct octets ssv = octets_hex("a27b7d578eeb9b1ee7705e385996d300");
	struct octets rand = octets_hex("4339f62f55aac86348846a482c893802");
	struct mikey_source traffic = mikey_keys_3830_traffic(MIKEY_PRF_SHA256, view(&ssv), 4, 0x0633f457, view(&rand));
	struct mikey_source other = mikey_keys_3830_traffic(MIKEY_PRF_SHA256, view(&ssv), 4, 0x05a85c16, view(&rand));

	(void)state;
	assert_derived(traffic, MIKEY_C_TEK, "59aaa49ebb54813602b7cc165961b4e8");
	assert_derived(traffic, MIKEY_C_TGK_SALT, "745eb4df7d155c473114a799");
	assert_derived(other, MIKEY_C_TGK_ENCR, "3924935940c154ccbc3c2ad05c8f5181");
	assert_derived(other, MIKEY_C_TGK_SALT, "1725869b80f370cc9f24e13b");
}

/* Computed by another program: AES-CM (RFC 3830 4.2.3) and AES key wrap with the derived salt as its IV, of one TGK with an SPI. */
static const char sealed_cm[] = "8d39eff8a2321c20550a50948f10c3af41409a2a728ac2dc04";
static const char sealed_kw[] = "66dc1760ea59de3f95390f09f55926cf17ee03cd38567b0b0e1aad5dfc391192a7c4520088a59c1b";

static void assert_sealed(uint8_t encr, const char *hex)
{
	struct mikey_source s = mikey_keys_3830_message(MIKEY_PRF_SHA1, view(&psk), CSB, view(&rand_i));
	struct octets t = octets_hex("c8e350ea00000000"), spi = octets_hex("00000007"), sealed = octets_hex(hex);
	struct mikey_keys k = { .count = 0 }, seen;
	struct buf out = { 0 };
	struct err err;

	assert_non_null(mikey_keys_add(&k, MIKEY_TGK, view(&tgk), (struct bytes){ NULL, 0 }, view(&spi)));
	assert_true(mikey_keys_seal(&s, encr, CSB, t.at, &k, &out, &err));
	assert_octets(buf_bytes(&out), hex);
	assert_true(mikey_keys_open(&s, encr, CSB, t.at, view(&sealed), &seen, &err));
	assert_int_equal(seen.count, 1);
	assert_memory_equal(&seen.at[0], &k.at[0], sizeof(k.at[0]));
	buf_clear(&out);
}

static void keys_are_encrypted_as_another_program_does(void **state)
{
	(void)state;
	assert_sealed(MIKEY_ENCR_CM_128, sealed_cm);
	assert_sealed(MIKEY_ENCR_KW_128, sealed_kw);
}

/* The MAC of a pre-shared key message covers all before it (RFC 3830 5.2), computed likewise. */
static void a_pre_shared_key_message_is_verified(void **state)
{
	struct mikey_source s = mikey_keys_3830_message(MIKEY_PRF_SHA1, view(&psk), CSB, view(&rand_i));
	struct octets o = octets_hex("010005001122334400010b00c8e350ea000000000110101112131415161718191a1b1c1d1e1f00010"
				     "0198d39eff8a2321c20550a50948f10c3af41409a2a728ac2dc0401"
				     "380e8037ce2e3a60ed81e7fdc68e8420839c9503");
	struct err err;
	struct mikey m;

	(void)state;
	assert_true(mikey_decode(view(&o), &m, &err));
	assert_true(mikey_keys_verify_kemac(&m, &s, false));
	assert_false(mikey_keys_verify_kemac(&m, &s, true));
	o.at[12] ^= 1;
	assert_false(mikey_keys_verify_kemac(&m, &s, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3830_derives_traffic_keys_for_each_crypto_session),
		cmocka_unit_test(rfc_3830_derives_message_keys_from_a_pre_shared_key),
		cmocka_unit_test(rfc_6043_derives_traffic_keys_without_the_bundle),
		cmocka_unit_test(rfc_6043_forks_keys_for_who_answered),
		cmocka_unit_test(rfc_6043_derives_what_signs_a_transfer),
		cmocka_unit_test(published_values_of_another_implementation_come_out),
		cmocka_unit_test(keys_are_encrypted_as_another_program_does),
		cmocka_unit_test(a_pre_shared_key_message_is_verified),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
