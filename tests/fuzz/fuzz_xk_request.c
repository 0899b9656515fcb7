/* xk: requests of the LI side, as a KMS reads them. */
#include <stdlib.h>

#include "otway/xk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be written, and what is written reads as the same. */
static void check(struct bytes in, int (*from)(struct bytes, struct xk_request *, struct err *),
	int (*to)(const struct xk_request *, struct buf *, struct err *))
{
	struct buf first = { 0 }, second = { 0 };
	struct xk_request r, again;

	if (from(in, &r, NULL) != 0)
		return;
	if (to(&r, &first, NULL) == 0) { /* but where escapes make it longer than a body may be */
		if (from(buf_bytes(&first), &again, NULL) != 0 || to(&again, &second, NULL) != 0 ||
			!bytes_equal(buf_bytes(&first), buf_bytes(&second)))
			abort();
		xk_request_clear(&again);
	}
	xk_request_clear(&r);
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };

	check(in, xk_read_request, xk_write_request);
	check(in, xk_read_ended, xk_write_ended);
	return 0;
}
