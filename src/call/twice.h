/*
 * twice: messages that a mirror shows twice. The same octets on the same flow within 50 ms; a sender repeats itself
 * after 500 ms at the earliest (RFC 3261 17.1.1.1, T1), and that is a message of its own.
 */
#ifndef OTWAY_CALL_TWICE_H
#define OTWAY_CALL_TWICE_H

#include "otway/model/sip_message.h"

struct twice;

struct twice *twice_new(void); /* NULL: out of memory */
void twice_free(struct twice *t);

/* True when m came before; else it is remembered. Octets decide, not a hash alone. */
bool twice_seen(struct twice *t, const struct sip_message *m);

/* Forgets what is too old to matter. */
void twice_time(struct twice *t, nsec_t at);

#endif
