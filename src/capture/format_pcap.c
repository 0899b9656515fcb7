/* format_pcap: the format of old (draft-ietf-opsawg-pcap), micro- and nanoseconds, both byte orders. */
#include "format.h"

#define FILE_HEADER   24u
#define RECORD_HEADER 16u

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO  0xa1b23c4du

static enum format_got next(struct format *f, struct intake *in, struct frame *out)
{
	const uint8_t *p = intake_look(in, RECORD_HEADER);
	uint32_t len, wire;

	if (p == NULL)
		return intake_done(in) ? GOT_END : GOT_CUT;
	len = format_u32(f, p + 8);
	if (len > FORMAT_PACKET_MAX) {
		snprintf(f->why, sizeof(f->why), "a length of %u octets is no packet's", len);
		return GOT_BAD;
	}
	p = intake_look(in, RECORD_HEADER + len);
	if (p == NULL)
		return GOT_CUT;
	wire = format_u32(f, p + 12);
	out->at = (nsec_t)format_u32(f, p) * NSEC_PER_SEC + (nsec_t)format_u32(f, p + 4) * f->unit;
	out->bytes = (struct bytes){ p + RECORD_HEADER, len };
	out->wire_len = wire > len ? wire : len;
	intake_take(in, RECORD_HEADER + len);
	return GOT_FRAME;
}

int format_open_pcap(struct format *f, struct intake *in, struct err *err)
{
	static const struct format_kind kind = { .next = next };
	const uint8_t *p = intake_look(in, 4);
	struct interface only = { 0 };
	uint32_t magic = format_u32(f, p);

	f->swapped = magic == __builtin_bswap32(MAGIC_MICRO) || magic == __builtin_bswap32(MAGIC_NANO);
	magic = format_u32(f, p);
	if (magic != MAGIC_MICRO && magic != MAGIC_NANO)
		return 0;
	p = intake_look(in, FILE_HEADER);
	if (p == NULL)
		return err_set(err, "is no whole capture: it ends within its header");
	if (format_u16(f, p + 4) != 2 || format_u16(f, p + 6) != 4)
		return 0; /* of a version that swaps fields: libpcap knows which */
	f->kind = &kind;
	f->unit = magic == MAGIC_NANO ? 1 : 1000;
	only.link =
		format_link((int)(format_u32(f, p + 20) & 0x0fffffff)); /* above it: the length of a check sequence */
	intake_take(in, FILE_HEADER);
	return format_add_interface(f, &only) ? 1 : err_set(err, "out of memory");
}
