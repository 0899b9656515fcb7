/*
 * authority_scene: a KMS without socket and disk, whose memory is an array: users alice, bob, carol and dave of example.com, a
 * KMS sip:kms@example.com, and 2026-11-21 12:00:00 UTC.
 */
#ifndef AUTHORITY_SCENE_H
#define AUTHORITY_SCENE_H

#include "otway/authority.h"

#define SCENE_NOW     (INT64_C(1795262400) * NSEC_PER_SEC)
#define SCENE_RECORDS 200

enum { ALICE, BOB, CAROL, DAVE, SCENE_USERS };

struct stored {
	struct buf handle, run, call_id, a, b, r, secret;
	nsec_t made, until;
	bool purged;
};

struct logged {
	char act[16], request[KEY_REQUEST_ID], peer[32], warrant[32], outcome[32];
	size_t stored; /* how many records there were when it was written */
};

struct scene {
	struct kms_policy policy;
	struct authority *kms;
	nsec_t now;
	struct stored records[SCENE_RECORDS];
	size_t count, puts;
	struct logged log[SCENE_RECORDS];
	size_t logged;
	bool put_fails, log_fails, find_fails;
};

void scene_begin(struct scene *s);
void scene_end(struct scene *s);
/* Another KMS process on the same memory. */
void scene_restart(struct scene *s);
struct bytes scene_psk(const struct scene *s, int user);
void scene_answerer(struct scene *s, int user, const char *entry); /* user -1: the operator's */
/* The last line of the log. */
const struct logged *scene_last(const struct scene *s);
/* Records that were not purged. */
size_t scene_kept(const struct scene *s);

/* A request of the LI side for a target, under a warrant. */
struct xk_request scene_request(const struct scene *s, char number, enum key_mgmt protocol, const char *target);

#endif
