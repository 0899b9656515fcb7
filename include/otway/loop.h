/*
 * loop: the event loop of a process: descriptors, moments, signals. One per process; libevent is behind it.
 */
#ifndef OTWAY_LOOP_H
#define OTWAY_LOOP_H

#include <stdbool.h>

#include "otway/base/err.h"
#include "otway/base/nsec.h"

struct loop;

struct loop *loop_new(void); /* NULL: out of memory */
void loop_free(struct loop *l);

/* Runs until loop_stop or a signal (true), or until `until` (a moment of loop_now; NSEC_NONE: no end), or until nothing is left to
 * wait for. */
bool loop_run(struct loop *l, nsec_t until);
void loop_stop(struct loop *l);
nsec_t loop_now(void); /* of a clock that only goes forward */

/* SIGTERM and SIGINT stop the loop. */
int loop_stop_on_signal(struct loop *l, struct err *err);

typedef void loop_fn(void *arg);

/* Calls fn, from loop_run alone, whenever fd can be read (or written to) without waiting, as long as the watch lives and is not
 * paused. The descriptor stays the caller's and is closed after the watch is freed. NULL: out of memory. */
struct loop_watch;
enum loop_what { LOOP_READ, LOOP_WRITE };
struct loop_watch *loop_watch_new(struct loop *l, int fd, enum loop_what what, loop_fn *fn, void *arg);
void loop_watch_pause(struct loop_watch *w, bool paused); /* a new one is not */
void loop_watch_free(struct loop_watch *w);

/* Calls fn at a moment of loop_now; again only when it is set again. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg);
void loop_timer_at(struct loop_timer *t, nsec_t at); /* NSEC_NONE: never */
void loop_timer_free(struct loop_timer *t);

/* Calls fn when everything else that was ready has had its turn, before the loop waits again: once for each loop_later_soon. */
struct loop_later;
struct loop_later *loop_later_new(struct loop *l, loop_fn *fn, void *arg);
void loop_later_soon(struct loop_later *a);
void loop_later_free(struct loop_later *a);

/* Calls fn for a signal. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *l, int number, loop_fn *fn, void *arg);
void loop_signal_free(struct loop_signal *s);

#endif
