/*
 * format_pcapng: the format of today (draft-ietf-opsawg-pcapng). Every interface may have a link type and a unit of time
 * of its own, and every section a byte order.
 */
#include "format.h"

#include <stdlib.h>

#define BLOCK_SECTION   0x0a0d0d0au /* the same in both byte orders */
#define BLOCK_INTERFACE 1u
#define BLOCK_OLD       2u /* Packet Block, obsolete */
#define BLOCK_SIMPLE    3u
#define BLOCK_ENHANCED  6u
#define BYTE_ORDER_MARK 0x1a2b3c4du

#define BLOCK_MAX     (16u << 20) /* of those that are looked into */
#define INTERFACE_MAX 65536u

#define OPTION_END        0
#define OPTION_RESOLUTION 9
#define OPTION_OFFSET     14

/* A block that is all there, and its body. */
struct block {
	uint32_t type;
	struct bytes body;
};

static enum format_got bad(struct format *f, const char *why)
{
	snprintf(f->why, sizeof(f->why), "%s", why);
	return GOT_BAD;
}

static bool is_packet(uint32_t type)
{
	return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_OLD;
}

/* 4.1: the byte order is told by the section header itself, before its length can be read. */
static bool learn_order(struct format *f, const uint8_t *p)
{
	f->swapped = false;
	if (format_u32(f, p + 8) == BYTE_ORDER_MARK)
		return true;
	f->swapped = true;
	return format_u32(f, p + 8) == BYTE_ORDER_MARK;
}

/* Looks at the next block that matters, with `*len` octets to take after; others are skipped, of whatever length. */
static enum format_got look_block(struct format *f, struct intake *in, struct block *b, uint32_t *len)
{
	for (;;) {
		const uint8_t *p = intake_look(in, 12);

		if (p == NULL)
			return intake_done(in) ? GOT_END : GOT_CUT;
		if (format_u32(f, p) == BLOCK_SECTION && !learn_order(f, p))
			return bad(f, "a section of no known byte order");
		b->type = format_u32(f, p);
		*len = format_u32(f, p + 4);
		if (*len < 12 || *len % 4 != 0)
			return bad(f, "a block of an impossible length");
		if (is_packet(b->type) || b->type == BLOCK_SECTION || b->type == BLOCK_INTERFACE)
			break;
		if (!intake_skip(in, *len))
			return GOT_CUT;
	}
	if (*len > BLOCK_MAX)
		return bad(f, "a block of an impossible length");
	if (intake_look(in, *len) == NULL)
		return GOT_CUT;
	b->body = (struct bytes){ in->buffer + in->from + 8, *len - 12 };
	return format_u32(f, in->buffer + in->from + *len - 4) == *len ? GOT_FRAME
								       : bad(f, "a block whose two lengths differ");
}

/* 3.5: code, length, value, padded to 32 bits. */
static void read_options(const struct format *f, struct interface *i, struct bytes o)
{
	while (o.len >= 4) {
		uint16_t code = format_u16(f, o.at), len = format_u16(f, o.at + 2);

		if (code == OPTION_END || len > o.len - 4)
			return;
		if (code == OPTION_RESOLUTION && len == 1)
			i->resolution = o.at[4];
		if (code == OPTION_OFFSET && len == 8)
			i->offset = (int64_t)format_u64(f, o.at + 4);
		o = bytes_part(o, 4 + (len + 3u) / 4 * 4, o.len);
	}
}

/* Takes a section header or an interface description in. */
static enum format_got describe(struct format *f, const struct block *b)
{
	struct interface i = { .resolution = 6 };

	if (b->type == BLOCK_SECTION) {
		f->interface_count = 0;
		free(f->interfaces);
		f->interfaces = NULL;
		return b->body.len >= 16 ? GOT_FRAME : bad(f, "a section header too short");
	}
	if (b->body.len < 8)
		return bad(f, "an interface description too short");
	i.link = format_link(format_u16(f, b->body.at));
	i.snap = format_u32(f, b->body.at + 4);
	read_options(f, &i, bytes_part(b->body, 8, b->body.len));
	if (f->interface_count >= INTERFACE_MAX || !format_add_interface(f, &i))
		return bad(f, "more interfaces than can be");
	return GOT_FRAME;
}

/* 4.2, if_tsresol: a negative power of ten, or of two where the highest bit is set. */
static nsec_t stamp(const struct interface *i, uint64_t units)
{
	uint64_t sec, power = 1;
	unsigned exponent = i->resolution & 127;
	uint32_t nsec;

	if ((i->resolution & 128) != 0) {
		if (exponent > 63)
			return format_time(i->offset, 0);
		sec = units >> exponent;
		units &= (UINT64_C(1) << exponent) - 1;
		if (exponent > 32) /* more than the product below has room for */
			units >>= exponent - 32;
		nsec = (uint32_t)(units * (uint64_t)NSEC_PER_SEC >> (exponent > 32 ? 32 : exponent));
	} else {
		if (exponent > 19)
			return format_time(i->offset, 0);
		for (unsigned n = 0; n < exponent; n++)
			power *= 10;
		sec = units / power;
		nsec = (uint32_t)(exponent > 9 ? units % power / (power / (uint64_t)NSEC_PER_SEC)
					       : units % power * ((uint64_t)NSEC_PER_SEC / power));
	}
	if (sec > INT64_MAX / 2 || i->offset > INT64_MAX / 2 || i->offset < INT64_MIN / 2)
		return format_time(INT64_MAX, 0);
	return format_time((int64_t)sec + i->offset, nsec);
}

static enum format_got give(struct format *f, struct bytes data, uint32_t len, uint32_t wire, struct frame *out)
{
	if (len > data.len)
		return bad(f, "a packet longer than its block");
	out->at = f->last;
	out->bytes = (struct bytes){ data.at, len };
	out->wire_len = wire > len ? wire : len;
	return GOT_FRAME;
}

/* 4.3 and appendix A: the obsolete block differs in how it names the interface. */
static enum format_got give_stamped(struct format *f, const struct block *b, struct frame *out)
{
	const uint8_t *p = b->body.at;
	uint32_t which;

	if (b->body.len < 20)
		return bad(f, "a packet block too short");
	which = b->type == BLOCK_ENHANCED ? format_u32(f, p) : format_u16(f, p);
	if (which >= f->interface_count)
		return bad(f, "a packet of an interface that is not described");
	f->last = stamp(&f->interfaces[which], (uint64_t)format_u32(f, p + 4) << 32 | format_u32(f, p + 8));
	out->link = f->interfaces[which].link;
	return give(f, bytes_part(b->body, 20, b->body.len), format_u32(f, p + 12), format_u32(f, p + 16), out);
}

/* 4.4: of the first interface, without a stamp: it came no sooner than the packet before. */
static enum format_got give_simple(struct format *f, const struct block *b, struct frame *out)
{
	uint32_t wire, len;

	if (b->body.len < 4)
		return bad(f, "a packet block too short");
	if (f->interface_count == 0)
		return bad(f, "a packet of an interface that is not described");
	wire = len = format_u32(f, b->body.at);
	if (f->interfaces[0].snap != 0 && len > f->interfaces[0].snap)
		len = f->interfaces[0].snap;
	if (len > b->body.len - 4)
		len = (uint32_t)b->body.len - 4;
	out->link = f->interfaces[0].link;
	return give(f, bytes_part(b->body, 4, b->body.len), len, wire, out);
}

static enum format_got next(struct format *f, struct intake *in, struct frame *out)
{
	enum format_got got;
	struct block b;
	uint32_t len;

	while ((got = look_block(f, in, &b, &len)) == GOT_FRAME) {
		bool packet = is_packet(b.type);

		if (!packet)
			got = describe(f, &b);
		else
			got = b.type == BLOCK_SIMPLE ? give_simple(f, &b, out) : give_stamped(f, &b, out);
		if (got != GOT_FRAME)
			return got;
		intake_take(in, len);
		if (packet)
			return GOT_FRAME;
	}
	return got;
}

/* Reads up to the first packet: which links there are is known then. */
static enum format_got read_ahead(struct format *f, struct intake *in)
{
	enum format_got got;
	struct block b;
	uint32_t len;

	while ((got = look_block(f, in, &b, &len)) == GOT_FRAME && !is_packet(b.type)) {
		got = describe(f, &b);
		if (got != GOT_FRAME)
			return got;
		intake_take(in, len);
	}
	return got;
}

int format_open_pcapng(struct format *f, struct intake *in, struct err *err)
{
	static const struct format_kind kind = { .next = next };
	const uint8_t *p = intake_look(in, 4);
	uint32_t magic = format_u32(f, p);

	if (magic != BLOCK_SECTION)
		return 0;
	if (intake_look(in, 28) == NULL)
		return err_set(err, "is no whole capture: it ends within its header");
	f->kind = &kind;
	switch (read_ahead(f, in)) {
	case GOT_BAD:
		return err_set(err, "is no whole capture: %s", f->why);
	case GOT_CUT:
		return f->interface_count > 0 ? 1 : err_set(err, "is no whole capture: it ends within its header");
	default:
		return 1;
	}
}
