/*
 * role_control: what the files of the control role share. Two processes: the keeper, a child that has the store and may wait for it, and
 * control itself, which waits for nobody: it has the table, tells the other roles, and answers status and metrics.
 *
 *   store ── keeper ──(TABLE…, LEASE, AUDITED, ALARM)──▶ control ──▶ intercept 0, keys, delivery
 *               ◀──────────────(AUDIT)──────────────────────┘
 */
#ifndef OTWAY_DAEMON_ROLE_CONTROL_H
#define OTWAY_DAEMON_ROLE_CONTROL_H

#include <sys/types.h>

#include "otway/local.h"
#include "otway/store.h"
#include "role.h"

/* role_control_keeper.c, _look.c, _acts.c, _read.c: the child. Never returns. */
struct keeper_options {
	const char *url;
	nsec_t lease;  /* how long a table holds after the store was last found right */
	nsec_t keep;   /* warrants that ended longer ago are left out */
	uint32_t run;  /* of otway: what is remembered of another run counts for nothing */
	bool again;
	int port;      /* to control */
	int life;      /* a socket whose other end is control's: when that closes, this process ends */
	int memory;    /* a file: which store was last found right; -1: none */
	const struct role_start *start;
};
_Noreturn void keeper_run(const struct keeper_options *o);

/* What the store holds, as messages to control: whether it is what was sent last, its hash tells. */
struct keeper_table {
	struct warrant_set warrants;
	struct kms_agreements agreements;
	uint8_t hash[SHA256_LEN];
};
int keeper_read(struct store *s, nsec_t ended_after, struct keeper_table *out, struct err *err);
bool keeper_send(struct port *to, const struct keeper_table *t, const struct msg_lease *lease);
void keeper_table_clear(struct keeper_table *t);

/* Which store was last found right, and how long its trail was: kept in a file of the run, so that a control that is started anew knows. */
struct keeper_memory {
	char id[33]; /* "": none */
	struct audit_kept head;
};
void keeper_remember(int fd, uint32_t run, const struct keeper_memory *m);
void keeper_recall(int fd, uint32_t run, struct keeper_memory *m);

/* role_control_table.c: the table of control, and how far each role has got it. */
struct control_table {
	struct warrant_set warrants;
	struct kms_agreements agreements;
	struct msg_lease lease;
	bool there;
};

struct control_count {
	size_t in_force, pending, ended, agreements;
};

#define CONTROL_ENDS 3 /* who gets the table */

struct control_send {
	enum role to;
	size_t next;     /* message of the table */
	bool under_way;
	size_t included; /* warrants, when it was sent last */
};

struct tables {
	struct crew *crew;
	struct control_table now, coming;
	bool begun; /* coming has */
	struct control_send ends[CONTROL_ENDS];
	struct loop_timer *timer;
	nsec_t delivery_keeps; /* how long after its end delivery is told of a warrant */
};
int tables_init(struct tables *t, struct crew *crew, nsec_t delivery_keeps, struct err *err);
void tables_clear(struct tables *t);
/* From the keeper. True: a new table holds from here on. */
bool tables_take(struct tables *t, enum msg_type type, struct bytes body);
void tables_lease(struct tables *t, const struct msg_lease *l);
void tables_send_to(struct tables *t, enum role to); /* anew */
void tables_tick(struct tables *t);                  /* what ended is left out */
struct control_count tables_count(const struct tables *t, nsec_t now);

/* role_control_board.c: what the roles tell of themselves. */
#define BOARD_COUNTS 256
#define BOARD_ALARMS 128
#define BOARD_TEXT   256
#define BOARD_NAME   48

struct board_count {
	char name[BOARD_NAME], of[GAP_WHERE];
	uint64_t value;
	bool gauge;
};

struct board_role {
	enum role role;
	uint32_t index;
	nsec_t up;    /* wall clock; NSEC_NONE: not known */
	nsec_t heard; /* of loop_now; NSEC_NONE: never */
	uint64_t restarts;
	bool down; /* says supervise */
	struct board_count counts[BOARD_COUNTS];
	size_t count;
};

struct board_alarm {
	enum alarm alarm;
	enum role role;
	uint32_t index;
	nsec_t since;
	char of[GAP_WHERE], text[BOARD_TEXT];
};

struct board {
	struct board_role *roles;
	size_t role_count;
	struct board_alarm alarms[BOARD_ALARMS];
	size_t alarm_count;
	struct msg_active *active;
	size_t active_count, active_room;
	uint64_t refused; /* messages that could not be read, or had no room */
};
int board_init(struct board *b, const struct role_start *start, struct err *err);
void board_clear(struct board *b);
void board_take_count(struct board *b, enum role from, uint32_t index, struct bytes body);
void board_take_active(struct board *b, struct bytes body);
/* *out: the alarm, when it is new or over (then the return value is true). */
bool board_take_alarm(struct board *b, enum role from, uint32_t index, struct bytes body, struct board_alarm *out, bool *on);
/* Calls back for each alarm of that role, which is over; for it was started anew and tells again what is on. */
void board_peer_up(struct board *b, const struct msg_peer *p, void (*over)(void *arg, const struct board_alarm *a), void *arg);
struct board_role *board_role(struct board *b, enum role role, uint32_t index); /* NULL: there is none */

/* role_control_audit.c: what is to be written into the trail, and for whom. */
struct audit_wait {
	uint64_t number; /* between control and the keeper */
	enum role from;
	uint32_t index;
	uint64_t theirs; /* what the answer refers to; 0: none is wanted */
};

struct audit_own {
	uint64_t number; /* under way; 0: not */
	char *act, *subject, *detail;
};

#define AUDIT_OWN  512
#define AUDIT_WAIT 65536

struct audits {
	struct crew *crew;
	struct port *keeper;
	uint64_t last; /* number given */
	struct audit_wait *waits;
	size_t first, count, room; /* a ring */
	struct audit_own own[AUDIT_OWN];
	size_t own_count;
	uint64_t written, failed, dropped;
};
void audits_init(struct audits *a, struct crew *crew, struct port *keeper);
void audits_clear(struct audits *a);
/* From a role. away: there is no use in asking. */
void audits_take(struct audits *a, enum role from, uint32_t index, struct bytes body, bool away);
/* From the keeper; *written: whether it was. */
bool audits_answer(struct audits *a, struct bytes body, bool *written);
/* control's own; kept until it is written. detail: a JSON object's members, as printf has them; numbers and plain words only. */
void audits_own(struct audits *a, bool away, const char *act, const char *subject, const char *detail, ...)
	__attribute__((format(printf, 5, 6)));
void audits_retry(struct audits *a); /* own ones that could not be written */

/* role_control_open.c: ends of sockets, and files, that are there before the role is confined; -1: it is not open. */
struct control_opened {
	int port[2], life[2], memory, status, metrics;
};
int control_open(struct control_opened *o, const struct role_start *start, struct err *err);
void control_close(int *fd);
void control_opened_clear(struct control_opened *o);
nsec_t control_delivery_keeps(const struct conf_run *run); /* how long after its end a warrant may have open cases */

/* The role itself. */
enum store_state { STORE_UNKNOWN, STORE_RIGHT, STORE_AWAY, STORE_OTHER, STORE_SILENT };

struct control {
	const struct role_start *start;
	struct crew *crew;
	struct port *keeper;
	struct loop_watch *life;
	int life_fd;
	enum store_state store;
	nsec_t store_heard; /* of loop_now */
	char store_text[BOARD_TEXT], audit_text[BOARD_TEXT], failure[BOARD_TEXT];
	struct tables tables;
	struct board board;
	struct audits audits;
	struct local_server *status, *metrics;
	nsec_t begun, stopping; /* wall clock; of loop_now */
};
const char *control_store_text(enum store_state s); /* "right" … */

bool control_status(void *control, struct buf *out);  /* role_control_status.c: one JSON object */
bool control_metrics(void *control, struct buf *out); /* role_control_metrics.c: Prometheus text, 0.0.4 */
/* role_control_help.c: what a family of metrics is, by its name without "otway_": a sentence without its full stop. Never NULL. */
const char *control_help(const char *family);

#endif
