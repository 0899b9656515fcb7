/*
 * mirror: is an interface fit to listen on, unnoticed? One that has an address, answers ARP, or speaks IPv6 would send packets by
 * itself. Needs CAP_NET_ADMIN to prepare; sends nothing.
 */
#ifndef OTWAY_MIRROR_H
#define OTWAY_MIRROR_H

#include <stdbool.h>

#include "otway/base/err.h"

/*
 * prepare false: EXIT_REFUSED, naming all that is wrong with it and the commands that mend it. prepare true: takes addresses off, puts ARP,
 * IPv6, multicast and what offload changes packets (GRO, LRO) off, promiscuous mode and the link on; then looks again. EXIT_NOT_FOUND: no such
 * interface. Never touches one that bears a default route: EXIT_REFUSED.
 */
int mirror_fit(const char *interface, bool prepare, struct err *err);

#endif
