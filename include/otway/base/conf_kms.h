/*
 * conf_kms: the configuration file of `otway kms serve`, YAML. Users' keys are in it, so it is refused when others may read it.
 */
#ifndef OTWAY_BASE_CONF_KMS_H
#define OTWAY_BASE_CONF_KMS_H

#include <stdbool.h>

#include "otway/base/err.h"

struct conf_kms_user {
	char *identity;   /* sip: or tel: URI */
	char *psk;        /* hex, 32 to 128 digits: shared with the user beforehand */
	char **answerers; /* who may answer for this user; URIs or "*@domain" */
	unsigned answerers_count;
};

/* Another operator's LI side. */
struct conf_kms_partner {
	char *client;     /* common name of its certificate */
	char **homes;     /* domains: it is given keys of targets that are at home there, and of no other */
	unsigned homes_count;
};

struct conf_kms {
	char *identity;       /* of this KMS, sip:kms@domain */
	char *listen;         /* ADDR:PORT */
	char *ca, *cert, *key; /* PEM files: whose clients come in, and who we are to them */
	char **li_clients;    /* common names of certificates with the LI role of our own network; all others are of the user side */
	unsigned li_clients_count;
	struct conf_kms_partner *li_partners; /* and of other operators */
	unsigned li_partners_count;
	char *store;          /* where keys are kept: a path */
	char *store_key;      /* a file: 64 hex digits */
	char *keep, *ticket_life; /* "24h"; NULL: 24 hours */
	bool no_forking;
	char **answerers;     /* of the operator, for every user */
	unsigned answerers_count;
	struct conf_kms_user *users;
	unsigned users_count;
};

/* As conf_read; what is required and missing is named. */
int conf_kms_read(const char *path, struct conf_kms *out, struct err *err);
void conf_kms_clear(struct conf_kms *c); /* wipes keys */

#endif
