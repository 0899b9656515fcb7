/*
 * notify: tells the service manager how it goes (sd_notify's protocol: a datagram of NAME=VALUE lines to $NOTIFY_SOCKET).
 */
#ifndef OTWAY_DAEMON_NOTIFY_H
#define OTWAY_DAEMON_NOTIFY_H

/* The socket; -1: nobody is to be told. */
int notify_open(void);
void notify_say(int fd, const char *lines);
void notify_reloading(int fd); /* with the moment, as systemd asks for it */

#endif
