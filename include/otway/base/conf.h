/*
 * conf: the configuration file, YAML. Everything in it has a default, so that an empty file is a good one.
 */
#ifndef OTWAY_BASE_CONF_H
#define OTWAY_BASE_CONF_H

#include <stdint.h>

#include "otway/base/err.h"

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

struct conf {
	char *store;      /* where warrants are kept, as store_open takes it; NULL: the default of store_default_url */
	char *kms_header; /* the SIP header that names a KMS; NULL: none */
	struct conf_decap decap;
	struct conf_sip sip;
};

/*
 * Reads a file into out. What it does not know is an error, with its line and what may have been meant: EXIT_USAGE. A file
 * that is not there is EXIT_NOT_FOUND.
 */
int conf_read(const char *path, struct conf *out, struct err *err);
void conf_clear(struct conf *c);

#endif
