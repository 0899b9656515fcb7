/* fuzz_rtp: datagrams to a place of a call, each behind two octets of flags and length; with a key and every codec that has
 * rules of framing. */
#include <stdio.h>
#include <stdlib.h>

#include "otway/media.h"

static const char *const codecs[] = { "PCMU", "L16", "G729", "G723", "GSM", "iLBC", "AMR", "AMR-WB", "opus",
	"telephone-event", "CN", "H264", "H265", "VP8", "unknown" };

static void drain(struct media *m)
{
	const struct media_packet *p;
	const struct cover *covers;
	size_t count, octets = 0;

	while (media_next(m, &p, &covers, &count))
		for (size_t i = 0; i < p->media.len; i++)
			octets += p->media.at[i]; /* all of it must be there to read */
	(void)octets;
}

static void set_up(struct media *m, uint8_t flags)
{
	struct step *s = calloc(1, sizeof(*s));

	*s = (struct step){ .kind = STEP_COVER, .call = 1, .cover_count = 1, .covers = { { 1, 0, NSEC_EVER } } };
	media_step(m, s);
	s->kind = STEP_PLACE;
	s->place = (struct place){ .rtp = { .family = 4, .port = 4000 }, .rtcp_mux = true, .format_count = 15 };
	for (uint8_t i = 0; i < 15; i++) {
		s->place.formats[i] = (struct media_format){ .pt = i, .clock = 8000, .channels = 1 };
		snprintf(s->place.formats[i].name, sizeof(s->place.formats[i].name), "%s", codecs[i]);
	}
	media_step(m, s);
	s->kind = STEP_KEY;
	s->key.key.suite = (enum srtp_suite)(SUITE_UNSUPPORTED + 1 + (flags >> 2) % (SUITES - SUITE_UNSUPPORTED - 1));
	s->key.key.mki_len = flags >> 6;
	s->key.key.unauthenticated_srtp = flags >> 6 == 3;
	s->key.chosen = true;
	if ((flags & 3) == 0) /* seldom: what it costs is a search through all roll-over counters */
		media_step(m, s);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media *m = media_new(NULL);
	struct datagram d = { .at = NSEC_PER_SEC, .proto = IP_PROTO_UDP };

	if (m == NULL || size == 0)
		goto out;
	set_up(m, data[0]);
	d.flow.src = (struct addr){ .family = 4, .port = 4000, .ip = { 10 } };
	d.flow.dst = (struct addr){ .family = 4, .port = 4000 };
	for (size_t at = 1; at + 2 <= size;) {
		size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
		uint8_t *copy = malloc(len + 1);

		d.truncated = data[at] & 1;
		d.at += (nsec_t)(data[at] >> 1) * NSEC_PER_SEC / 50;
		if (copy == NULL)
			break;
		memcpy(copy, data + at + 2, len);
		d.packet = d.payload = (struct bytes){ copy, len };
		media_time(m, d.at);
		media_take(m, &d);
		drain(m);
		free(copy);
		at += 2 + len;
	}
	media_end(m);
	drain(m);
out:
	media_free(m);
	return 0;
}
