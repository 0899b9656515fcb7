/* format: which of the formats a file is in, and words for a file that is in none. */
#include "format.h"

#include <stdlib.h>

static int refuse(const struct intake *in, const uint8_t *begin, size_t len, struct err *err)
{
	static const struct {
		uint8_t begin[4], len;
		const char *how;
	} packed[] = {
		{ { 0x1f, 0x8b }, 2, "gzip -dc" },
		{ { 'B', 'Z', 'h' }, 3, "bzip2 -dc" },
		{ { 0xfd, '7', 'z', 'X' }, 4, "xz -dc" },
		{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, "zstd -dc" },
	};

	if (in->fault != 0)
		return err_set(err, "%s", strerror(in->fault));
	if (len == 0)
		return err_set(err, "is empty");
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (len >= packed[i].len && memcmp(begin, packed[i].begin, packed[i].len) == 0)
			return err_set(
				err, "is compressed; unpack it on the way: %s FILE | otway decrypt -", packed[i].how);
	return err_set(err, "is no capture: it begins neither as pcap nor as pcapng");
}

static int find(struct format *f, struct intake *in, struct err *err)
{
	static int (*const opens[])(struct format *, struct intake *, struct err *) = {
		format_open_pcap,
		format_open_pcapng,
		format_open_other,
	};
	uint8_t begin[4] = { 0 };
	size_t len;

	intake_fill(in, sizeof(begin));
	len = in->to < sizeof(begin) ? in->to : sizeof(begin);
	memcpy(begin, in->buffer, len);
	for (size_t i = 0; len == sizeof(begin) && i < sizeof(opens) / sizeof(opens[0]); i++) {
		int rc = opens[i](f, in, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return refuse(in, begin, len, err);
}

static int refuse_link(int link, struct err *err)
{
	const char *name = format_link_name(link);

	if (name == NULL)
		return err_set(err, "link type %d is not one that can be read", link);
	return err_set(err, "link type %s (%d) is not one that can be read", name, link);
}

int format_open(struct format *f, struct intake *in, bool (*known)(int link), struct err *err)
{
	*f = (struct format){ .last = 0 };
	if (find(f, in, err) < 0)
		return -1;
	for (size_t i = 0; i < f->interface_count; i++)
		if (known == NULL || known(f->interfaces[i].link))
			return 0;
	return f->interface_count > 0 ? refuse_link(f->interfaces[0].link, err) : 0;
}

void format_clear(struct format *f)
{
	if (f->kind != NULL && f->kind->clear != NULL)
		f->kind->clear(f);
	free(f->interfaces);
	*f = (struct format){ 0 };
}

bool format_add_interface(struct format *f, const struct interface *i)
{
	size_t n = f->interface_count;

	if ((n & (n - 1)) == 0) { /* 0 and the powers of two are full */
		struct interface *grown = realloc(f->interfaces, (n > 0 ? 2 * n : 1) * sizeof(*grown));

		if (grown == NULL)
			return false;
		f->interfaces = grown;
	}
	f->interfaces[f->interface_count++] = *i;
	return true;
}
