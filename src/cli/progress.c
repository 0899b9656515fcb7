/* progress: how far the reading of captures is, on one line of a terminal that is taken off again. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_AFTER NSEC_PER_SEC
#define EVERY       (NSEC_PER_SEC / 5)

void progress_begin(struct progress *p, const struct cli *c, const char *const *files, size_t count)
{
	struct stat st;

	*p = (struct progress){ .wanted = !c->quiet && !c->json && isatty(STDERR_FILENO), .begun = nsec_now() };
	p->next = p->begun + FIRST_AFTER;
	for (size_t i = 0; p->wanted && i < count; i++) {
		if (stat(files[i], &st) < 0 || !S_ISREG(st.st_mode)) {
			p->total = 0;
			return;
		}
		p->total += (uint64_t)st.st_size;
	}
}

void progress_show(struct progress *p, uint64_t octets)
{
	nsec_t now;

	if (!p->wanted || (now = nsec_now()) < p->next)
		return;
	p->next = now + EVERY;
	p->shown = true;
	if (p->total > 0)
		fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " MiB read (%" PRIu64 " %%) ", octets >> 20, p->total >> 20,
			octets >= p->total ? 100 : octets * 100 / p->total);
	else
		fprintf(stderr, "\r%" PRIu64 " MiB read ", octets >> 20);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
