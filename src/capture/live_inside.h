/*
 * live_inside: what the files of live share: one interface that is listened on.
 */
#ifndef OTWAY_CAPTURE_LIVE_INSIDE_H
#define OTWAY_CAPTURE_LIVE_INSIDE_H

#include <net/if.h>

#include "otway/live.h"

struct tap {
	char name[IFNAMSIZ];
	struct pcap *handle; /* NULL: it is not open */
	int link;            /* LINKTYPE_ */
	nsec_t unit;         /* nanoseconds in a unit of its stamps' fractions */
	unsigned index;      /* of the interface that was opened, or that was there but could not be; 0: none was */
	bool broken;         /* its ring cannot be read on */
	uint64_t missed;     /* as last read */
};

/* Opens it as the i-th of those in o; look is a socket to ask the kernel through. */
int tap_open(struct tap *t, const struct live_options *o, size_t i, int look, struct err *err);
void tap_close(struct tap *t);

/* The number of the interface that bears this name now; 0: none does. */
unsigned tap_index(const struct tap *t, int look);

/* Whether the interface of this name is up, a cable in it and all. */
bool tap_up(const struct tap *t, int look);

/* Joins the fan-out group; what came in before that is thrown away, for others of the group have it. */
int tap_join(struct tap *t, uint16_t group, const struct live_options *o, struct err *err);

#endif
