/*
 * folder: records → case folders, one per warrant that covers something, made aside and put in place when whole.
 */
#ifndef OTWAY_FOLDER_H
#define OTWAY_FOLDER_H

#include "otway/base/crypto.h"
#include "otway/base/err.h"
#include "otway/model/counter.h"
#include "otway/model/record.h"

struct folder;

/* One capture file, for case.json's "inputs". */
struct folder_input {
	const char *name; /* base name */
	uint8_t sha256[SHA256_LEN];
	uint64_t packets;
	nsec_t first, last;
};

struct folder_result {
	uint32_t warrants;        /* that something was found for */
	uint32_t calls, events;   /* over all of them */
	uint32_t streams, sealed; /* streams; of them sealed, or with failed > 0 */
	uint64_t audio_failed;    /* calls whose voice is there and could not be made into sound */
};

/*
 * dir: the --out of decrypt; not there yet, or empty (else err). set is borrowed throughout. Nothing is made on disk
 * before the first record.
 */
int folder_new(struct folder **out, const char *dir, const struct warrant_set *set, struct err *err);

/* Takes off what was begun, unless folder_finish succeeded. NULL is fine. */
void folder_free(struct folder *f);

/* In: a record of a warrant of set, borrowed for the call. After -1 there is nothing left to do but folder_free. */
int folder_take(struct folder *f, const struct record *r, struct err *err);

/*
 * Writes every file, the manifests last, and puts the folder in place under its name; nothing at all when there was
 * no record. counters: of the whole run; what a warrant's own packets met is counted here and takes the place of a
 * counter of the same name ("signalling", "events", "rtp", "rtcp", "decrypted", "sealed", "duplicates", "forged", …).
 * Sound is decoded in confined processes that begin as copies of this one, so it may have no other thread; the keys
 * that the folder knew are wiped before, others may be by the caller.
 */
int folder_finish(struct folder *f, const struct folder_input *inputs, size_t input_count,
	const struct counter *counters, size_t counter_count, struct folder_result *out, struct err *err);

/* The name of a warrant's folder below dir: the LIID, with "/", "%", control octets and a leading "." as %XX. */
void folder_name(const char *liid, char out[3 * 25 + 1]);

#endif
