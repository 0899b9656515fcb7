/* sip: one datagram, whole and as one that the capture cut. */
#include "otway/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip *sip;
	struct datagram in = { .proto = IP_PROTO_UDP, .packet = { data, size }, .payload = { data, size } };
	const struct sip_message *m;
	struct sip_esp esp[SIP_ESP_MAX];

	sip_security(&in, esp);
	if (sip == NULL)
		sip = sip_new("X-KMS");
	for (int cut = 0; cut < 2; cut++) {
		in.truncated = cut == 1;
		sip_take(sip, &in);
		while (sip_next(sip, &m))
			;
	}
	return 0;
}
