/*
 * gap: time in which packets may be missing, and why. It is written into every interception that it may have touched, so that what is
 * not there is accounted for. A call whose set-up was among them is not known: then all of it is missing, behind `until` too.
 */
#ifndef OTWAY_MODEL_GAP_H
#define OTWAY_MODEL_GAP_H

#include "otway/base/nsec.h"

enum gap_reason {
	GAP_KERNEL,    /* the kernel's ring was full: packets tells how many it dropped */
	GAP_INTERFACE, /* the interface was down, or away */
	GAP_ROLE,      /* a process was restarted */
	GAP_QUEUE,     /* a process could not keep up with another, and bounded room was full */
	GAP_DISK,      /* what was delivered could not be written */
	GAP_CLOCK,     /* the clock jumped: from before it to behind it */
	GAP_STATE,     /* what was known of calls is lost: those that were under way at `from` are followed again from their next set-up
	                  only, and nobody knows when they are over: no `until` */
	GAP_REASONS
};
const char *gap_reason_text(enum gap_reason r); /* "kernel", "interface", "role", "queue", "disk", "clock", "state" */

#define GAP_WHERE 24
#define GAP_UNKNOWN UINT64_MAX

struct gap {
	nsec_t from, until;      /* until NSEC_NONE: it goes on; the same from, where and reason will tell its end */
	enum gap_reason reason;
	char where[GAP_WHERE];   /* "eth1", "intercept 0": an interface or a role; never anybody's name */
	uint64_t packets;        /* lost; GAP_UNKNOWN: nobody could count them */
};

#endif
