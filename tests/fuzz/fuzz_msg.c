/* msg: messages between roles: the first octet says of which kind the rest is. */
#include <stdlib.h>

#include "../support/msg_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = { data + 1, size > 0 ? size - 1 : 0 };
	struct buf out = { 0 };

	/* There is one way to write a message: what is read, written again, is the same octets. */
	if (size > 0 && msg_again(data[0], body, &out) && out.len > 0 && !bytes_equal(buf_bytes(&out), body))
		abort();
	buf_clear(&out);
	return 0;
}
