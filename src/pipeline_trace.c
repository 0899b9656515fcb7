/* pipeline_trace: one row per set-up, in memory, for as long as `explain` runs. */
#include "pipeline_trace.h"

#include <stdlib.h>

#include "otway/base/table.h"
#include "otway/base/text.h"

#define ROWS_MAX 100000 /* a capture with more set-ups is explained as far as this */

struct trace {
	struct table *by_call_id; /* of rows */
	struct pipeline_trace **rows;
	size_t count, room;
	struct pipeline_trace *current; /* the set-up whose steps come out now */
	struct table *by_call;          /* local number of a call → its first row */
};

struct trace *trace_new(void)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->by_call_id = table_new();
	t->by_call = table_new();
	if (t->by_call_id == NULL || t->by_call == NULL) {
		trace_free(t);
		return NULL;
	}
	return t;
}

void trace_free(struct trace *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->rows[i]);
	free(t->rows);
	table_free(t->by_call_id);
	table_free(t->by_call);
	free(t);
}

static bool is_setup(const struct sip_message *m)
{
	return m->method == SIP_INVITE || m->method == SIP_ACK || m->method == SIP_BYE || m->method == SIP_CANCEL ||
	       m->method == SIP_PRACK || m->method == SIP_UPDATE;
}

static struct pipeline_trace *row_new(struct trace *t, struct bytes call_id)
{
	struct pipeline_trace *row;

	if (t->count == t->room) {
		size_t room = t->room > 0 ? t->room * 2 : 64;
		struct pipeline_trace **rows =
			room <= 2 * ROWS_MAX ? realloc(t->rows, room * sizeof(struct pipeline_trace *)) : NULL;

		if (rows == NULL)
			return NULL;
		t->rows = rows;
		t->room = room;
	}
	row = calloc(1, sizeof(*row));
	if (row == NULL || !table_put(t->by_call_id, call_id, row)) {
		free(row);
		return NULL;
	}
	t->rows[t->count++] = row;
	row->number = (uint32_t)t->count;
	return row;
}

/* The data type of a MIKEY message is its second octet (RFC 3830 6.1). */
static void look_at_key_mgmt(struct pipeline_trace *row, const struct media_line *line)
{
	uint8_t begin[2];

	row->otway_rees |= line->otway_rees.len > 0;
	row->mikey |= line->mikey;
	if (line->mikey && text_unbase64(bytes_part(line->key_mgmt, 0, 3), begin, 2) == 2 && begin[1] < 32)
		row->mikey_types |= UINT32_C(1) << begin[1];
}

void trace_message(struct trace *t, const struct sip_message *m, size_t hits)
{
	struct pipeline_trace *row;

	if (t == NULL || !is_setup(m))
		return;
	row = table_get(t->by_call_id, m->call_id);
	if (row == NULL) {
		row = row_new(t, m->call_id);
		if (row == NULL)
			return;
		row->first = m->at;
	}
	row->last = m->at;
	row->messages++;
	row->hits += (uint32_t)hits;
	row->sdp |= m->has_sdp;
	row->kms_signalled |= m->kms.len > 0;
	for (size_t i = 0; m->has_sdp && i < m->sdp.line_count; i++)
		look_at_key_mgmt(row, &m->sdp.lines[i]);
	for (size_t i = 0; i < m->party_count; i++) {
		row->headers[m->parties[i].header] = true;
		row->tested++;
	}
}

void trace_current(struct trace *t, const struct sip_message *m)
{
	if (t != NULL)
		t->current = is_setup(m) ? table_get(t->by_call_id, m->call_id) : NULL;
}

static void row_warrant(struct pipeline_trace *row, uint32_t warrant)
{
	for (size_t i = 0; i < row->warrant_count; i++)
		if (row->warrants[i] == warrant)
			return;
	if (row->warrant_count < COVERS_MAX)
		row->warrants[row->warrant_count++] = warrant;
}

static struct pipeline_trace *row_of_call(struct trace *t, uint32_t call)
{
	return table_get(t->by_call, (struct bytes){ (const uint8_t *)&call, sizeof(call) });
}

void trace_step(struct trace *t, const struct step *s)
{
	struct pipeline_trace *row;

	if (t == NULL)
		return;
	if (t->current != NULL && t->current->call == 0 && s->call != 0) {
		t->current->call = s->call;
		if (row_of_call(t, s->call) == NULL)
			table_put(t->by_call, (struct bytes){ (const uint8_t *)&s->call, sizeof(s->call) }, t->current);
	}
	row = row_of_call(t, s->call);
	if (row == NULL)
		return;
	if (s->kind == STEP_RECORD && t->current != NULL && t->current->call == s->call)
		row_warrant(t->current, s->record.warrant);
	row->places += s->kind == STEP_PLACE;
	row->keys += s->kind == STEP_KEY;
}

void trace_packet(struct trace *t, const struct media_packet *p)
{
	struct pipeline_trace *row = t != NULL ? row_of_call(t, p->call) : NULL;

	if (row == NULL || p->sort != MEDIA_RTP)
		return;
	row->rtp++;
	if (p->fate == MEDIA_CLEAR && p->key_used)
		row->opened++;
	else if (p->fate == MEDIA_CLEAR)
		row->clear++;
	if (p->fate == MEDIA_SEALED) {
		row->sealed++;
		row->reason = p->reason;
	}
}

/* No warrant that took it had begun when its first message came. */
static bool begun_before(const struct pipeline_trace *row, const struct warrant_set *set)
{
	for (size_t i = 0; i < row->warrant_count; i++) {
		const struct warrant *w = warrant_find(set, row->warrants[i]);

		if (w == NULL || w->from <= row->first)
			return false;
	}
	return row->warrant_count > 0;
}

static enum trace_stop stop_of(const struct pipeline_trace *row)
{
	if (row->call == 0)
		return TRACE_NOT_MATCHED;
	if (!row->sdp)
		return TRACE_NO_SDP;
	if (row->rtp == 0)
		return row->begun_before && row->places == 0 ? TRACE_BEFORE : TRACE_NO_MEDIA;
	if (row->sealed == 0)
		return TRACE_DELIVERED;
	return row->opened + row->clear > 0 ? TRACE_PARTLY : TRACE_SEALED;
}

bool trace_get(const struct trace *t, const struct warrant_set *set, size_t i, struct pipeline_trace *out)
{
	const struct pipeline_trace *first;

	if (t == NULL || i >= t->count)
		return false;
	*out = *t->rows[i];
	first = row_of_call((struct trace *)t, out->call);
	if (out->call != 0 && first != NULL &&
		first != t->rows[i]) { /* a further leg: the call's media stands with its first */
		out->places = first->places;
		out->keys = first->keys;
		out->rtp = first->rtp;
		out->opened = first->opened;
		out->clear = first->clear;
		out->sealed = first->sealed;
		out->reason = first->reason;
	}
	out->begun_before = begun_before(out, set);
	out->stop = stop_of(out);
	return true;
}
