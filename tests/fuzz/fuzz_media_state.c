/* media: what is said to be known of streams, by octets of another process; then what goes on, and what is told of it again. */
#include <stdlib.h>

#include "otway/media.h"

static struct step *step_of(enum step_kind kind)
{
	struct step *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->kind = kind;
	s->call = s->place.call = s->key.call = 1;
	s->cover_count = 1;
	s->covers[0] = (struct cover){ 7, INT64_MIN + 1, NSEC_EVER };
	s->place.rtp = (struct addr){ .family = 4, .port = 5000, .ip = { 192, 0, 2, 2 } };
	s->place.rtcp_mux = s->place.answered = s->place.secure = true;
	s->key.toward = TOWARD_UNKNOWN;
	s->key.key = (struct srtp_key){ .suite = AES_CM_128_HMAC_SHA1_80, .source = KEY_SDES, .key = { 1 } };
	return s;
}

static void say(struct media *m, enum step_kind kind)
{
	struct step *s = step_of(kind);

	media_step(m, s);
	free(s);
}

static void take(struct media *m, uint16_t seq)
{
	uint8_t packet[28 + 60] = { 0x45 };
	struct datagram d = { .at = NSEC_PER_SEC * seq, .proto = IP_PROTO_UDP, .packet = { packet, sizeof(packet) } };
	const struct media_packet *p;
	const struct cover *covers;
	size_t count;

	d.flow.src = (struct addr){ .family = 4, .port = 4000, .ip = { 192, 0, 2, 1 } };
	d.flow.dst = (struct addr){ .family = 4, .port = 5000, .ip = { 192, 0, 2, 2 } };
	d.payload = (struct bytes){ packet + 28, sizeof(packet) - 28 };
	packet[28] = 0x80;
	put_be16(packet + 30, seq);
	packet[39] = 1;
	media_time(m, d.at);
	if (media_wants(m, &d))
		media_take(m, &d);
	while (media_next(m, &p, &covers, &count))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media *m = media_new(&(struct media_options){ .spill = true });
	struct buf out = { 0 };

	media_resume(m, (struct bytes){ data, size });
	say(m, STEP_COVER);
	say(m, STEP_PLACE);
	if (size % 4 == 0) /* seldom: what it costs is a search through roll-over counters */
		say(m, STEP_KEY);
	for (uint16_t i = 0; i < 4; i++)
		take(m, (uint16_t)(65534 + i));
	while (media_state(m, &out))
		;
	media_resume(m, buf_bytes(&out));
	media_end(m);
	take(m, 3);
	buf_clear(&out);
	media_free(m);
	return 0;
}
