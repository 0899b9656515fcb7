/*
 * key_record: what a KMS keeps of a call's key, and what it writes of every use. Between its decisions and its disk.
 */
#ifndef OTWAY_MODEL_KEY_RECORD_H
#define OTWAY_MODEL_KEY_RECORD_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

/* One leg's key: what the authority needs to give it again, as octets of its own making (sealed whole). */
struct key_record {
	struct bytes handle;     /* unique: protocol, run or CSB ID, answering party */
	struct bytes run;        /* legs of one run share it */
	struct bytes call_id;    /* where it is known; else empty */
	struct bytes a, b, r;    /* parties: kept as keyed hashes, so that the file tells nobody who called whom */
	nsec_t made, until;      /* until: purged then */
	struct bytes secret;
};

/* An event of the KMS's own audit log: act, request id, peer, warrant reference, outcome. */
struct key_event {
	nsec_t at;
	const char *act;      /* "ticket", "resolve", "otway-rees", "xk-keys", "xk-ended", "purge" */
	const char *request, *peer, *warrant, *outcome;
};

#endif
