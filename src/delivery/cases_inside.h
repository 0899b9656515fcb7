/*
 * cases_inside: what the files of cases share. A period is a folder that grows; each of its calls has a holding of its own, without
 * anything put aside: packets are in the journal alone, from which a call's final files are made as those of decrypt are.
 *
 *   DIR/.journal/state            the run, and when it was last alive
 *   DIR/.journal/held/FRONT-CALL  packets that wait for keys
 *   DIR/.journal/NNNNNNNN/        of one period
 *       period   what it is, its calls' beginnings, gaps          N.say    signalling and facts of call N
 *       events   signalling outside calls                         N.media  its packets
 *       N.state  what is known of it at some size of both; final: its files are made of all that
 *       work/    files being made
 */
#ifndef DELIVERY_CASES_INSIDE_H
#define DELIVERY_CASES_INSIDE_H

#include <sys/types.h>

#include "otway/base/table.h"
#include "otway/cases.h"
#include "otway/model/msg.h"

#include "case_facts.h"
#include "cases_append.h"
#include "cases_journal.h"
#include "holdings.h"
#include "stage.h"

#define CASES_PATH 256
#define CASES_GAPS 10000 /* of one folder, or that wait for a table; further ones make the last one longer */

enum grown { GROWN_SIGNALLING, GROWN_MEDIA, GROWN_SEALED, GROWN_OTHER, GROWN_FILES };

/* The files of a call (or those of a period's events) while they grow. */
struct growth {
	struct append *files[GROWN_FILES]; /* NULL: nothing came for it */
	int64_t before[GROWN_FILES];       /* octets of one that is there and is written anew, while it resumes; -1: none */
	bool stopped;                      /* there was no room: what is final will be whole */
};

struct period;

/* cases_state.c: a call's holding on the disk */
#define CALL_FILES 6
extern const char *const call_file_names[CALL_FILES];
struct call_state {
	uint64_t say, media;         /* what it was made of */
	uint64_t grown[GROWN_FILES]; /* how much of what grows belongs to it */
	bool final, stopped;
	uint8_t files;                          /* final: which there are, a bit each */
	uint8_t sha256[CALL_FILES][SHA256_LEN]; /* and theirs */
};

struct case_call {
	struct period *period;
	struct held_call *call; /* of the holding; there from the beginning */
	struct holding *holding;
	uint32_t id;          /* in its period, from 1 */
	uint32_t run, number; /* what records call it */
	struct append *say, *media;
	struct call_state state; /* as it was read or written last */
	struct table *seen;      /* signalling that came already; NULL: to be read back */
	struct growth growth;
	uint64_t forged[3];    /* by sort: not in the journal yet */
	nsec_t touched;        /* when something came last, by the clock of cases_time */
	nsec_t saved;          /* when its state was written last */
	uint64_t saved_octets; /* and what there was of it then */
	uint64_t final_octets; /* what its final files are made of */
	nsec_t cost;           /* how long that took */
	nsec_t finished;       /* and when it was; NSEC_NONE: never */
	bool fresh;            /* something came since the last cases_time */
	bool working;          /* its final files are being made */
};

struct gaps {
	struct gap *all;
	uint32_t count, cap;
};

struct period {
	struct cases *cases;
	struct period *next;
	uint32_t number;         /* of its journal */
	char name[HOLDING_NAME]; /* of its folder, below DIR: "LIID/2026-11-22T031500Z" */
	struct warrant warrant;  /* as known last */
	nsec_t from, until;      /* until: NSEC_NONE while new calls may begin in it */
	struct append *say;
	struct case_call **calls;
	uint32_t call_count, call_cap;
	struct holding *events;
	struct append *event_say;
	struct table *seen; /* events that came already */
	struct growth growth;
	struct gaps gaps;
	struct gap lost; /* what did not fit on a full disk; packets 0: none */
	bool dirty;      /* case.json is older than what is known */
	nsec_t json_at;  /* not written before that */
	nsec_t retry_at; /* finishing failed; not before that */
	nsec_t retry_in;
	nsec_t accounts_at; /* report and manifest are not made anew before that */
	bool listed;        /* they are older than what is final */
	bool json_wanted;   /* case.json takes so long that a process of its own writes it */
	bool closing;
};

/* What is known of a warrant, by number. */
struct case_warrant {
	uint32_t number;
	struct period *current; /* NULL: none */
	struct period *before;  /* the one before it, while that is open: its events are known still */
	bool in_table;
	struct warrant warrant;
};

/* What a process of its own does for a period: some of its calls, report and manifest, case.json, or all that is left before it is closed. */
#define WORK_CALLS 64
struct work {
	struct period *period;
	struct case_call *calls[WORK_CALLS];
	uint32_t count;
	bool accounts, json, close;
	unsigned slot;
	/* In the process that does it. */
	char dir[CASES_PATH]; /* below DIR */
	struct stage *stage;
	struct spools *spools;
	struct table *keys; /* of all calls of the period */
};

#define JOBS 4
struct job {
	pid_t pid; /* 0: none */
	nsec_t begun;
	struct work work;
};

struct syncer;
struct held_store;

struct cases {
	struct cases_options options;
	char *dir;
	struct stage *stage;
	struct appends *journal, *grown;
	struct table *warrants; /* number → case_warrant */
	struct table *calls;    /* run, warrant, number → case_call */
	struct period *periods;
	uint32_t next_period;
	struct gaps waiting;                    /* gaps that came before a table */
	bool table;                             /* there is one */
	nsec_t now, grown_at, synced, alive_at; /* the clock of cases_time, and when what was done last */
	nsec_t down; /* when the otway before this one was last alive; NSEC_NONE: there was none */
	bool full;   /* the disk, when it was last written to */
	bool ending; /* no more comes */
	bool forged; /* packets were counted that are in no journal yet */
	struct job jobs[JOBS];
	struct syncer *syncer;
	struct held_store *held;
	struct gap held_lost; /* what had no room there; packets 0: none */
	struct msg_room room;
	struct buf body, entry;    /* of an entry being made */
	struct buf clean, carried; /* of a packet being made */
	struct {
		struct cases_note *all;
		uint32_t count, cap, next;
	} notes;
	struct {
		uint64_t records, again, refused, finished, failed, gaps, lost, closed;
	} counts;
};

/* cases.c */
void cases_tell(struct cases *c, const struct cases_note *n); /* for cases_note */

/* cases_period.c */
struct period *period_begin(struct cases *c, struct case_warrant *w, nsec_t from, struct err *err);
struct period *period_new(
	struct cases *c, uint32_t number); /* nothing said of it yet; listed in c. NULL: out of memory */
void period_free(struct period *p);        /* and takes it out of c */
struct period *period_of(
	struct cases *c, uint32_t warrant, nsec_t at, struct err *err); /* where new things belong; begun if need be */
struct case_warrant *case_warrant_of(struct cases *c, uint32_t number, bool make);
bool period_note(struct period *p, enum journal_type type, struct bytes body); /* into its journal. False: no room */
char *period_path(const struct period *p, const char *file, char out[CASES_PATH]);
void period_last(struct period *p);
void period_rotate(struct period *p, nsec_t now);
void periods_due(struct cases *c); /* those that are too old or too big */
uint64_t period_octets(const struct period *p);
bool period_warrant(
	struct period *p, const struct warrant *w); /* what is known of it now. False: out of memory, or no room */
bool period_copy_warrant(struct warrant *to, const struct warrant *from);

/* cases_gaps.c */
bool gaps_note(struct gaps *all, const struct gap *g); /* joined with what it goes on from. False: out of memory */
void cases_lost(struct period *p, nsec_t at);          /* a record did not fit */
int cases_spread(struct cases *c, const struct gap *g, struct err *err);
void cases_found_room(struct cases *c); /* the disk has room again: what was lost becomes a gap */

/* cases_take.c */
struct case_call *case_call_new(struct period *p, uint32_t run, uint32_t number, uint32_t id, struct err *err);
void case_call_free(struct case_call *k);
int case_call_take(
	struct case_call *k, const struct record *r, struct err *err); /* what is known of it; no journal, no growth */
int period_take_event(struct period *p, const struct record *r, struct err *err);
bool case_call_over(const struct case_call *k);
uint64_t case_call_octets(const struct case_call *k); /* of its journal */
void case_call_forged(struct case_call *k);           /* puts what was counted into its journal */

/* cases_seen.c: signalling that came already: by a hash of when, and of its octets */
#define SEEN_HASH 16
bool seen_hash(const struct record *r, uint8_t out[SEEN_HASH]); /* false: out of memory */
bool seen_before(const struct table *seen, const uint8_t hash[SEEN_HASH]);
bool seen_note(struct table *seen, const uint8_t hash[SEEN_HASH]);
int seen_read(struct cases *c, const char *path, struct table **out, struct err *err);

/* cases_grow.c */
void grow_message(
	struct period *p, struct growth *g, const char *folder, const struct holding *h, const struct record *r);
void grow_media(struct case_call *k, const struct record *r);
void growth_free(struct growth *g);
void growth_sizes(const struct growth *g, uint64_t out[GROWN_FILES]);
int growth_resume(
	struct period *p, struct growth *g, const char *folder, const uint64_t sizes[GROWN_FILES], struct err *err);
void growth_resumed(struct period *p, struct growth *g, const char *folder); /* all that grew is there again */
char *grown_path(const struct period *p, const char *folder, enum grown which, char out[CASES_PATH]);

int call_state_save(struct stage *stage, const char *path, const struct holding *h, const struct held_call *call,
	const struct call_state *s, struct err *err);
/* Into a holding that has its one call, and the facts. 1: it is there; 0: there is none of this program. */
int call_state_load(struct stage *stage, const char *path, struct holding *h, struct call_state *s, struct err *err);

/* cases_view.c: a period as a whole, as case.json and the page tell it */
struct view {
	struct holding holding;
	struct period_facts period;
	struct run_facts run;
};
bool view_make(struct view *v, struct period *p); /* borrows from p. False: out of memory */
void view_clear(struct view *v);
int view_json(struct view *v, struct stage *stage, struct err *err); /* case.json, in place of the one before */
void views_due(struct cases *c);

/* cases_job.c: calls are finished, and periods closed, in a process of their own */
void jobs_due(struct cases *c);
void jobs_end(struct cases *c);                    /* gives up what is under way */
void jobs_wait(struct cases *c, unsigned span_ms); /* at most so long, for what is under way */
bool call_due(const struct case_call *k);

/* cases_child.c, cases_accounts.c: within such a process */
int work_do(struct cases *c, struct work *w, struct err *err);
int work_accounts(struct cases *c, struct work *w, struct err *err);
void journal_remove(struct period *p); /* wipes what has signalling in it */

/* cases_resume.c */
int cases_resume(struct cases *c, struct err *err);
int call_reload(struct case_call *k, bool grow,
	struct err *err); /* of its journal and state: what is known of it, and what grows */
/* A holding anew, with its call. False: out of memory */
bool call_renew(struct case_call *k, struct spools *spools);
struct replay {
	struct case_call *k;
	uint64_t from; /* before that, everything but facts is known */
	bool grow;     /* what comes is added to what grows */
};
/* A file of its journal from `begin` on; *end: behind its last whole entry. */
int call_replay(const struct replay *p, const char *kind, uint64_t begin, uint64_t *end, struct err *err);
void call_files(struct case_call *k, const char *kind, char out[CASES_PATH]);

/* cases_sync.c: the disk is waited for by another process */
int syncer_new(struct syncer **out, const struct stage *stage, struct err *err);
void syncer_free(struct syncer *s);
void syncer_ask(struct syncer *s);

/* cases_held.c */
/* keep: those of the process before are handed on; else they go, and lost says of them. */
int held_store_new(
	struct held_store **out, struct stage *stage, uint64_t most, bool keep, struct gap *lost, struct err *err);
void held_store_free(struct held_store *s);
void held_store_set(struct held_store *s, uint64_t most);
int held_store_flush(struct held_store *s, struct err *err);
uint64_t held_store_count(const struct held_store *s);
uint64_t held_store_octets(const struct held_store *s);
int held_store_put(struct held_store *s, uint32_t front, uint32_t call, const struct datagram *d, struct err *err);
bool held_store_take(struct held_store *s, uint32_t front, uint32_t call, uint32_t *of, struct datagram *out);

#endif
