/* websocket: a connection behind its handshake, in segments as long as the first octet says. */
#include "segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char handshake[] = "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
	struct bytes in = { data, size < 65000 ? size : 65000 };
	size_t step = size > 0 ? (size_t)data[0] * 8 + 1 : 1;
	struct framer *f = framer_new();
	struct told told = { 0 };

	segment_send(f, &told, IP_PROTO_TCP, 0, 16, 0, bytes_of(handshake), 0);
	for (size_t i = 1; i < in.len; i += step)
		segment_send(f, &told, IP_PROTO_TCP, (uint32_t)(sizeof(handshake) - 1 + i - 1), 16, 0,
			bytes_part(in, i, step), 0);
	framer_end(f);
	segment_listen(f, &told);
	if (told.octets > in.len * SEGMENT_PACKED)
		abort(); /* no octet twice */
	framer_free(f);
	return 0;
}
