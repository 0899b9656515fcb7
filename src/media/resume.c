/* resume: what the next process must know of streams, given and taken as octets. */
#include "state.h"

bool media_state(struct media *m, struct buf *out)
{
	(void)m;
	(void)out;
	return false;
}

void media_resume(struct media *m, struct bytes state)
{
	(void)m;
	(void)state;
}

static nsec_t earlier(nsec_t a, nsec_t b)
{
	return a == NSEC_NONE || b < a ? b : a;
}

nsec_t media_oldest(const struct media *m)
{
	nsec_t oldest = NSEC_NONE;

	for (const struct call *c = m->calls; c != NULL; c = c->next) {
		const struct stream *s;
		size_t step = 0;

		while (c->oldest != NULL && (s = stream_next(c, &step)) != NULL)
			if (s->held.first != NULL)
				oldest = earlier(oldest, s->held.first->at);
	}
	return oldest;
}
