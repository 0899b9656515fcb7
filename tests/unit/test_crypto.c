/* crypto: MACs, ciphers and key derivation, against the vectors that their standards publish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "otway/base/crypto.h"
#include "otway/base/text.h"

/* A vector, in hex. */
struct octets {
	uint8_t at[256];
	size_t len;
};

static struct octets octets(const char *hex)
{
	struct octets o = { .len = 0 };
	long len = text_unhex(bytes_of(hex), o.at, sizeof(o.at));

	assert_true(len >= 0);
	o.len = (size_t)len;
	return o;
}

static struct octets repeat(uint8_t octet, size_t len)
{
	struct octets o = { .len = len };

	memset(o.at, octet, len);
	return o;
}

static struct octets count_up(uint8_t from, size_t len)
{
	struct octets o = { .len = len };

	for (size_t i = 0; i < len; i++)
		o.at[i] = (uint8_t)(from + i);
	return o;
}

static struct bytes view(const struct octets *o)
{
	return (struct bytes){ o->at, o->len };
}

static void assert_octets(const void *seen, const char *hex)
{
	struct octets o = octets(hex);

	assert_memory_equal(seen, o.at, o.len);
}

static void assert_macs(const struct octets *key, struct bytes in, const char *sha1, const char *sha256)
{
	uint8_t seen[SHA256_LEN];

	assert_true(crypto_hmac_sha1(view(key), in, seen));
	assert_octets(seen, sha1);
	assert_true(crypto_hmac_sha256(view(key), in, seen));
	assert_octets(seen, sha256);
}

/* RFC 2202 3 and RFC 4231 4 use the same data for their cases 1 to 3. */
static void hmac_is_that_of_rfc_2202_and_rfc_4231(void **state)
{
	struct octets key = repeat(0x0b, 20), data = repeat(0xdd, 50);

	(void)state;
	assert_macs(&key, bytes_of("Hi There"), "b617318655057264e28bc0b6fb378c8ef146be00",
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	key.len = 4;
	memcpy(key.at, "Jefe", 4);
	assert_macs(&key, bytes_of("what do ya want for nothing?"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	key = repeat(0xaa, 20);
	assert_macs(&key, view(&data), "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
		"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

static void a_key_longer_than_a_block_is_hashed_first(void **state)
{
	struct bytes in = bytes_of("Test Using Larger Than Block-Size Key - Hash Key First");
	struct octets key = repeat(0xaa, 80);
	uint8_t seen[SHA256_LEN];

	(void)state;
	assert_true(crypto_hmac_sha1(view(&key), in, seen));
	assert_octets(seen, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
	key = repeat(0xaa, 131);
	assert_true(crypto_hmac_sha256(view(&key), in, seen));
	assert_octets(seen, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void a_mac_does_not_depend_on_where_its_input_is_cut(void **state)
{
	const struct bytes parts[] = { bytes_of("what do "), { NULL, 0 }, bytes_of("ya want for nothing"),
		bytes_of("?") };
	uint8_t seen[SHA256_LEN];

	(void)state;
	assert_true(crypto_hmac(CRYPTO_SHA256, bytes_of("Jefe"), parts, 4, seen));
	assert_octets(seen, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(crypto_hash_len(CRYPTO_SHA1), 20);
	assert_int_equal(crypto_hash_len(CRYPTO_SHA256), 32);
	/* An empty key and nothing to sign: the value that FIPS 198 implementations agree on. */
	assert_true(crypto_hmac(CRYPTO_SHA256, bytes_of(""), NULL, 0, seen));
	assert_octets(seen, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* FIPS 180-2 appendix A. */
static void sha_1_of_abc_is_that_of_its_standard(void **state)
{
	uint8_t seen[SHA1_LEN];

	(void)state;
	assert_true(crypto_sha1(bytes_of("abc"), seen));
	assert_octets(seen, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void hkdf_is_that_of_rfc_5869(void **state)
{
	struct octets secret = repeat(0x0b, 22), salt = count_up(0, 13), info = count_up(0xf0, 10);
	uint8_t seen[82];

	(void)state;
	assert_true(crypto_hkdf(view(&secret), view(&salt), view(&info), seen, 42)); /* A.1 */
	assert_octets(seen, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	assert_true(crypto_hkdf(view(&secret), bytes_of(""), bytes_of(""), seen, 42)); /* A.3 */
	assert_octets(seen, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
	secret = count_up(0, 80);
	salt = count_up(0x60, 80);
	info = count_up(0xb0, 80);
	assert_true(crypto_hkdf(view(&secret), view(&salt), view(&info), seen, 82)); /* A.2 */
	assert_octets(seen,
		"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
		"da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
	assert_false(crypto_hkdf(view(&secret), view(&salt), view(&info), seen, 255 * 32 + 1));
}

/* NIST SP 800-38A F.5.1 and F.5.5. */
static void counter_mode_is_that_of_sp_800_38a(void **state)
{
	static const char *const plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
					 "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
	struct octets in = octets(plain), block = count_up(0xf0, 16);
	struct octets short_key = octets("2b7e151628aed2a6abf7158809cf4f3c");
	struct octets long_key = octets("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
	uint8_t seen[64];

	(void)state;
	assert_true(crypto_aes_ctr(view(&short_key), block.at, view(&in), seen));
	assert_octets(seen, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
			    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee");
	assert_true(crypto_aes_ctr(view(&short_key), block.at, (struct bytes){ seen, 64 }, seen)); /* in place */
	assert_octets(seen, plain);
	assert_true(crypto_aes_ctr(view(&long_key), block.at, view(&in), seen));
	assert_octets(seen, "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
			    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
	assert_true(crypto_aes_ctr(view(&long_key), block.at, bytes_part(view(&in), 0, 5), seen)); /* no whole block */
	assert_octets(seen, "601ec31377");
	assert_true(crypto_aes_ctr(view(&long_key), block.at, bytes_of(""), seen));
	assert_false(crypto_aes_ctr(bytes_part(view(&long_key), 0, 24), block.at, view(&in), seen));
}

static void key_wrap_is_that_of_rfc_3394(void **state)
{
	struct octets kek = count_up(0, 16), data = octets("00112233445566778899aabbccddeeff"), wrapped;
	uint8_t seen[48];

	(void)state;
	assert_true(crypto_aes_wrap(view(&kek), NULL, view(&data), seen)); /* 4.1 */
	assert_octets(seen, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
	kek = count_up(0, 32);
	data = octets("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
	assert_true(crypto_aes_wrap(view(&kek), NULL, view(&data), seen)); /* 4.6 */
	assert_octets(seen, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
	wrapped = octets("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
	assert_true(crypto_aes_unwrap(view(&kek), NULL, view(&wrapped), seen));
	assert_memory_equal(seen, data.at, data.len);
}

static void what_was_wrapped_otherwise_does_not_unwrap(void **state)
{
	struct octets kek = count_up(0, 16), data = count_up(0x40, 24), wrapped = { .len = 32 };
	const uint8_t iv[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, nothing[24] = { 0 };
	uint8_t seen[48];

	(void)state;
	assert_true(crypto_aes_wrap(view(&kek), iv, view(&data), wrapped.at));
	assert_true(crypto_aes_unwrap(view(&kek), iv, view(&wrapped), seen));
	assert_memory_equal(seen, data.at, data.len);
	assert_false(crypto_aes_unwrap(view(&kek), NULL, view(&wrapped), seen));
	assert_memory_equal(seen, nothing, sizeof(nothing));
	wrapped.at[31] ^= 1;
	assert_false(crypto_aes_unwrap(view(&kek), iv, view(&wrapped), seen));
	assert_false(crypto_aes_wrap(view(&kek), iv, bytes_part(view(&data), 0, 8), seen));
	assert_false(crypto_aes_wrap(view(&kek), iv, bytes_part(view(&data), 0, 23), seen));
	assert_false(crypto_aes_unwrap(view(&kek), iv, bytes_part(view(&wrapped), 0, 16), seen));
	assert_false(crypto_aes_unwrap(view(&kek), iv, bytes_part(view(&wrapped), 0, 31), seen));
}

/* Test cases 4 and 16 of the GCM specification (McGrew and Viega), which NIST took over. */
static const char gcm_plain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const struct {
	const char *key, *sealed;
} gcm_cases[] = {
	{ "feffe9928665731c6d6a8f9467308308",
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b" },
};

static void gcm_is_that_of_its_specification(void **state)
{
	struct octets nonce = octets("cafebabefacedbaddecaf888"), in = octets(gcm_plain);
	struct octets aad = octets("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	uint8_t seen[80];

	(void)state;
	for (size_t i = 0; i < sizeof(gcm_cases) / sizeof(gcm_cases[0]); i++) {
		struct octets key = octets(gcm_cases[i].key), sealed = octets(gcm_cases[i].sealed);

		assert_true(crypto_gcm_seal(view(&key), nonce.at, view(&aad), view(&in), seen));
		assert_memory_equal(seen, sealed.at, sealed.len);
		assert_true(crypto_gcm_open(view(&key), nonce.at, view(&aad), view(&sealed), seen));
		assert_memory_equal(seen, in.at, in.len);
	}
}

static void gcm_opens_nothing_that_was_changed(void **state)
{
	struct octets nonce = octets("cafebabefacedbaddecaf888"), key = octets(gcm_cases[0].key);
	struct octets aad = octets("feedfacedeadbeeffeedfacedeadbeefabaddad2"), sealed = octets(gcm_cases[0].sealed);
	const uint8_t nothing[60] = { 0 };
	uint8_t seen[80];

	(void)state;
	for (size_t at = 0; at < sealed.len; at++) {
		sealed.at[at] ^= 0x40;
		assert_false(crypto_gcm_open(view(&key), nonce.at, view(&aad), view(&sealed), seen));
		assert_memory_equal(seen, nothing, sizeof(nothing));
		sealed.at[at] ^= 0x40;
	}
	aad.at[0] ^= 1;
	assert_false(crypto_gcm_open(view(&key), nonce.at, view(&aad), view(&sealed), seen));
	assert_false(crypto_gcm_open(view(&key), nonce.at, bytes_of(""), view(&sealed), seen));
	assert_false(crypto_gcm_open(view(&key), nonce.at, view(&aad), bytes_part(view(&sealed), 0, 15), seen));
	assert_false(crypto_gcm_open(bytes_part(view(&key), 0, 15), nonce.at, view(&aad), view(&sealed), seen));
}

/* Test case 1 of the same: nothing but a tag. */
static void gcm_seals_nothing_too(void **state)
{
	struct octets key = repeat(0, 16), nonce = repeat(0, 12), sealed = octets("58e2fccefa7e3061367f1d57a4e7455a");
	uint8_t seen[16];

	(void)state;
	assert_true(crypto_gcm_seal(view(&key), nonce.at, bytes_of(""), bytes_of(""), seen));
	assert_memory_equal(seen, sealed.at, sealed.len);
	assert_true(crypto_gcm_open(view(&key), nonce.at, bytes_of(""), view(&sealed), seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_is_that_of_rfc_2202_and_rfc_4231),
		cmocka_unit_test(a_key_longer_than_a_block_is_hashed_first),
		cmocka_unit_test(a_mac_does_not_depend_on_where_its_input_is_cut),
		cmocka_unit_test(sha_1_of_abc_is_that_of_its_standard),
		cmocka_unit_test(hkdf_is_that_of_rfc_5869),
		cmocka_unit_test(counter_mode_is_that_of_sp_800_38a),
		cmocka_unit_test(key_wrap_is_that_of_rfc_3394),
		cmocka_unit_test(what_was_wrapped_otherwise_does_not_unwrap),
		cmocka_unit_test(gcm_is_that_of_its_specification),
		cmocka_unit_test(gcm_opens_nothing_that_was_changed),
		cmocka_unit_test(gcm_seals_nothing_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
