/* otway_rees: a message, and an envelope of it. */
#include <stdlib.h>

#include "otway/otway_rees.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[OR_KEY];
	struct bytes in = { data, size };
	struct buf out = { 0 };
	struct or_sealed sealed;
	struct or_message m, again;

	if (or_read(in, &m, NULL) != 0)
		return 0;
	/* What is read can be written, and reads as the same: only fields of a later version are lost. */
	if (or_write(&m, &out, NULL) != 0 || out.len > size || or_read(buf_bytes(&out), &again, NULL) != 0 ||
		!bytes_equal(m.policy_octets, again.policy_octets) || m.session_count != again.session_count)
		abort();
	or_open(&m, key, (uint8_t)(m.type > 4 ? 1 : m.type), m.envelope_a, &sealed);
	buf_clear(&out);
	return 0;
}
