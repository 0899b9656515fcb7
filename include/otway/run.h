/*
 * run: the live system: processes that hear mirror ports, understand, ask for keys and write cases. run_supervise starts them and keeps
 * them up until it is told to stop; each of them is this program again, in run_role.
 */
#ifndef OTWAY_RUN_H
#define OTWAY_RUN_H

#include <stdbool.h>

#include "otway/base/err.h"

struct conf;

struct run_options {
	const char *config;   /* the configuration's file, read again at SIGHUP */
	const char *store;    /* comes before the configuration's; NULL: none */
	const char *try_text; /* only in tests: see daemon/sandbox.h */
};

/*
 * In the foreground. SIGTERM and SIGINT end it in good order (a second one at once), SIGHUP makes it read the configuration again.
 * systemd is told how it goes ($NOTIFY_SOCKET). Returns an exit code, or -1: what is wrong with the configuration or an interface;
 * what a role says that cannot start; EXIT_REFUSED where another one is running on the same cases or status socket.
 */
int run_supervise(const struct run_options *o, struct err *err);

#define RUN_FD 3 /* where a role finds its end of the port to supervise; all that it needs comes over it */

/* name and index: as role_text says, and a number. Returns an exit code, or -1. */
int run_role(const char *name, const char *index, struct err *err);

/* What can be told of a configuration (its defaults filled in; config: its file, for errors) without starting: each finding once; err
 * NULL: that is right. Changes nothing. Returns how many are not. */
typedef void run_finding(void *arg, const char *what, const struct err *err);
unsigned run_check(const char *config, const struct conf *conf, run_finding *tell, void *arg);

#endif
