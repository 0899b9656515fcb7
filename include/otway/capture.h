/*
 * capture: pcap and pcapng files (later: interfaces) → frames. Several files are merged in the order of time; between
 * equal times, in the order named. Reading is in big steps and never seeks, so that "-" is standard input. The two
 * formats are read in place, other formats by libpcap.
 */
#ifndef OTWAY_CAPTURE_H
#define OTWAY_CAPTURE_H

#include "otway/base/crypto.h"
#include "otway/base/err.h"
#include "otway/model/counter.h"
#include "otway/model/packet.h"

struct capture;

/* What is known of one file once it is read to its end. */
struct capture_file {
	const char *name;              /* as given, borrowed: names outlive the capture */
	uint8_t sha256[SHA256_LEN];    /* of the file's octets; valid with `hash` */
	uint64_t packets;
	nsec_t first, last;            /* the earliest and the latest; NSEC_NONE when it has none */
	bool cut;                      /* its last packet is not whole: that packet is lost, no other */
};

/*
 * Opens files for reading. With `hash` each is hashed as it is read. `known` tells which link types (LINKTYPE_ values)
 * the caller can read (decap_knows); NULL: any. Returns 0, or -1 with err: not there (EXIT_NOT_FOUND), a folder, empty,
 * compressed, no capture, or of a link type that is not known; the error names the file.
 */
int capture_open_files(struct capture **out, const char *const *names, size_t count, bool hash, bool (*known)(int link),
	struct err *err);
void capture_free(struct capture *c);

/*
 * The next frame, borrowed until the next call. 1: there is one; 0: the end of every file; -1 with err: a file
 * cannot be read on (a file that ends within a packet is not that: see `cut`; garbage within one is). After -1 the other
 * files can be read on.
 */
int capture_next(struct capture *c, struct frame *out, struct err *err);

/* Whole after the end: octets behind the last packet are read (and hashed) too. */
size_t capture_file_count(const struct capture *c);
const struct capture_file *capture_file(const struct capture *c, size_t i);

/* Octets read so far, for showing progress. */
uint64_t capture_octets(const struct capture *c);

/* "frames", "frames_cut", "capture_cut". Returns how many were written to out. */
size_t capture_counts(const struct capture *c, struct counter *out, size_t max);

#endif
