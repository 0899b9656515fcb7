/*
 * pipeline_survey: for `explain`, what the UDP datagrams are that nothing comes of: neither SIP nor media of a call that is
 * followed. Every function does nothing when s is NULL.
 */
#ifndef OTWAY_PIPELINE_SURVEY_H
#define OTWAY_PIPELINE_SURVEY_H

#include "otway/pipeline.h"

struct survey;

struct survey *survey_new(void); /* NULL: out of memory */
void survey_free(struct survey *s);

void survey_take(struct survey *s, const struct datagram *d);

/* The i-th that was met; false: there are no more. */
bool survey_get(const struct survey *s, size_t i, struct pipeline_unclaimed *out);

/* "udp_tunnel", "udp_dtls", "udp_rtp", "udp_rtcp", "udp_stun", "udp_other". Returns how many were written. */
size_t survey_counts(const struct survey *s, struct counter *out, size_t max);

#endif
