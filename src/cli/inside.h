/*
 * inside: what the subcommands share. Each subcommand is a group of verbs, a table; the tables are what arguments are read by
 * and what help and man pages are made from. A verb's function returns an exit code, or -1 with err filled.
 */
#ifndef OTWAY_CLI_INSIDE_H
#define OTWAY_CLI_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "otway/base/conf.h"
#include "otway/base/err.h"
#include "otway/cli.h"
#include "otway/decap.h"
#include "otway/store.h"

struct cli_option {
	const char *name;     /* without its dashes */
	const char *argument; /* what stands for its value in help; NULL: it takes none */
	const char *help;     /* NULL: known, but not part of this version; `absent` says so */
	bool many, required;
	const char *absent;
};

struct cli;

struct cli_verb {
	const char *name;     /* NULL: the group is one command without verbs */
	const char *operands; /* "LIID", "CAPTURE..."; NULL: none */
	unsigned operands_min, operands_max;
	const char *help;     /* one line */
	const char *examples; /* lines */
	const char *notes;    /* lines of prose; may be NULL */
	const struct cli_option *options;
	size_t option_count;
	int (*run)(struct cli *c, struct err *err);
};

struct cli_group {
	const char *name;
	const char *help;  /* one line; NULL: of nobody's business, as a role of `otway run` */
	const char *notes; /* lines of prose, for the man page only; may be NULL */
	const struct cli_verb *verbs;
	size_t verb_count;
};

struct cli_value {
	const struct cli_option *option;
	const char *text; /* NULL: a flag */
};

struct cli {
	const struct cli_group *const *groups;
	size_t group_count;
	const struct cli_group *group; /* NULL until the words are understood */
	const struct cli_verb *verb;

	struct cli_value *values; /* as given, global ones too */
	size_t value_count;
	const char **operands; /* behind the command's own words */
	size_t operand_count;

	bool json, quiet, help, version;
	struct conf conf;
	struct decap_options decap; /* as conf says */
	struct store *store;        /* once opened by cli_store */
};

/* args.c: words into c->values, c->operands, group and verb. */
int args_read(struct cli *c, int argc, char **argv, struct err *err);
/* The value of an option, NULL when it is not given. */
const char *args_text(const struct cli *c, const char *name);
/* All values of an option that may be given often, NULL behind the last; the caller frees the list. NULL: out of memory. */
const char **args_all(const struct cli *c, const char *name, size_t *count);
bool args_given(const struct cli *c, const char *name);
extern const struct cli_option args_global[];
extern const size_t args_global_count;

/* help.c, man.c: pages out of the tables, for the command that c's words name. */
void help_page(const struct cli *c);
void man_page(const struct cli *c, const struct cli_group *g /* NULL: of the program */);
/* What stands behind "otway warrant add": "--liid LIID ... [--scope SCOPE]". */
bool help_usage(const struct cli_verb *v, struct buf *out);

/* The group of that name, or NULL. */
const struct cli_group *cli_group_of(const struct cli *c, const char *name);

/* cmd_config.c: --config, or the file that the live system has without. */
#define CLI_CONFIG "/etc/otway/otway.yaml"
const char *cli_config(const struct cli *c);

/* Opens c->store as --store, the configuration (--config, else the live system's, if it is there) or the default says. */
int cli_store(struct cli *c, bool create, struct err *err);
/* Appends to the trail; detail is taken over. */
int cli_audit(struct cli *c, const char *act, const char *subject, json_t *detail, struct err *err);
/* A file that is not there is a failure: what "not found" speaks of is the store. Returns -1. */
int cli_no_file(struct err *err);

/* words.c: a text for the trail and for people: UTF-8 without control characters, else each octet as %XX. The caller frees. */
char *cli_clean(const char *text);
/* The last part of a path. */
const char *cli_base_name(const char *path);
/* Refuses (EXIT_USAGE) a value that is empty, too long, not UTF-8, or with control characters. */
int cli_check_text(const char *what, const char *text, size_t max, struct err *err);

/* actor.c: the login name of who acts, whatever the environment says. */
void actor_name(char *out, size_t size);
/* A user by name or number; a number need not be anybody's. False: there is none. */
bool actor_user(const char *user, uid_t *uid, gid_t *gid);

/* output.c: what goes to standard output. */
void output_json(json_t *value); /* one line; taken over */
void output_say(const struct cli *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* not with --quiet, --json */
void output_note(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* standard error */
json_t *output_time(nsec_t at); /* a string, or null for NSEC_NONE */
json_t *output_hash(const uint8_t hash[SHA256_LEN]);

/* A table: aligned on a terminal, tabs between columns elsewhere. */
struct output_table {
	char **cells;
	size_t count, columns;
	bool failed;
};
void output_row(struct output_table *t, const char *const *cells, size_t columns);
void output_table(struct output_table *t, bool print); /* prints it, or not, and clears it */

/* progress.c: octets read, on a terminal, for what takes longer than a second. */
struct progress {
	bool shown, wanted;
	uint64_t total; /* octets; 0: not known */
	nsec_t begun, next;
};
void progress_begin(struct progress *p, const struct cli *c, const char *const *files, size_t count);
void progress_show(struct progress *p, uint64_t octets);
void progress_end(struct progress *p);

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
