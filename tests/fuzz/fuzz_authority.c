/*
 * authority: what users send to a KMS, and what signalling gives the LI side to ask with. The first octet tells which: 0 and 1 a
 * user of Otway-Rees, of MIKEY; 2 and 3 the LI side with an offer behind its length in two octets, then the answer.
 */
#include <stdlib.h>

#include "../support/authority_scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct scene *s, enum key_mgmt protocol, struct bytes in)
{
	struct xk_request r = scene_request(s, '1', protocol, "sip:alice@example.com");
	struct xk_answer answer;
	size_t len = in.len < 2 ? 0 : be16(in.at), purged;

	r.offer = bytes_part(in, 2, len);
	r.answer = bytes_part(in, 2 + len, SIZE_MAX);
	if (authority_keys(s->kms, &r, "li", s->now, &answer, NULL) != 0 ||
		(answer.failure == XK_NONE) != (answer.key_count > 0))
		abort();
	if (authority_ended(s->kms, &r, "li", s->now, &purged, NULL) != 0)
		abort();
	/* What was reported ended is of no use. */
	r.request[0] = '2';
	if (authority_keys(s->kms, &r, "li", s->now, &answer, NULL) != 0 || answer.failure == XK_NONE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene s;
	struct bytes in = { data, size };
	struct buf out = { 0 };
	enum key_mgmt protocol;

	if (size == 0)
		return 0;
	protocol = data[0] & 1 ? KEY_MGMT_MIKEY : KEY_MGMT_OTWAY_REES;
	scene_begin(&s);
	if (data[0] & 2)
		ask(&s, protocol, bytes_part(in, 1, SIZE_MAX));
	else if (authority_user(s.kms, protocol, bytes_part(in, 1, SIZE_MAX), "user", s.now, &out, NULL) == 0 &&
		 out.len == 0)
		abort();
	buf_clear(&out);
	scene_end(&s);
	return 0;
}
