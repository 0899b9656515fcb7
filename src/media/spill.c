/* spill: packets beyond what a call may hold go out to be kept elsewhere, and come back when they can be decided. */
#include "state.h"

bool media_held_wanted(struct media *m, uint32_t *call)
{
	(void)m;
	(void)call;
	return false;
}

void media_held(struct media *m, uint32_t call, const struct datagram *in)
{
	(void)m;
	(void)call;
	(void)in;
}

void media_held_end(struct media *m, uint32_t call)
{
	(void)m;
	(void)call;
}
