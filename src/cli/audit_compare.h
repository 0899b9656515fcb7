/*
 * audit_compare: our trail beside those of the KMSs that were asked.
 */
#ifndef OTWAY_CLI_AUDIT_COMPARE_H
#define OTWAY_CLI_AUDIT_COMPARE_H

#include <stdint.h>

struct cli;
struct err;

struct audit_compared {
	uint64_t same;    /* requests that both trails tell alike */
	uint64_t unheard; /* of ours, whose answer never came */
	uint64_t foreign; /* of a KMS's trail: under warrants that are not ours */
};

/*
 * --kms-log FILE…: every answer in our trail stands under its request's id in one of the files with the same outcome, every
 * request there under a warrant of ours stands in our trail, and no keys were given there that our trail tells otherwise of: else
 * EXIT_INTEGRITY, naming the request.
 */
int audit_compare(struct cli *c, struct audit_compared *out, struct err *err);

#endif
