/* fuzz_blot: keys taken out of any octets; nothing but base64 may change, and a second time nothing at all. */
#include <stdlib.h>

#include "../../src/delivery/blot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *text = malloc(size > 0 ? size : 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	blot_keys(text, size, NULL, true);
	for (size_t i = 0; i < size; i++)
		if (text[i] != data[i] && text[i] != '*')
			abort();
	if (blot_keys(text, size, NULL, true) != 0)
		abort();
	blot_message(text, size, NULL, true); /* and in what is coded */
	free(text);
	return 0;
}
