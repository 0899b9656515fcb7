/*
 * pcapfile: a capture file as libpcap writes it: nanosecond stamps, raw IP packets (LINKTYPE_RAW).
 */
#ifndef DELIVERY_PCAPFILE_H
#define DELIVERY_PCAPFILE_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

#include "stage.h"

struct pcapfile;

/* path is copied. The file is made with its first packet, so that there is none without one. NULL: out of memory. */
struct pcapfile *pcapfile_new(struct stage *stage, const char *path);

/* The octets of a file's head, and of one packet with its own: for a file that grows, which anybody may read meanwhile. False: out of
 * memory. */
bool pcapfile_head(struct buf *out);
bool pcapfile_record(struct buf *out, nsec_t at, struct bytes packet);

/* One packet; what its own IP header says of its length counts as its length on the wire. */
int pcapfile_add(struct pcapfile *p, nsec_t at, struct bytes packet, struct err *err);

/* Closes and frees; *written: there is such a file now. */
int pcapfile_close(struct pcapfile *p, bool *written, struct err *err);

#endif
