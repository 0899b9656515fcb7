/*
 * cases: case folders that grow while calls run, one per warrant and period; what a process that is killed had taken in is found again by
 * the next one. The evidence of a finished call is what `otway decrypt` makes of the same packets.
 *
 *   DIR/LIID/2026-11-22T031500Z/           one period: a case folder as decrypt's; begun with its first record or gap
 *       case.json                          rewritten as calls go on; "period": {"from","until","open"}, "gaps": […]
 *       call-0001/signalling.pcap …        grow; audio.wav when the call has ended
 *       report.html MANIFEST.sha256        each time a call has ended, and when the period is closed
 *   DIR/.journal/                          what came in, until its period is closed: not evidence, nobody else's business
 *
 * Keys: none comes in but what stands in signalling as it was sent; records know keys by their prints (srtp_key_print). Files that grow have
 * every inline key removed; those of a finished call only what decrypt removes, the keys that opened something: what opened nothing may
 * yet open what stayed sealed. The journal is overwritten where signalling is in it, then removed.
 * MANIFEST.sha256 of an open period names what is final, so that it is true at any moment.
 */
#ifndef OTWAY_CASES_H
#define OTWAY_CASES_H

#include "otway/base/err.h"
#include "otway/model/counter.h"
#include "otway/model/gap.h"
#include "otway/model/record.h"

struct cases;

struct cases_options {
	const char *dir;        /* is there, and ours alone */
	uint64_t rotate_octets; /* a new period when one has so much; a call stays where it began. 0: never */
	nsec_t rotate_time;     /* or is so old; 0: never */
	nsec_t sync_every;      /* what came in is on the disk after that, at the latest */
	nsec_t settle;          /* a call is finished when it is over and nothing came for so long */
	uint64_t held_octets;   /* of packets that wait for keys, all together */
	uint32_t run;       /* another one each time otway is started: calls count from 1 again, older ones are over */
	size_t wait_octets; /* kept in memory while the disk is full; 0: 64 MiB */
};

/* Goes on with what it finds. Starts processes, and will start more: one that waits for the disk, and for a while each that make final files
 * of calls; so this process has no thread, and nothing of theirs is anybody else's to wait for (waitpid of any child). */
int cases_new(struct cases **out, const struct cases_options *o, struct err *err);
void cases_free(struct cases *c);

/* Numbers are taken over, of the directory and the run what was said first. */
void cases_set(struct cases *c, const struct cases_options *o);

/* The program that makes sound of what was sent (otway-decode), as it will be started. False: it is not where it should be. */
bool cases_decoder(char *out, size_t size);

/* The whole table of warrants that are known, replaced; copied. Records of others are refused, and what is newer than a revocation. */
int cases_warrants(struct cases *c, const struct warrant_set *set, struct err *err);

/* In: a record; one of signalling that came already (the same packet at the same moment) is passed over. On -1 (a full disk) it is kept in
 * memory as far as there is room, then accounted for as a gap; the next cases_time tries again. */
int cases_take(struct cases *c, const struct record *r, struct err *err);

/* Writes out what came in: from here on it outlives this process. cases_time does it too. -1: the disk is full. */
int cases_write(struct cases *c, struct err *err);

/* In: a gap, for every warrant that was in force then. */
int cases_gap(struct cases *c, const struct gap *g, struct err *err);

/* Packets that wait for keys: kept as they came, handed back in order. front: whose they are. */
int cases_held(struct cases *c, uint32_t front, uint32_t call, const struct datagram *d, struct err *err);
/* The next one of a call (UINT32_MAX: of any), which is forgotten then; false: no more. Borrowed until the next call on c. */
bool cases_held_back(struct cases *c, uint32_t front, uint32_t call, uint32_t *of, struct datagram *out);

/* Time goes on (the wall clock's): what is due is written, synced, finished, rotated. To be called some times a second; what came in before
 * such a call is beyond the reach of whatever becomes of this process, what came since is not. -1: the disk is full. */
int cases_time(struct cases *c, nsec_t now, struct err *err);

/* No more comes: open calls are finished as they are, periods closed, everything on the disk. That may take long: call cases_time until it
 * is done (true), or stop before: the next process of another run goes on. */
bool cases_ended(struct cases *c);
/* All that at once, waiting for it no longer than `span`. -1: it is not done. */
int cases_finish(struct cases *c, nsec_t now, nsec_t span, struct err *err);

/* What began or was finished since, for the audit trail, by local numbers. False: no more. */
struct cases_note {
	bool begun;             /* a folder; else a call was finished */
	uint32_t warrant, call; /* call: of its folder */
	nsec_t from;            /* when that period began */
};
bool cases_note(struct cases *c, struct cases_note *out);

/* "records", "records_again", "calls_open", "calls_finished", "held", "held_octets", "gaps", "waiting" …: open, held and waiting go up and
 * down. */
size_t cases_counts(const struct cases *c, struct counter *out, size_t max);

#endif
