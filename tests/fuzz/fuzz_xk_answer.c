/* xk: answers of a KMS, as a mediation function reads them. */
#include <stdlib.h>

#include "otway/xk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be written, and what is written reads as the same. */
static void check_answer(struct bytes in)
{
	struct buf first = { 0 }, second = { 0 };
	struct xk_answer a, again;

	if (xk_read_answer(in, &a, NULL) == 0) {
		if (xk_write_answer(&a, &first, NULL) != 0 || xk_read_answer(buf_bytes(&first), &again, NULL) != 0 ||
			xk_write_answer(&again, &second, NULL) != 0 ||
			!bytes_equal(buf_bytes(&first), buf_bytes(&second)))
			abort();
		xk_answer_clear(&again);
	}
	xk_answer_clear(&a);
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	char request[KEY_REQUEST_ID];
	struct buf out = { 0 };
	uint64_t purged;

	check_answer(in);
	if (xk_read_purged(in, request, &purged, NULL) == 0 && xk_write_purged(request, purged, &out, NULL) != 0)
		abort();
	buf_clear(&out);
	return 0;
}
