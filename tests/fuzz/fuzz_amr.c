/* fuzz_amr: any payload as AMR and AMR-WB, in both layouts. */
#include <stdlib.h>

#include "../../src/delivery/amr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct amr_frame frames[AMR_FRAMES];

	for (int way = 0; way < 4; way++) {
		size_t count = amr_split((struct bytes){ data, size }, (way & 1) != 0, (way & 2) != 0, frames);

		for (size_t i = 0; i < count; i++)
			if (frames[i].len > AMR_FRAME_MAX)
				abort();
	}
	return 0;
}
