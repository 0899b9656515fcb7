/* held_record: records as they are put aside, and read back with every length checked. */
#include "holdings.h"

bool holding_message(const struct spooled *in, struct spooled_message *out, struct bytes *packet)
{
	if (in->bytes.len < sizeof(*out))
		return false;
	memcpy(out, in->bytes.at, sizeof(*out));
	*packet = bytes_part(in->bytes, sizeof(*out), in->bytes.len);
	return (uint64_t)out->payload_at + out->payload_len <= packet->len;
}

bool holding_media(const struct spooled *in, struct spooled_media *out, struct bytes *packet, struct bytes *clear)
{
	if (in->bytes.len < sizeof(*out))
		return false;
	memcpy(out, in->bytes.at, sizeof(*out));
	if (in->bytes.len - sizeof(*out) != (uint64_t)out->packet_len + out->clear_len ||
		(uint64_t)out->payload_at + out->payload_len > out->packet_len)
		return false;
	*packet = bytes_part(in->bytes, sizeof(*out), out->packet_len);
	*clear = out->clear_len > 0 ? bytes_part(in->bytes, sizeof(*out) + out->packet_len, out->clear_len)
				    : bytes_part(*packet, out->payload_at, out->payload_len);
	return (uint64_t)out->media_at + out->media_len <= clear->len;
}

bool holding_place(struct bytes whole, struct bytes part, uint32_t *at, uint32_t *len)
{
	uintptr_t from = (uintptr_t)part.at - (uintptr_t)whole.at;

	*at = 0;
	*len = 0;
	if (part.at == NULL || part.at < whole.at || from > whole.len || part.len > whole.len - from)
		return false;
	*at = (uint32_t)from;
	*len = (uint32_t)part.len;
	return true;
}
