/*
 * srtp_vectors: the known answers of RFC 3711 B.2 and B.3, RFC 6188 7 and RFC 7714 16 and 17, and the engine against
 * them. Where the standard prints session keys, packets are made with those and opened by the master key, so that the
 * engine's own derivation is what is tested; where it prints packets only (RFC 7714), they hold the sender of the
 * tests, which then makes the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <srtp2/srtp.h>

#include "../../src/media/unseal.h"
#include "../support/srtp_sender.h"
#include "otway/base/text.h"

#define PACKET "8040f17b8041f8d35501a0b2"
#define GALLIA "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
#define REPORT                                                                                                         \
	"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

static size_t hex(const char *text, uint8_t *out, size_t max)
{
	long len = text_unhex(bytes_of(text), out, max);

	assert_true(len >= 0);
	return (size_t)len;
}

static void is_hex(const uint8_t *at, const char *text)
{
	uint8_t wanted[512];
	size_t len = hex(text, wanted, sizeof(wanted));

	assert_memory_equal(at, wanted, len);
}

static struct srtp_key key_of(enum srtp_suite suite, const char *key, const char *salt)
{
	struct srtp_key k = { .suite = suite, .source = KEY_SDES };

	assert_int_equal(hex(key, k.key, sizeof(k.key)), suite_facts(suite)->key);
	assert_int_equal(hex(salt, k.salt, sizeof(k.salt)), suite_facts(suite)->salt);
	return k;
}

static enum unseal_fate open_one(
	struct unseal *u, bool rtcp, uint64_t index, struct bytes in, uint8_t *out, size_t *len)
{
	struct unseal_packet p = { .with = u, .rtcp = rtcp, .index = index, .in = in, .out = out };

	unseal_batch(&p, 1);
	*len = p.out_len;
	return p.fate;
}

/* --- what the standards print --- */

static const struct {
	enum srtp_suite suite;
	const char *key, *salt, *cipher_key, *cipher_salt, *auth_key;
} derivations[] = {
	/* RFC 3711 B.3 */
	{ AES_CM_128_HMAC_SHA1_80, "e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6",
		"c61e7a93744f39ee10734afe3ff7a087", "30cbbc08863d8c85d49db34a9ae1",
		"cebe321f6ff7716b6fd4ab49af256a156d38baa4" },
	/* RFC 6188 7.2 and 7.4 */
	{ AES_256_CM_HMAC_SHA1_80, "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		"3b04803de51ee7c96423ab5b78d2", "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		"fa31791685ca444a9e07c6c64e93", "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05" },
	{ AES_192_CM_HMAC_SHA1_80, "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1", "c8522f3acd4ce86d5add78edbb11",
		"31874736a8f1143870c26e4857d8a5b2c4a354407faadabb", "2372b82d639b6d8503a47adc0a6c",
		"355b10973cd95b9eacf4061c7e1a7151e7cfbfcb" },
};

static void the_sender_of_the_tests_derives_what_the_standards_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
		struct srtp_key key = key_of(derivations[i].suite, derivations[i].key, derivations[i].salt);
		struct session_keys s;

		sender_derive(&key, 0, &s);
		is_hex(s.cipher, derivations[i].cipher_key);
		is_hex(s.salt, derivations[i].cipher_salt);
		is_hex(s.auth, derivations[i].auth_key);
	}
}

static void the_sender_of_the_tests_makes_the_printed_keystreams(void **state)
{
	static const struct {
		const char *key, *first, *at_ff00;
	} streams[] = {
		/* RFC 3711 B.2, RFC 6188 7.3 */
		{ "2b7e151628aed2a6abf7158809cf4f3c",
			"e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab",
			"362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44" },
		{ "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
			"35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a",
			"c8f57129fdeb970b59f917b257662d4ca5dab625811034e8cebdfeb6dc158dd3" },
	};
	static const uint8_t zeroes[0xff02 * 16];
	static uint8_t out[sizeof(zeroes)];

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		uint8_t key[32], block[16];
		size_t len = hex(streams[i].key, key, sizeof(key));

		hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000", block, sizeof(block));
		sender_counter(key, len, block, zeroes, sizeof(zeroes), out);
		is_hex(out, streams[i].first);
		is_hex(out + 0xff00 * 16, streams[i].at_ff00);
	}
}

static void the_sender_of_the_tests_makes_the_printed_gcm_packets(void **state)
{
	static const struct {
		size_t key_len;
		const char *iv, *aad, *plain, *sealed;
	} packets[] = {
		/* RFC 7714 16.1.1, 16.2.1: RTP; 16.1.3: tag only */
		{ 16, "51753c6580c2726f20718414", PACKET, GALLIA,
			"f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152"
			"cf765ee4390cce" },
		{ 32, "51753c6580c2726f20718414", PACKET, GALLIA,
			"32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9"
			"bb7878d7a76c13" },
		{ 16, "51753c6580c2726f20718414", PACKET GALLIA, "", "22493f82d2bce397e9d79e3b19aa4216" },
		/* RFC 7714 17.1, 17.2: RTCP; 17.3, 17.4: tag only */
		{ 16, "517524055203726f207170bb", "81c8000d4d617273800005d4",
			"4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
			"63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa4"
			"5896cf4d2fc5abf87245"
			"d9eade" },
		{ 32, "517524055203726f207170bb", "81c8000d4d617273800005d4",
			"4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
			"d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb3"
			"0c4446839f57ff6f6cb2"
			"6ac3be" },
		{ 16, "517524055203726f207170bb", REPORT "000005d4", "", "841dd9683dd78ec92ae58790125f62b3" },
		{ 32, "517524055203726f207170bb", REPORT "000005d4", "", "91db4afbfeee5a978fab4393ed2615fe" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		uint8_t key[32], iv[12], aad[256], plain[256], out[512];
		struct bytes a = { aad, hex(packets[i].aad, aad, sizeof(aad)) };
		struct bytes p = { plain, hex(packets[i].plain, plain, sizeof(plain)) };

		for (uint8_t j = 0; j < 32; j++)
			key[j] = j;
		hex(packets[i].iv, iv, sizeof(iv));
		sender_gcm(key, packets[i].key_len, iv, a, p, out);
		is_hex(out, packets[i].sealed);
	}
}

/* --- the engine --- */

static void a_packet_under_the_printed_session_keys_opens_by_the_master_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
		struct srtp_key key = key_of(derivations[i].suite, derivations[i].key, derivations[i].salt);
		struct session_keys s = { .cipher_len = suite_facts(key.suite)->key };
		uint8_t clear[64], sealed[128], out[128] __attribute__((aligned(8)));
		size_t clear_len = hex(PACKET GALLIA, clear, sizeof(clear)), len, out_len;
		struct unseal *u = unseal_new(&key);

		hex(derivations[i].cipher_key, s.cipher, sizeof(s.cipher));
		hex(derivations[i].cipher_salt, s.salt, sizeof(s.salt));
		hex(derivations[i].auth_key, s.auth, sizeof(s.auth));
		len = sender_rtp_with(&s, 0xf17b, (struct bytes){ clear, clear_len }, 10, sealed);
		assert_non_null(u);
		assert_int_equal(
			open_one(u, false, 0xf17b, (struct bytes){ sealed, len }, out, &out_len), UNSEAL_OPENED);
		assert_int_equal(out_len, clear_len);
		assert_memory_equal(out, clear, clear_len);
		unseal_free(u);
	}
}

static struct srtp_key any_key(enum srtp_suite suite, uint8_t seed)
{
	struct srtp_key k = { .suite = suite, .source = KEY_SDES };

	for (uint8_t i = 0; i < suite_facts(suite)->key; i++)
		k.key[i] = (uint8_t)(seed + 7 * i);
	for (uint8_t i = 0; i < suite_facts(suite)->salt; i++)
		k.salt[i] = (uint8_t)(seed ^ (31 * i));
	return k;
}

/* CSRCs, an extension, padding: whatever a header may have. */
static size_t rich_packet(uint16_t seq, uint8_t out[128])
{
	size_t len = hex("b26000000000a00055501234aaaaaaaabbbbbbbbbede000110ff0000", out, 128);

	put_be16(out + 2, seq);
	for (uint8_t i = 0; i < 40; i++)
		out[len++] = (uint8_t)(i * seq);
	out[len - 1] = 3;
	return len;
}

static void opens(struct unseal *u, const struct srtp_key *key, uint64_t index)
{
	uint8_t clear[128], sealed[512], out[512] __attribute__((aligned(8)));
	size_t clear_len = rich_packet((uint16_t)index, clear), out_len = 0;
	size_t len = sender_rtp(key, index, (struct bytes){ clear, clear_len }, sealed);

	assert_int_equal(open_one(u, false, index, (struct bytes){ sealed, len }, out, &out_len), UNSEAL_OPENED);
	assert_int_equal(out_len, clear_len);
	assert_memory_equal(out, clear, clear_len);
}

static const uint8_t mki_lengths[] = { 0, 1, 4, 128 };

static void every_suite_opens_with_mki_and_at_any_index_in_any_order(void **state)
{
	static const uint64_t indexes[] = { 70000, 65537, 65535, 3, 0, 3, 70000, 5ull << 16 | 40000, 5ull << 16 | 100,
		2ull << 16, 4096ull << 16 | 9, 0xffffffffull << 16 | 0xffff, 1, 0xffff, 0x8000, 0x8001, 0x7fff };

	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		for (size_t m = 0; m < sizeof(mki_lengths); m++) {
			struct srtp_key key = any_key((enum srtp_suite)suite, (uint8_t)(suite * 16));
			struct unseal *u;

			key.mki_len = mki_lengths[m];
			memset(key.mki, 0x5a, key.mki_len);
			u = unseal_new_for(&key, 0x55501234);
			assert_non_null(u);
			for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
				opens(u, &key, indexes[i]);
			unseal_free(u);
		}
	}
}

static void a_wrong_key_roll_over_octet_or_mki_opens_nothing(void **state)
{
	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		struct srtp_key key = any_key((enum srtp_suite)suite, 1), other = any_key((enum srtp_suite)suite, 2);
		uint8_t clear[128], sealed[512], copy[512], out[512] __attribute__((aligned(8)));
		size_t clear_len = rich_packet(77, clear), len, n;
		struct unseal *u, *wrong, *marked;

		len = sender_rtp(&key, 77, (struct bytes){ clear, clear_len }, sealed);
		memcpy(copy, sealed, len);
		u = unseal_new_for(&key, 0x55501234);
		wrong = unseal_new(&other);
		key.mki_len = 2;
		marked = unseal_new(&key);
		assert_int_equal(open_one(wrong, false, 77, (struct bytes){ sealed, len }, out, &n), UNSEAL_REFUSED);
		assert_int_equal(open_one(marked, false, 77, (struct bytes){ sealed, len }, out, &n), UNSEAL_REFUSED);
		assert_int_equal(
			open_one(u, false, 65536 + 77, (struct bytes){ sealed, len }, out, &n), UNSEAL_REFUSED);
		for (size_t at = 0; at < len; at++) {
			enum unseal_fate fate;

			copy[at] ^= 1;
			fate = open_one(u, false, be16(copy + 2), (struct bytes){ copy, len }, out, &n);
			assert_int_not_equal(fate, UNSEAL_OPENED);
			copy[at] ^= 1;
			assert_int_not_equal(
				open_one(u, false, 77, (struct bytes){ sealed, at }, out, &n), UNSEAL_OPENED);
		}
		/* and nothing of that spoiled the state */
		assert_int_equal(open_one(u, false, 77, (struct bytes){ sealed, len }, out, &n), UNSEAL_OPENED);
		unseal_free(u);
		unseal_free(wrong);
		unseal_free(marked);
	}
}

static void every_suite_opens_rtcp_with_the_e_bit_on_and_off(void **state)
{
	static const uint32_t indexes[] = { 0, 1, 500, 499, 2, 0x7fffffff, 1 };

	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		for (size_t m = 0; m < sizeof(mki_lengths); m++) {
			struct srtp_key key = any_key((enum srtp_suite)suite, (uint8_t)suite);
			uint8_t clear[128], sealed[512], out[512] __attribute__((aligned(8)));
			size_t clear_len = hex(REPORT, clear, sizeof(clear)), len, n;
			struct unseal *u;

			key.mki_len = mki_lengths[m];
			u = unseal_new(&key);
			for (size_t i = 0; i < 2 * sizeof(indexes) / sizeof(indexes[0]); i++) {
				struct unseal_packet p = { .with = u, .rtcp = true, .out = out };

				len = sender_rtcp(
					&key, indexes[i / 2], i % 2, (struct bytes){ clear, clear_len }, sealed);
				p.in = (struct bytes){ sealed, len };
				unseal_batch(&p, 1);
				assert_int_equal(p.fate, UNSEAL_OPENED);
				assert_int_equal(p.out_len, clear_len);
				assert_memory_equal(out, clear, clear_len);
				assert_int_equal(p.rtcp_index, indexes[i / 2]);
			}
			sealed[20] ^= 1;
			assert_int_not_equal(
				open_one(u, true, 0, (struct bytes){ sealed, len }, out, &n), UNSEAL_OPENED);
			unseal_free(u);
		}
	}
}

static void a_key_serves_rtcp_first_and_rtp_at_a_later_roll_over(void **state)
{
	(void)state;
	for (int flag = 0; flag < 2; flag++) {
		struct srtp_key key = any_key(AES_CM_128_HMAC_SHA1_80, 9);
		uint8_t clear[128], sealed[512], out[512] __attribute__((aligned(8)));
		size_t clear_len = hex(REPORT, clear, sizeof(clear)), len, n;
		struct unseal *u = unseal_new(&key);

		put_be32(clear + 4, 0x55501234);
		len = sender_rtcp(&key, 3, flag, (struct bytes){ clear, clear_len }, sealed);
		assert_int_equal(open_one(u, true, 0, (struct bytes){ sealed, len }, out, &n), UNSEAL_OPENED);
		opens(u, &key, 3ull << 16 | 7);
		opens(u, &key, 8);
		unseal_free(u);
	}
}

static void session_parameters_are_honoured(void **state)
{
	struct srtp_key key = any_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct unseal *u;

	(void)state;
	key.unencrypted_srtp = true;
	u = unseal_new(&key);
	opens(u, &key, 5);
	unseal_free(u);
	key = any_key(AES_CM_128_HMAC_SHA1_32, 3);
	key.unauthenticated_srtp = true;
	assert_false(unseal_proves(&key));
	u = unseal_new(&key);
	opens(u, &key, 5);
	unseal_free(u);
}

/* libsrtp2 as the sender: what the field sends. Its MKI of AEAD lies where the library puts it. */
static void what_libsrtp_sends_opens(void **state)
{
	(void)state;
	srtp_init();
	for (int suite = AES_CM_128_HMAC_SHA1_80; suite <= AEAD_AES_256_GCM; suite++) {
		struct srtp_key key = any_key((enum srtp_suite)suite, 40);
		const struct suite_facts *f = suite_facts(key.suite);
		uint8_t material[46], mki[4] = { 0, 0, 0, 1 }, packet[512], clear[128],
				      out[512] __attribute__((aligned(8)));
		srtp_master_key_t master = { .key = material, .mki_id = mki, .mki_size = 4 };
		srtp_master_key_t *masters[1] = { &master };
		srtp_policy_t policy = {
			.ssrc = { ssrc_any_outbound, 0 }, .keys = masters, .num_master_keys = 1, .window_size = 128
		};
		void (*const set[])(srtp_crypto_policy_t *) = { srtp_crypto_policy_set_rtp_default,
			srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_192_hmac_sha1_80,
			srtp_crypto_policy_set_aes_cm_192_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
			srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32, srtp_crypto_policy_set_aes_gcm_128_16_auth,
			srtp_crypto_policy_set_aes_gcm_256_16_auth };
		srtp_t s;

		memcpy(material, key.key, f->key);
		memcpy(material + f->key, key.salt, f->salt);
		set[suite - AES_CM_128_HMAC_SHA1_80](&policy.rtp);
		set[(suite - AES_CM_128_HMAC_SHA1_80) & ~(f->aead ? 0 : 1)](&policy.rtcp); /* tag of 80 bits */
		assert_int_equal(srtp_create(&s, &policy), srtp_err_status_ok);
		for (int with_mki = 0; with_mki < 2; with_mki++) {
			int len = (int)rich_packet((uint16_t)(9 + with_mki), clear);
			size_t clear_len = (size_t)len, n;
			struct unseal *u;

			key.mki_len = with_mki ? 4 : 0;
			memcpy(key.mki, mki, 4);
			u = unseal_new(&key);
			memcpy(packet, clear, (size_t)len);
			assert_int_equal(
				srtp_protect_mki(s, packet, &len, (unsigned int)with_mki, 0), srtp_err_status_ok);
			assert_int_equal(open_one(u, false, (uint64_t)(9 + with_mki),
						 (struct bytes){ packet, (size_t)len }, out, &n),
				UNSEAL_OPENED);
			assert_int_equal(n, clear_len);
			assert_memory_equal(out, clear, n);
			len = (int)hex(REPORT, clear, sizeof(clear));
			put_be32(clear + 4, 0x55501234);
			clear_len = (size_t)len;
			memcpy(packet, clear, (size_t)len);
			assert_int_equal(
				srtp_protect_rtcp_mki(s, packet, &len, (unsigned int)with_mki, 0), srtp_err_status_ok);
			assert_int_equal(
				open_one(u, true, 0, (struct bytes){ packet, (size_t)len }, out, &n), UNSEAL_OPENED);
			assert_memory_equal(out, clear, clear_len);
			unseal_free(u);
		}
		srtp_dealloc(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sender_of_the_tests_derives_what_the_standards_print),
		cmocka_unit_test(the_sender_of_the_tests_makes_the_printed_keystreams),
		cmocka_unit_test(the_sender_of_the_tests_makes_the_printed_gcm_packets),
		cmocka_unit_test(a_packet_under_the_printed_session_keys_opens_by_the_master_key),
		cmocka_unit_test(every_suite_opens_with_mki_and_at_any_index_in_any_order),
		cmocka_unit_test(a_wrong_key_roll_over_octet_or_mki_opens_nothing),
		cmocka_unit_test(every_suite_opens_rtcp_with_the_e_bit_on_and_off),
		cmocka_unit_test(a_key_serves_rtcp_first_and_rtp_at_a_later_roll_over),
		cmocka_unit_test(session_parameters_are_honoured),
		cmocka_unit_test(what_libsrtp_sends_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
