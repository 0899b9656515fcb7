/* sdes: the grammar of a=crypto (RFC 4568 9). */
#ifndef OTWAY_SIP_SDES_H
#define OTWAY_SIP_SDES_H

#include "otway/model/media_desc.h"

/*
 * What stands behind "a=crypto:". False: the line is invalid and is to be skipped: no tag, no key parameters, or a
 * session parameter that is unknown and not marked "-" as one that may be. Material that is malformed or not of
 * the suite's length leaves the line without that key.
 */
bool sdes_parse(struct bytes value, struct media_crypto *out);

#endif
