/* sdp: the body of a message that is otherwise in order. */
#include <stdlib.h>

#include "otway/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] =
		"ACK sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
		"To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\n\r\n";
	static struct sip *sip;
	struct buf b = { 0 };
	struct datagram in = { .proto = IP_PROTO_UDP };
	const struct sip_message *m;

	if (sip == NULL)
		sip = sip_new(NULL);
	buf_text(&b, head);
	buf_add(&b, data, size);
	in.packet = in.payload = buf_bytes(&b);
	sip_take(sip, &in);
	if (!sip_next(sip, &m) || m->sdp.line_count > MEDIA_LINES)
		abort();
	sip_next(sip, &m);
	buf_clear(&b);
	return 0;
}
