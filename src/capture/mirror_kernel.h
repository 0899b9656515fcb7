/*
 * mirror_kernel: what the kernel knows of an interface, asked over rtnetlink(7) and the ethtool ioctl, and told.
 */
#ifndef OTWAY_CAPTURE_MIRROR_KERNEL_H
#define OTWAY_CAPTURE_MIRROR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

struct ways {
	bool address;    /* of IPv4 or IPv6 */
	bool route;      /* somebody made a route that leads out of it */
	bool by_default; /* that of everything else */
	bool port;       /* it is a port of a bridge, a bond or the like, which sends through it */
	bool stands_on;  /* another interface (a VLAN, a macvlan) sends through it */
};

/* False: the kernel could not be asked; errno tells. */
bool kernel_ways(unsigned index, struct ways *out);

/* Takes every address off. What stays is found by looking again. */
void kernel_no_address(unsigned index);

/* What offload makes one packet of several is on: GRO, LRO. Named as ethtool -K takes it: "gro off lro off". Empty: none is. */
void kernel_merges(int look, const char *name, char *words, size_t size);
void kernel_no_merge(int look, const char *name);

#endif
