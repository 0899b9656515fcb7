/*
 * multipart: the body of a message that is otherwise in order, of several parts; the first octet says of which kind it is
 * and whether it is said to be compressed.
 */
#include <stdlib.h>

#include "otway/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] =
		"ACK sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
		"To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n";
	static const char *const types[] = { "mixed", "related", "alternative", "signed" };
	static const char *const encodings[] = { "", "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n",
		"" };
	static struct sip *sip;
	struct buf b = { 0 };
	struct datagram in = { .proto = IP_PROTO_UDP };
	const struct sip_message *m;

	if (size == 0)
		return 0;
	if (sip == NULL)
		sip = sip_new(NULL);
	buf_printf(&b, "%sContent-Type: multipart/%s;boundary=\"b\"\r\n%s\r\n", head, types[data[0] % 4],
		encodings[data[0] / 4 % 4]);
	buf_add(&b, data + 1, size - 1);
	in.packet = in.payload = buf_bytes(&b);
	sip_take(sip, &in);
	if (!sip_next(sip, &m) || m->sdp.line_count > MEDIA_LINES || m->body.len > size - 1)
		abort();
	sip_next(sip, &m);
	buf_clear(&b);
	return 0;
}
