/*
 * ask: keys that a pipeline wants, asked of the KMSs there are agreements with, while whoever reads waits. It opens no socket
 * before the first key is wanted of a KMS there is an agreement with.
 */
#ifndef OTWAY_CLI_ASK_H
#define OTWAY_CLI_ASK_H

#include "inside.h"
#include "otway/pipeline.h"

struct ask;

/* Reads the agreements from c->store. warrants: borrowed throughout. */
int ask_new(struct ask **out, struct cli *c, const struct warrant_set *warrants, struct err *err);
void ask_free(struct ask *a); /* closes every connection, wipes; NULL is fine */

/* True for the records that are for who asks, and nobody's evidence. */
bool ask_is_for(const struct record *r);

/*
 * Takes such a record. A wanted key is answered to the pipeline before this returns, by keys or by a reason: offline nothing is
 * lost by waiting. Each request is in the audit trail before it is sent. interrupted: looked at while it waits. -1: the trail
 * cannot be written, or somebody interrupted.
 */
int ask_record(struct ask *a, const struct record *r, struct pipeline *p, bool (*interrupted)(void), struct err *err);

#endif
