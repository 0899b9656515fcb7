/*
 * tcp: segments in any order, of any kind; and one stream whole and in pieces, which must tell the same. A record of the
 * first form: kind, how far from the place it should have (signed, in fours), length, octets.
 */
#include "segment.h"

#define START (UINT32_MAX - 100) /* the numbers wrap soon */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind { FLAGS = 7, SCTP = 8, LATER = 16, CUT = 32 };

static void records(struct framer *f, struct told *t, struct bytes in)
{
	uint32_t next = START;
	uint64_t sent = 0;
	nsec_t at = 0;

	while (in.len >= 4) {
		uint8_t kind = in.at[0];
		struct bytes payload = bytes_part(in, 4, be16(in.at + 2));
		uint32_t seq = next + (uint32_t)((int8_t)in.at[1] * 4);

		at += (kind & LATER) != 0 ? 2 * NSEC_PER_SEC : NSEC_PER_SEC / 1000;
		segment_send(f, t, (kind & SCTP) != 0 ? IP_PROTO_SCTP : IP_PROTO_TCP, (kind & SCTP) != 0 ? 1 : seq,
			kind & FLAGS, at, payload, (kind & CUT) != 0 ? 9 : 0);
		if ((kind & SCTP) == 0)
			next = seq + (uint32_t)payload.len;
		sent += payload.len;
		in = bytes_part(in, 4 + payload.len, SIZE_MAX);
	}
	framer_end(f);
	segment_listen(f, t);
	if (t->octets > sent * SEGMENT_PACKED)
		abort(); /* no octet twice */
}

/* False: it lost its place, and where it finds it again is a matter of how the segments were cut. */
static bool stream(struct told *t, struct bytes in, size_t step)
{
	static const char first[] = "OPTIONS sip:b@x SIP/2.0\r\nl: 0\r\n\r\n"; /* so that it is known for SIP */
	const uint32_t begin = START + sizeof(first) - 1;
	struct framer *f = framer_new();
	struct counter counts[FRAMER_COUNTS];
	size_t n;
	bool lost = false;

	segment_send(f, t, IP_PROTO_TCP, START, 16, 0, bytes_of(first), 0);
	for (size_t i = 0; i < in.len; i += step)
		segment_send(f, t, IP_PROTO_TCP, begin + (uint32_t)i, 16, 0, bytes_part(in, i, step), 0);
	n = framer_counts(f, counts, FRAMER_COUNTS);
	for (size_t i = 0; i < n; i++)
		lost |= counts[i].value > 0 &&
			(strcmp(counts[i].name, "tcp_resync") == 0 || strcmp(counts[i].name, "tcp_refused") == 0 ||
				strcmp(counts[i].name, "websocket") == 0);
	framer_free(f);
	return !lost;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = { 0 }, whole = { 0 };

	if (size < 2)
		return 0;
	if (data[0] == 'S') {
		struct bytes in = bytes_part((struct bytes){ data, size }, 2, 60000);

		if (stream(&told, in, (size_t)data[1] + 1) && stream(&whole, in, 60000) && told.hash != whole.hash)
			abort();
	} else {
		struct framer *f = framer_new();

		records(f, &told, (struct bytes){ data, size });
		framer_free(f);
	}
	return 0;
}
