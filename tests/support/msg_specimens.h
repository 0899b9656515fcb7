/*
 * msg_specimens: one of each thing that messages carry, with something else in every member, so that none can stand for another.
 */
#ifndef OTWAY_TESTS_MSG_SPECIMENS_H
#define OTWAY_TESTS_MSG_SPECIMENS_H

#include "otway/model/msg.h"

/* All point at memory that lives as long as the program. */
void specimen_datagram(struct datagram *out);
void specimen_fragment(struct datagram *out); /* no payload */
void specimen_sip(struct record *out);
void specimen_event(struct record *out);
void specimen_call(struct record *out);
void specimen_media(struct record *out);      /* decrypted: clear octets of its own */
void specimen_media_bare(struct record *out); /* never encrypted: clear lies within the packet */
void specimen_cover(struct step *out);
void specimen_place(struct step *out);
void specimen_key(struct step *out);
void specimen_wanted(struct key_wanted *out);
void specimen_answer(struct key_answer *out);
void specimen_warrant(struct warrant *out);   /* its targets are nobody's to free */
void specimen_agreement(struct kms_agreement *out);
void specimen_gap(struct gap *out);

/* Message number i of all kinds, several of some: its body in out (emptied first). False: there is none of that number. */
bool specimen_message(size_t i, enum msg_type *type, struct buf *out);

#endif
