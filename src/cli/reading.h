/*
 * reading: captures through the pipeline, for decrypt and explain.
 */
#ifndef OTWAY_CLI_READING_H
#define OTWAY_CLI_READING_H

#include "ask.h"
#include "file_keys.h"
#include "otway/capture.h"
#include "otway/pipeline.h"

#define READING_COUNTERS 128

struct reading {
	struct warrant_set warrants;
	struct file_keys keys;
	struct capture *capture;
	struct pipeline *pipeline;
	struct ask *ask; /* with --kms, while captures are read; else NULL */
};

/*
 * In this order, since the trail must have it before a capture is opened: the warrants that --liid names, or all in use, and
 * the keys of --keys; then (the caller's part) the record in the trail; then the captures and the pipeline.
 */
int reading_warrants(struct reading *r, struct cli *c, struct err *err);
int reading_open(struct reading *r, struct cli *c, bool hash, bool explain, struct err *err);

/*
 * All frames to their end, the pipeline's too; keys of KMSs are asked for on the way. take may be NULL. Stops at SIGINT and
 * SIGTERM with an error.
 */
int reading_run(struct reading *r, const struct cli *c,
	int (*take)(void *arg, const struct record *record, struct err *err), void *arg, struct err *err);
void reading_clear(struct reading *r); /* wipes */

/* What the trail says of it: captures by base name, the LIIDs asked for, the keys' hash. */
json_t *reading_detail(const struct reading *r, const struct cli *c);

/* The captures' counters as an object, of the stages that look at all that is there, or of every stage. */
size_t reading_counts(const struct reading *r, bool all, struct counter out[READING_COUNTERS]);
json_t *reading_counts_json(const struct counter *counters, size_t count);

#endif
