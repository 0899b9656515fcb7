/*
 * alarms: those of a process that are on. They are told to control when they begin, say something else or are over, again where there was
 * no room for it, and all of them to every control that follows.
 */
#ifndef OTWAY_DAEMON_ALARMS_H
#define OTWAY_DAEMON_ALARMS_H

#include "otway/model/msg.h"

#define ALARMS_MAX  64
#define ALARMS_TEXT 512

struct alarms {
	struct alarmed {
		enum alarm alarm;
		char of[GAP_WHERE], text[ALARMS_TEXT];
		bool on, told; /* off: until that was told */
	} all[ALARMS_MAX];
	size_t count;
	bool (*tell)(void *arg, enum msg_type type, struct bytes body); /* to control; false: there was no room */
	void *arg;
};

/* text is of no matter with !on. Logged when it is new, other, or over. */
void alarms_set(struct alarms *a, enum alarm alarm, bool on, const char *of, const char *text);
void alarms_again(struct alarms *a); /* tells all that are on */
void alarms_untold(struct alarms *a); /* tells what could not be told: from time to time */

#endif
