/*
 * warrant_words: a warrant as people enter and read it. Inside of cli/, for cmd_warrant.
 */
#ifndef OTWAY_CLI_WARRANT_WORDS_H
#define OTWAY_CLI_WARRANT_WORDS_H

#include "inside.h"

/*
 * The options of `warrant add` into a row (warrant_row_clear frees it, whatever came out). What is no valid word at all is
 * EXIT_USAGE; warrant_words_targets then judges the targets by policy (EXIT_REFUSED), once the store can record it.
 */
int warrant_words_read(const struct cli *c, nsec_t now, struct warrant_row *out, struct err *err);
int warrant_words_targets(struct warrant_row *r, struct err *err);

/* The --until of `extend` for a warrant that begins at `from`. */
int warrant_words_until(const char *text, nsec_t from, nsec_t now, nsec_t *out, struct err *err);

json_t *warrant_words_json(const struct warrant_row *r, nsec_t now);
void warrant_words_print(const struct warrant_row *r, nsec_t now);

#endif
