/* msg_parts: what messages of several files have in them. */
#ifndef OTWAY_MODEL_MSG_PARTS_H
#define OTWAY_MODEL_MSG_PARTS_H

#include "msg_octets.h"

/* msg_key.c */
void put_given(struct buf *out, const struct key_given *k);
void get_given(struct octets *in, struct key_given *k);

/* msg_media.c */
bool put_media(struct buf *out, const struct media_packet *m);
void get_media(struct octets *in, struct media_packet *m);

#endif
