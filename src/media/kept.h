/*
 * kept: the octets that say what is known of a call and its streams, for whoever follows. kept.c writes them, resume.c reads them.
 */
#ifndef OTWAY_MEDIA_KEPT_H
#define OTWAY_MEDIA_KEPT_H

#include "otway/model/srtp_key.h"

#define KEPT_VERSION 1
#define KEPT_HEAD    8 /* octets of number and length */

enum kept_call { CALL_AWAY = 1, CALL_DTLS = 2 };
enum kept_stream {
	STREAM_RTCP = 1,
	STREAM_SHOWN = 2,
	STREAM_LEARNED = 4,
	STREAM_LATE = 8,
	STREAM_BASED = 16,
	STREAM_AUTHENTICATED = 32
};

/* What a key is known by: of no use for opening anything. */
void kept_print(const struct srtp_key *key, uint8_t out[KEY_PRINT]);

#endif
