/*
 * port: messages between two roles, over one end of a SOCK_SEQPACKET socket pair. What is sent gathers and leaves together at the
 * end of the loop's turn. Nobody waits: what the other side does not take yet is kept, up to a bound.
 * Whoever made the pair keeps both ends open, so that what was sent to a process that died reaches the one that follows it.
 * A message is whole or not there; many lie in one datagram.
 */
#ifndef OTWAY_PORT_H
#define OTWAY_PORT_H

#include "otway/base/bytes.h"
#include "otway/loop.h"
#include "otway/model/msg.h"

struct port;

#define PORT_MESSAGE_MAX MSG_MAX

/* A message came; body is borrowed for the call. What is no message of ours never gets here: it is counted ("broken"). */
typedef void port_taken(void *arg, enum msg_type type, struct bytes body);

/* fd: taken over on success, and never waited for; queue_max: octets kept while the other side does not read. Not to be freed from within
 * `taken`, which may send and pause. */
int port_new(struct port **out, struct loop *l, int fd, size_t queue_max, port_taken *taken, void *arg, struct err *err);
void port_free(struct port *p); /* wipes what it has not sent */

/* False: there is no room, and nothing of it is sent: whoever loses a packet by it tells of a gap. */
bool port_send(struct port *p, enum msg_type type, struct bytes body);

/* Sends now what the other side takes; true when nothing is left. */
bool port_flush(struct port *p);
/* Sends all, waiting for the other side for at most `span`: at the end of a process. */
bool port_drain(struct port *p, nsec_t span);

size_t port_waiting(const struct port *p); /* octets not yet taken by the kernel */
uint64_t port_sent(const struct port *p); /* octets that have left: what waits comes behind them */

uint64_t port_broken(const struct port *p); /* datagrams that came and were none of ours; nothing of them was believed */
bool port_ended(const struct port *p);      /* every process that had the other end is gone: nothing is sent or comes any more */

/* Takes in nothing for now: the other side's queue fills, and it knows. */
void port_pause(struct port *p, bool paused);

/* A pair of ends with room for `octets` in the kernel (as far as it lets us); both close-on-exec. */
int port_pair(int fds[2], size_t octets, struct err *err);

#endif
