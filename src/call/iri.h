/*
 * iri: signalling for a warrant that covers no content (--scope iri): message bodies that are content, and Subject, are blanked
 * at equal length.
 */
#ifndef OTWAY_CALL_IRI_H
#define OTWAY_CALL_IRI_H

#include "held.h"

/* *out: a reference to the message without content, in itself when it has none. False: out of memory, and nothing is given. */
bool iri_blank(struct held *message, struct held **out);

#endif
