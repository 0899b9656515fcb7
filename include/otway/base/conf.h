/*
 * conf: the configuration file, YAML. Everything in it has a default, so that an empty file is a good one.
 */
#ifndef OTWAY_BASE_CONF_H
#define OTWAY_BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/base/nsec.h"

#define CONF_PORTS     8  /* of one tunnel */
#define CONF_SIP       64 /* ports of SIP */
#define CONF_TUNNELS   16
#define CONF_DEPTH     40 /* headers of one frame: the default, and the most */
#define CONF_DEPTH_MIN 8

/* Ports, host order; 0 behind the last. None: not set. */
struct conf_ports {
	uint16_t all[CONF_PORTS];
	unsigned all_count;
};

/* Of tunnels in UDP, by the tunnel's name. */
struct conf_tunnel_ports {
	struct conf_ports vxlan, geneve, gtpu, tzsp, hep, l2tp, esp;
};

/* What is taken off the packets of a mirror port. */
struct conf_decap {
	char *leave[CONF_TUNNELS]; /* names of tunnels that are left alone; which there are is not known here */
	unsigned leave_count;
	struct conf_tunnel_ports ports;
	unsigned depth; /* headers of one frame, 8 to CONF_DEPTH; 0: not set */
};

struct conf_sip {
	uint16_t ports[CONF_SIP]; /* where SIP is looked for */
	unsigned ports_count;     /* 0: on every port */
};

/* Whom the roles run as: names or numbers of users. */
struct conf_users {
	char *control, *intercept, *keys, *delivery; /* NULL: otway-control … */
};

#define CONF_INTERFACES 16

/* Of `otway run`. */
struct conf_run {
	char *interfaces[CONF_INTERFACES];
	unsigned interfaces_count;
	bool prepare;             /* make mirror ports fit, rather than refuse them */
	unsigned intercepts;      /* processes; 0: as many as cores */
	unsigned ring_mib;        /* of each interface in each process; 0: 32 */
	unsigned snaplen;         /* 0: 65535 */
	unsigned retire_ms;       /* 0: 10 */
	bool midcall;             /* keep set-ups of calls that are not under warrant, in memory, for warrants that begin during one */
	unsigned midcall_mib;     /* 0: 64 */
	unsigned hold_kib;        /* of packets that wait for a key, per call, in memory; 0: 8192 */
	char *hold_time;          /* "10m"; NULL: 10m: after that they are delivered sealed */
	char *lease;              /* "24h"; NULL: 24h: how long warrants hold when the store is away */
	char *cases;              /* NULL: /var/lib/otway/cases */
	unsigned rotate_mib;      /* 0: 1024 */
	char *rotate_time;        /* "24h" */
	unsigned sync_ms;         /* 0: 1000 */
	char *settle;             /* "40s" */
	unsigned held_mib;        /* packets that wait for keys with delivery; 0: 1024 */
	char *status;             /* unix socket of `otway status`; NULL: /run/otway/status */
	char *metrics;            /* "unix:PATH" or "127.0.0.1:PORT"; NULL: none */
	char *log_level;          /* "error", "warning", "info", "debug"; NULL: info */
	bool without_landlock;    /* go on where the kernel has none */
	unsigned watchdog_s;      /* a role that says nothing for so long is restarted; 0: 5 */
	struct conf_users users;
	char *kms_files;          /* NULL: /etc/otway/kms: the folder that the files of agreements lie in (CAs, our certificates and keys); of
				     files, those below it are all that the keys role may read */
};

struct conf {
	char *store;      /* where warrants are kept, as store_open takes it; NULL: the default of store_default_url */
	char *kms_header; /* the SIP header that names a KMS; NULL: none */
	struct conf_decap decap;
	struct conf_sip sip;
	struct conf_run run;
};

/*
 * Reads a file into out. What it does not know is an error, with its line and what may have been meant: EXIT_USAGE. A file
 * that is not there is EXIT_NOT_FOUND.
 */
int conf_read(const char *path, struct conf *out, struct err *err);
/* The same of a text that was read already; path stands in errors. */
int conf_parse(const char *path, struct bytes text, struct conf *out, struct err *err);
void conf_clear(struct conf *c);

#define CONF_INTERCEPTS 32 /* processes, at most */

/* Fills in what is not set, so that no 0 and no NULL is left but of metrics and of a store. False: out of memory. */
bool conf_run_defaults(struct conf_run *r);

/* A span of time, "40s", "10m", "24h", "7d", "2w", more than none; false: it is none. Those of a conf that was read are right. */
bool conf_span(const char *text, nsec_t *out);

#endif
