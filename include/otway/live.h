/*
 * live: frames of mirror ports, out of the kernel's ring (libpcap, TPACKET_V3; never in immediate mode), spread over processes by
 * PACKET_FANOUT. Handles are opened by live_new; after that the process may give up every privilege. Nothing is ever sent.
 */
#ifndef OTWAY_LIVE_H
#define OTWAY_LIVE_H

#include "otway/base/err.h"
#include "otway/model/packet.h"

struct live;

struct live_options {
	const char *const *interfaces;
	size_t count; /* interfaces */
	size_t ring;  /* octets of each one's ring */
	unsigned snaplen;
	nsec_t retire;  /* how long a block of the ring waits to be filled: how late a packet may be, at most */
	uint16_t group; /* of fan-out: the first interface's number, the next one's is one more; with processes > 1 */
	unsigned processes;      /* that share the traffic; 0 and 1: this one alone */
	bool (*known)(int link); /* LINKTYPE_ values that can be read (decap_knows); NULL: any */
};

/* So many numbers of fan-out groups in a row that nobody has in this network namespace. One asks, for all processes. */
#define LIVE_GROUPS 64
int live_groups(size_t count, uint16_t *first, struct err *err);

/*
 * Which of them cannot be opened, and why, and what to do. An interface that is not there (EXIT_NOT_FOUND), that is down or may not be
 * opened (EXIT_REFUSED), is an error; with `lenient` one that is not there or down is left out and LIVE_GONE. A process that joins the
 * group of another gets its share from then on; when one ends, the kernel gives its share to the others at once. Shared, opening takes
 * a few times `retire`, for each interface.
 */
int live_new(struct live **out, const struct live_options *o, bool lenient, struct err *err);
void live_free(struct live *l);

int live_fd(const struct live *l, size_t i); /* readable: live_take has something; -1: it is not open */

/* Hands over up to `max` frames of interface i (source is i); a frame is borrowed for the call. Returns how many; 0: none now.
 * -1: it went away or down; see live_state. */
typedef void live_frame(void *arg, const struct frame *f);
int live_take(struct live *l, size_t i, int max, live_frame *fn, void *arg);

/* What the kernel has dropped since the last call. Cheap, but a system call. */
uint64_t live_dropped(struct live *l, size_t i);
/* What the interface has lost since the last call before any process could have it, for want of buffers. The same for all processes
 * that share it: to be asked by one. */
uint64_t live_missed(struct live *l, size_t i);

enum live_state {
	LIVE_UP,
	LIVE_DOWN, /* switched off, or nothing at the other end of the cable: it comes back by itself */
	LIVE_GONE  /* or it has another name: only a new live_new can open it again */
};
enum live_state live_state(struct live *l, size_t i);
/* Of one that is gone: is one of its name there that a new live_new may open? Another than the one that went, or one that is up. */
bool live_returned(struct live *l, size_t i);

/*
 * System calls after live_new, all on descriptors that are open: poll; getsockopt (SOL_SOCKET SO_ERROR, SOL_PACKET PACKET_STATISTICS);
 * getsockname; ioctl (SIOCGIFINDEX, SIOCGIFFLAGS); lseek, read; and for live_free: munmap, setsockopt (PACKET_RX_RING), close.
 */

#endif
