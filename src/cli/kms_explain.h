/*
 * kms_explain: what the files of `otway kms explain` share.
 */
#ifndef OTWAY_CLI_KMS_EXPLAIN_H
#define OTWAY_CLI_KMS_EXPLAIN_H

#include "inside.h"
#include "otway/mikey.h"

/* Where a message was found. */
struct explain_place {
	nsec_t at;        /* NSEC_NONE: not in a capture */
	const char *what; /* "INVITE", "200 to INVITE", "UDP"; NULL: not in a capture */
	int line;         /* m-line, from 1; 0: it holds for all */
};

/* kms_explain_print.c: one message, of a capture with its identities hidden; what does not decode is told, and why. False: it did
 * not. */
bool explain_print(const struct cli *c, const struct explain_place *place, struct bytes octets);

/* kms_explain_rees.c: the same of the Otway-Rees profile, always of a capture. */
bool explain_rees(const struct cli *c, const struct explain_place *place, struct bytes octets);

/* kms_explain_hide.c: the octets of m with the user part of every identity but a KMS's overwritten; copy holds as many. */
void explain_hide(const struct mikey *m, uint8_t *copy);

/* kms_explain_capture.c: each a=key-mgmt of each SIP message, and MIKEY at its own port. How many; -1: no capture. */
long explain_capture(struct cli *c, const char *path, struct err *err);

#endif
