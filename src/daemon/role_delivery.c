/* role_delivery: not written yet. */
#include "role.h"

int role_delivery(struct role_start *start, struct err *err)
{
	(void)start;
	return err_set(err, "not built");
}
