/*
 * log_journal: systemd's journal, by its native protocol: one datagram for each line, a field in each of its lines.
 */
#ifndef OTWAY_BASE_LOG_JOURNAL_H
#define OTWAY_BASE_LOG_JOURNAL_H

#include <stdbool.h>

#include "otway/base/log.h"

/* Is that descriptor the stream to the journal that $JOURNAL_STREAM names ("device:inode")? */
bool log_journal_is(int fd);
/* A connected socket, or -1. path NULL: the usual one. */
int log_journal_connect(const char *path);
/* text: one line. False: the journal does not take it. */
bool log_journal_send(int fd, enum log_level level, const char *role, const char *text);

#endif
