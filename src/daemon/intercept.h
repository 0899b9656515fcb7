/*
 * intercept: what the files of this role share. Each process has a front; the first also has the back, to which the others send signalling.
 *
 *   intercept_front.c   frames in, media and signalling out
 *   intercept_again.c   media that went out just now, for a warrant that takes it too
 *   intercept_back.c    signalling of all fronts in the order of time, steps to all of them
 *   intercept_tell.c    what the other fronts are told of media
 *   intercept_open.c    what was said of media of open calls, for a front that comes up later
 *   intercept_told.c    of which calls a front was told by another process
 *   intercept_resume.c  what the one before left
 *   intercept_leave.c   what to leave to the one that follows
 *   intercept_seal.c    so that nobody else can read it
 *   intercept_ask.c     keys that are wanted
 *   intercept_table.c   the table of warrants
 *   intercept_stop.c    the end in good order
 *   intercept_watch.c   drops, interfaces, clocks, the lease
 */
#ifndef OTWAY_DAEMON_INTERCEPT_H
#define OTWAY_DAEMON_INTERCEPT_H

#include "otway/back.h"
#include "otway/front.h"
#include "otway/live.h"
#include "role.h"

#define TURN                                                                                                           \
	(NSEC_PER_SEC / 20) /* so long a turn of the loop may take: others speak too, and supervise wants an answer */
#define WANTED_MAX 64
#define FRONTS_MAX CONF_INTERCEPTS
#define HANDED_TO  2
#define NOTES_HELD ((size_t)256 << 20) /* octets of notes of the one before, until the table is there */

struct merge; /* intercept_merge.c */
struct open_calls;
struct told_calls;
struct again;
struct table;

/* Of the first one, for each other front. */
struct telling {
	bool untold;    /* it does not know all that is open */
	bool begun;     /* all is being told anew: calls that were told in this round it knows */
	uint32_t round; /* counts from 1 */
};

struct interface {
	bool watched, gone, renewed;
	nsec_t since;  /* when it went; NSEC_NONE: it is there */
	nsec_t looked; /* when its drops were counted last, wall clock */
	struct loop_watch *watch;
	uint64_t frames, octets, dropped, missed;
	nsec_t last; /* of its newest frame */
};

struct intercept {
	struct role_start *start;
	struct crew *crew;
	struct loop *loop;
	struct live *live;
	struct front *front;
	struct again *again; /* NULL: the one front there is knows all at once */
	uint32_t index, fronts;
	struct interface interfaces[CONF_INTERFACES];
	size_t interface_count;
	struct loop_later *more; /* signals are left over from a turn of the loop */
	nsec_t turn_until;       /* loop_now */
	bool turned;             /* it took as long as it may */
	struct loop_timer *beat; /* often: time, marks, drops */
	nsec_t begun;            /* wall clock, when frames were first taken */
	nsec_t wall, steady;     /* both clocks at the last beat */
	nsec_t jumped;           /* the wall clock, when by the other; NSEC_NONE: it keeps time */
	nsec_t margin;           /* how late a packet may be */
	nsec_t settled;          /* what came before was looked at; wall clock */
	struct buf octets;       /* of a message to be sent */

	/* What waits in this process for others who are slow, or away, dies with it. */
	nsec_t handed;                     /* what was told before has left */
	nsec_t handing;                    /* and this has, when so many octets have: to delivery, and to the first one */
	uint64_t handing_to[HANDED_TO];

	/* What could not be sent, since when. */
	nsec_t lost_since, lost_until;
	uint64_t lost, lost_ever;
	uint32_t wanted[WANTED_MAX]; /* calls whose packets delivery is to give back: there was no room to say so */
	size_t wanted_count;

	struct told_calls *told; /* NULL: it tells others */

	/* The first one only. */
	struct back *back;
	struct merge *merge;
	struct open_calls *open;
	struct warrant_set coming, table; /* being said by control; as said last */
	bool has_table, is_coming, lease_over;
	struct telling telling[FRONTS_MAX];
	nsec_t lease;

	/* From the one before. */
	bool resuming, resume_told, resume_heard;
	bool resume_whole;   /* the one before had left all */
	uint8_t token[8]; /* what comes before its echo was meant for the one before */
	struct note_kept *notes, **last_note;
	size_t note_octets;
	uint64_t notes_lost; /* that found no room, or do not open */
	nsec_t resume_until; /* then it goes on without, by loop_now */
	uint64_t sealed;     /* counts what was sealed under salt, from anywhere */
	uint8_t salt[4];
	struct table *left;  /* number → what was left under it: keys may die too */
	bool left_unsent;    /* not all of it found room */
	bool whole_told;     /* keys has all of it, and has been told so */
	struct table *asked; /* call → keys that were wanted and not answered, and what could not be said: likewise */
	bool ask_unsent;     /* not all of them found room */

	/* At the end. */
	bool stopping, front_over, back_over;
	bool over[FRONTS_MAX]; /* that front has sent its last signal */
	nsec_t stop_until;
};

/* intercept_front.c */
void intercept_step(struct intercept *it, const struct step *s); /* about media */
void front_begin(struct intercept *it);                          /* takes frames from now on */
void front_drain(struct intercept *it);                          /* until both halves have nothing more to say */
nsec_t front_read(struct intercept *it);    /* what is in the rings now; how far it came, NSEC_EVER: nothing is left */
void front_read_all(struct intercept *it);  /* what is in the rings still */
void lose(struct intercept *it, nsec_t at); /* a packet had no room */
void lost_told(struct intercept *it, bool all);
void want_back_unsent(struct intercept *it); /* what found no room */
void send_gap(struct intercept *it, const struct gap *g);
bool send_to(struct intercept *it, enum role to, uint32_t index, enum msg_type type); /* it->octets, emptied */

/* intercept_again.c: media that went out just now, with several fronts */
struct again *again_new(void);
void again_free(struct again *a);
void again_time(struct again *a, nsec_t at);
void again_keep(
	struct again *a, const struct media_packet *p, const struct cover *covers, size_t count, struct bytes record);
/* Who takes a call is said anew: fn gets each record of it that a warrant has not had, to be sent for that one. */
typedef void again_fn(void *arg, uint32_t warrant, struct bytes record);
void again_cover(struct again *a, const struct step *s, again_fn *fn, void *arg);

/* intercept_back.c */
void back_signal(struct intercept *it, uint32_t from, const struct datagram *d); /* borrowed for the call */
void back_mark(struct intercept *it, uint32_t from, nsec_t until);
void back_turn(struct intercept *it);
bool back_drain(struct intercept *it); /* true: something was done */
void back_set_table(struct intercept *it, const struct warrant_set *set);
void back_tell_active(struct intercept *it);

/* intercept_tell.c: of the first one */
void tell_step(struct intercept *it, const struct step *s, struct bytes octets); /* octets: of its message */
void tell_esp(struct intercept *it, struct bytes octets);
void tell_anew(struct intercept *it, uint32_t front); /* all that is open, and that this is all */
void tell_all_anew(struct intercept *it);
void tell_untold(struct intercept *it); /* those that had no room, when there is */

/* intercept_told.c: of the others */
struct told_calls *told_new(void);
void told_free(struct told_calls *t);
void intercept_told_step(void *role, uint32_t index, struct bytes body);
void intercept_told_esp(void *role, uint32_t index, struct bytes body);
void intercept_told_anew(void *role, uint32_t index, struct bytes body);
void intercept_told_anew_end(void *role, uint32_t index, struct bytes body); /* what was not told since is over */

/* intercept_merge.c: signals of all fronts, in the order of time. */
struct merge *merge_new(uint32_t fronts);
void merge_free(struct merge *m);
bool merge_put(struct merge *m, uint32_t from, const struct datagram *d, nsec_t now); /* copied; false: out of memory */
void merge_mark(struct merge *m, uint32_t from, nsec_t until);
/* The next one that nobody can have anything before, or that waited too long; now: loop_now, of a moment ago; `all`: whatever is
 * there. Borrowed until the next call. */
bool merge_next(struct merge *m, nsec_t now, bool all, struct datagram *out);
nsec_t merge_reached(const struct merge *m); /* the least of all marks */

/* intercept_open.c */
struct open_calls *open_new(uint32_t fronts);
void open_free(struct open_calls *o);
void open_step(struct open_calls *o, const struct step *s, struct bytes octets); /* octets: of its message */
void open_esp(struct open_calls *o, struct bytes octets);
void open_gone(struct open_calls *o, uint32_t call);
typedef bool open_fn(void *arg, enum msg_type type, struct bytes octets); /* false: no more of it */
bool open_each_esp(const struct open_calls *o, open_fn *fn, void *arg);
/* All steps of each call that this front was not told of in this round, as long as go_on; false: that was not all. */
bool open_each_call(
	struct open_calls *o, uint32_t front, uint32_t round, bool (*go_on)(void *arg), open_fn *fn, void *arg);
bool open_was_told(const struct open_calls *o, uint32_t call, uint32_t front, uint32_t round);
size_t open_count(const struct open_calls *o);

/* intercept_resume.c */
void resume_begin(struct intercept *it);
void resume_heard(struct intercept *it, struct bytes token);
void resume_take(struct intercept *it, struct bytes body);
void resume_end(struct intercept *it, struct bytes token);
void resume_try(struct intercept *it); /* goes on when all is there, or it has waited long enough */
void resume_free(struct intercept *it);

/* intercept_leave.c */
bool leave_begin(struct intercept *it); /* false: out of memory */
void leave_end(struct intercept *it);
void leave_note(struct intercept *it, const struct back_note *n);
void leave_forget(struct intercept *it, uint64_t number);
void leave_states(struct intercept *it);
void leave_keep(struct intercept *it, const struct msg_checkpoint *c); /* of the one before, that holds on */
void leave_again(struct intercept *it);                                /* keys is a new one */
void leave_unsent(struct intercept *it);                               /* what found no room */
#define NOTE_HEAD 13 /* number, call, claimed and before; a datagram follows */

/* intercept_seal.c */
bool seal_begin(struct intercept *it); /* false: no random numbers */
size_t seal_size(size_t plain);        /* octets of so many, sealed */
bool seal_close(struct intercept *it, uint64_t number, struct bytes plain, uint8_t *sealed);
/* plain: room for as many octets as are sealed. False: it is not what this place left under that number. */
bool seal_open(const struct intercept *it, const struct msg_checkpoint *c, uint8_t *plain, size_t *len);

/* intercept_ask.c */
bool intercept_ask_begin(struct intercept *it); /* false: out of memory */
void intercept_ask_wanted(struct intercept *it, const struct key_wanted *w);
bool intercept_ask_answered(struct intercept *it, const struct key_answer *a); /* false: it was not wanted */
void intercept_ask_over(struct intercept *it, uint32_t call);
void intercept_ask_again(struct intercept *it);  /* keys is a new one */
void intercept_ask_unsent(struct intercept *it); /* what found no room */
void intercept_ask_free(struct intercept *it);

/* intercept_table.c: what control says */
void intercept_table_begin(void *role, uint32_t index, struct bytes body);
void intercept_table_warrant(void *role, uint32_t index, struct bytes body);
void intercept_table_lease(void *role, uint32_t index, struct bytes body);
void intercept_table_end(void *role, uint32_t index, struct bytes body);

/* intercept_stop.c */
void stop_begin(void *role);
void stop_renew(struct intercept *it); /* it ends, and calls go on with the one that follows */
void stop_try(struct intercept *it);

/* intercept_watch.c */
void watch_beat(struct intercept *it);
nsec_t watch_settled(const struct intercept *it); /* wall clock: of what came before, all was told, and has left */
size_t watch_counts(struct intercept *it, struct msg_count *out, size_t max);

#endif
