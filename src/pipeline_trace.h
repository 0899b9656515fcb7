/*
 * pipeline_trace: for `explain`, how far each set-up got. A set-up is a Call-ID; its number is all that goes out. Every
 * function does nothing when t is NULL.
 */
#ifndef OTWAY_PIPELINE_TRACE_H
#define OTWAY_PIPELINE_TRACE_H

#include "otway/pipeline.h"

struct trace;

struct trace *trace_new(void); /* NULL: out of memory */
void trace_free(struct trace *t);

/* A message was compared with the targets, and this many of its parties matched. */
void trace_message(struct trace *t, const struct sip_message *m, size_t hits);

/* The steps that come next are those of this message. */
void trace_current(struct trace *t, const struct sip_message *m);

void trace_step(struct trace *t, const struct step *s);
void trace_packet(struct trace *t, const struct media_packet *p);

/* The i-th set-up in the order of first messages; false: there are no more. set: the warrants of the steps. */
bool trace_get(const struct trace *t, const struct warrant_set *set, size_t i, struct pipeline_trace *out);

#endif
