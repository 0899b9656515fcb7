/*
 * exchanges: what keys wants to be sent, over HTTP to the KMSs there are agreements with, and what came of it back to keys. A client for each
 * agreement, made when it is first needed: no socket is opened, and no name looked up, before that.
 */
#ifndef OTWAY_EXCHANGES_H
#define OTWAY_EXCHANGES_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"
#include "otway/model/agreement.h"

struct exchanges;
struct keys;
struct keys_out;
struct loop;

/* How a KMS can be spoken to. Of the files of ours that cannot be used `why` says which, and what to do. */
enum exchanges_trouble { EXCHANGES_FINE, EXCHANGES_FILES, EXCHANGES_UNTRUSTED };

struct exchanges_options {
	struct loop *loop;
	struct keys *keys;                /* gets every reply */
	void (*replied)(void *arg);       /* and then has something to do; from the loop alone */
	void (*trouble)(void *arg, uint32_t agreement, enum exchanges_trouble t, const char *why); /* another than before; NULL: nobody asks */
	void *arg;
	nsec_t again;                     /* files that could not be used are tried again after that; 0: never */
};

struct exchanges *exchanges_new(const struct exchanges_options *o); /* NULL: out of memory */
void exchanges_free(struct exchanges *e); /* closes every connection; before keys and the loop are freed. NULL is fine */

/* Begins an exchange; what cannot even begin is told to keys at once, as one that failed (its KMS as one that is not to be believed, where
 * our own files cannot be used). */
void exchanges_send(struct exchanges *e, const struct kms_agreement *with, uint64_t exchange, const char *path, struct bytes body, nsec_t timeout);

/* The table of agreements is another one: connections of those that are gone or are not the same any more are closed. */
void exchanges_agreements(struct exchanges *e, const struct kms_agreements *set);
/* Files may be others under their old names: all are closed, and read again when needed. */
void exchanges_renew(struct exchanges *e);
enum exchanges_trouble exchanges_trouble(const struct exchanges *e, uint32_t agreement);

/* What the trail has of a KEYS_TRACE, a JSON object; freed by the caller. NULL: out of memory. */
char *exchanges_detail(const struct keys_out *trace);

#endif
