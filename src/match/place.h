/* place: what it means that a party is named in a header: on which side of the call, and whether it can be believed. */
#ifndef OTWAY_MATCH_PLACE_H
#define OTWAY_MATCH_PLACE_H

#include "otway/model/hit.h"

struct place {
	const struct sip_party *party;
	enum hit_side side;
	bool verified;
};

/* Fills the rest for at->party, one of m's. False: a party named there is not looked for. */
bool place_judge(const struct sip_message *m, struct place *at);

#endif
