/*
 * sealer: RTP and RTCP in, SRTP and SRTCP out, by libsrtp2 as the sender (AES-192: sealer_192). A filter for tests: a line in, a line out.
 *   open NAME SUITE KEY ROC SSRC MKI FLAGS    KEY (with salt), SSRC and MKI in hex; MKI "-" for none
 *   rtp NAME HEX / rtcp NAME HEX              answers with the protected packet in hex
 * FLAGS: any of r (SRTP not encrypted), c (SRTCP not encrypted), u (SRTP not authenticated), or "-".
 */
#include "sealer_192.h"

#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDERS    256
#define PACKET_MAX 4096

struct sender {
	char name[64];
	srtp_t session;
	bool mki;
	bool own; /* by `aes192`, not by session */
	struct sealer_192 aes192;
};

struct suite {
	const char *name;
	void (*set)(srtp_crypto_policy_t *p);
};

static void null_32(srtp_crypto_policy_t *p)
{
	srtp_crypto_policy_set_null_cipher_hmac_sha1_80(p);
	p->auth_tag_len = 4;
}

static const struct suite suites[] = {
	{ "AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default },
	{ "AES_CM_128_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32 },
	{ "AES_256_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
	{ "AES_256_CM_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32 },
	{ "AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth },
	{ "AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth },
	{ "NULL_HMAC_SHA1_80", srtp_crypto_policy_set_null_cipher_hmac_sha1_80 },
	{ "NULL_HMAC_SHA1_32", null_32 },
};

static void die(const char *what, int status)
{
	fprintf(stderr, "sealer: %s (%d)\n", what, status);
	exit(1);
}

static size_t from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t count = strlen(text) / 2;

	if (count > size)
		die("too long", 0);
	for (size_t i = 0; i < count; i++) {
		unsigned octet;

		if (sscanf(text + 2 * i, "%2x", &octet) != 1)
			die("no hex", 0);
		out[i] = (uint8_t)octet;
	}
	return count;
}

static void policy_of(srtp_policy_t *policy, const char *suite, const char *flags)
{
	const struct suite *found = NULL;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (strcmp(suites[i].name, suite) == 0)
			found = &suites[i];
	if (found == NULL)
		die("no such suite", 0);
	memset(policy, 0, sizeof(*policy));
	found->set(&policy->rtp);
	found->set(&policy->rtcp);
	if (policy->rtcp.auth_tag_len == 4)
		policy->rtcp.auth_tag_len = 10; /* RFC 4568 6.2.2, RFC 6188 4: SRTCP has the long tag always */
	if (strchr(flags, 'r') != NULL)
		policy->rtp.sec_serv &= ~sec_serv_conf;
	if (strchr(flags, 'c') != NULL)
		policy->rtcp.sec_serv &= ~sec_serv_conf;
	if (strchr(flags, 'u') != NULL)
		policy->rtp.auth_tag_len = 0;
	policy->window_size = 1024;
	policy->allow_repeat_tx = 1;
}

static void open_sender(struct sender *s, char *args)
{
	char suite[64], key_hex[256], mki_hex[300], flags[16];
	uint8_t key[64], mki[128];
	unsigned roc, ssrc;
	srtp_policy_t policy;
	srtp_master_key_t master = { .key = key, .mki_id = mki };
	srtp_master_key_t *masters[] = { &master };
	srtp_err_status_t status;

	if (sscanf(args, "%63s %63s %255s %u %x %299s %15s", s->name, suite, key_hex, &roc, &ssrc, mki_hex, flags) != 7)
		die("open: wrong words", 0);
	from_hex(key_hex, key, sizeof(key));
	s->own = strncmp(suite, "AES_192_CM_HMAC_SHA1_", 21) == 0;
	if (s->own) {
		sealer_192_open(&s->aes192, key, roc, strcmp(suite + 21, "32") == 0 ? 4 : 10);
		return;
	}
	policy_of(&policy, suite, flags);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = ssrc;
	s->mki = strcmp(mki_hex, "-") != 0;
	if (s->mki) {
		master.mki_size = (unsigned)from_hex(mki_hex, mki, sizeof(mki));
		policy.keys = masters;
		policy.num_master_keys = 1;
	} else {
		policy.key = key;
	}
	status = srtp_create(&s->session, &policy);
	if (status == srtp_err_status_ok && roc > 0)
		status = srtp_set_stream_roc(s->session, ssrc, roc);
	if (status != srtp_err_status_ok)
		die("open", (int)status);
}

static void protect(struct sender *s, const char *hex, bool rtcp)
{
	uint8_t packet[PACKET_MAX + SRTP_MAX_TRAILER_LEN + SRTP_MAX_MKI_LEN] __attribute__((aligned(8)));
	int len = (int)from_hex(hex, packet, PACKET_MAX);
	srtp_err_status_t status = srtp_err_status_ok;

	if (s->own)
		len = (int)(rtcp ? sealer_192_rtcp : sealer_192_rtp)(&s->aes192, packet, (size_t)len);
	else if (rtcp)
		status = srtp_protect_rtcp_mki(s->session, packet, &len, s->mki, 0);
	else
		status = srtp_protect_mki(s->session, packet, &len, s->mki, 0);
	if (status != srtp_err_status_ok)
		die("protect", (int)status);
	for (int i = 0; i < len; i++)
		printf("%02x", packet[i]);
	printf("\n");
	fflush(stdout);
}

int main(void)
{
	static struct sender senders[SENDERS];
	static char line[2 * PACKET_MAX + 256];
	size_t count = 0;

	srtp_init();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *verb = strtok(line, " \n"), *rest = strtok(NULL, "\n"), *name, *hex;

		if (verb == NULL || rest == NULL)
			die("a line of one word", 0);
		if (strcmp(verb, "open") == 0) {
			if (count == SENDERS)
				die("too many senders", 0);
			open_sender(&senders[count++], rest);
			continue;
		}
		name = strtok(rest, " ");
		hex = strtok(NULL, " ");
		for (size_t i = 0; i < count && hex != NULL; i++)
			if (strcmp(senders[i].name, name) == 0)
				protect(&senders[i], hex, strcmp(verb, "rtcp") == 0);
	}
	for (size_t i = 0; i < count; i++)
		if (!senders[i].own)
			srtp_dealloc(senders[i].session);
	srtp_shutdown();
	return 0;
}
