/*
 * log: lines for the people who run otway, on standard error. Roles and subcommands log, modules return.
 * A line says whose fault it is ("config:", "peer:", "bug:") and what to do. Warrants and calls appear by
 * local number; identities, LIIDs, addresses, messages and keys never do.
 */
#ifndef OTWAY_BASE_LOG_H
#define OTWAY_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are left out; the default is LOG_LEVEL_WARNING. */
void log_level_set(enum log_level level);
enum log_level log_level_get(void);
bool log_level_named(const char *name); /* "error", "warning", "info", "debug"; false: there is no such level */

/* Which role says it, in every line from now on: "intercept 1"; "" (as without): none. */
void log_role_set(const char *role);

/* When standard error is a stream to systemd's journal, lines go to its socket from now on, with their fields: PRIORITY, MESSAGE,
 * SYSLOG_IDENTIFIER, OTWAY_ROLE. Before a role is confined. socket NULL: the usual path. False: nothing changes. */
bool log_journal_open(const char *socket);

/* With `json`, each line is an object: {"level":…,"text":…}. */
void log_json_set(int json);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
