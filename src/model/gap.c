/* gap: its reasons in words. */
#include "otway/model/gap.h"

const char *gap_reason_text(enum gap_reason r)
{
	static const char *const texts[GAP_REASONS] = {
		[GAP_KERNEL] = "kernel",
		[GAP_INTERFACE] = "interface",
		[GAP_ROLE] = "role",
		[GAP_QUEUE] = "queue",
		[GAP_DISK] = "disk",
		[GAP_CLOCK] = "clock",
		[GAP_STATE] = "state",
	};

	return (unsigned int)r < GAP_REASONS ? texts[r] : NULL;
}
