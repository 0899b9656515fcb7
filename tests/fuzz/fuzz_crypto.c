/* crypto: the value of an a=crypto line. */
#include <stdlib.h>

#include "../../src/sip/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_crypto c;

	if (!sdes_parse((struct bytes){ data, size }, &c))
		return 0;
	for (size_t i = 0; i < c.key_count; i++) /* a key that is given is one of a suite that has keys */
		if (c.suite <= SUITE_UNSUPPORTED || c.keys[i].suite != c.suite || c.keys[i].mki_len > MKI_MAX)
			abort();
	return 0;
}
