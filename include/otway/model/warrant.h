/*
 * warrant: what a court ordered, as the pipeline needs it.
 */
#ifndef OTWAY_MODEL_WARRANT_H
#define OTWAY_MODEL_WARRANT_H

#include "otway/base/nsec.h"
#include "otway/model/identity.h"

#define LIID_MAX 25 /* printable ASCII octets (TS 102 232-1 5.2.2) */

enum warrant_scope { SCOPE_IRI = 1, SCOPE_CC = 2, SCOPE_ALL = 3 };
enum warrant_diverted { DIVERTED_CONTENT, DIVERTED_REPORT };

struct target {
	char *uri;          /* as entered */
	struct identity id; /* as compared */
};

struct warrant {
	uint32_t number;      /* local, from 1: what logs and messages between processes call it */
	char liid[LIID_MAX + 1];
	char *agency;
	char *authority;
	struct target *targets;
	size_t target_count;
	nsec_t from, until;   /* from <= t < until */
	enum warrant_scope scope;
	enum warrant_diverted diverted;
	bool trust_from;
	bool revoked;         /* and `until` is when, if that was before its end */
};

/* A whole table of warrants; it is replaced, never changed in place. */
struct warrant_set {
	struct warrant *all;
	size_t count;
};

/* In force at `at`: the packet's own time decides. */
bool warrant_in_force(const struct warrant *w, nsec_t at);

/* The warrant of that local number, or NULL. */
const struct warrant *warrant_find(const struct warrant_set *set, uint32_t number);

/* Appends a copy of w to set; false: out of memory. */
bool warrant_add(struct warrant_set *set, const struct warrant *w);

void warrant_clear(struct warrant *w);         /* wipes, in place */
void warrant_set_clear(struct warrant_set *s); /* wipes, in place */

/* "iri", "cc", "all"; "report", "content". False: none of them. */
const char *warrant_scope_text(enum warrant_scope s);
bool warrant_scope_parse(const char *text, enum warrant_scope *out);
const char *warrant_diverted_text(enum warrant_diverted d);
bool warrant_diverted_parse(const char *text, enum warrant_diverted *out);

/* 1 to 25 printable ASCII octets (space allowed inside). */
bool warrant_liid_valid(const char *liid);

#endif
