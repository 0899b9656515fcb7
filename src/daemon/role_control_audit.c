/*
 * role_control_audit: records of the trail: those that roles ask for, each answered once it is written or cannot be; and control's own, which
 * are kept until they are.
 */
#include "role_control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "otway/base/text.h"

#define SUBJECT_MAX 64
#define DETAIL_MAX  8192

void audits_init(struct audits *a, struct crew *crew, struct port *keeper)
{
	*a = (struct audits){ .crew = crew, .keeper = keeper };
}

static void own_free(struct audit_own *o)
{
	free(o->act);
	free(o->subject);
	free(o->detail);
	*o = (struct audit_own){ 0 };
}

void audits_clear(struct audits *a)
{
	for (size_t i = 0; i < a->own_count; i++)
		own_free(&a->own[i]);
	free(a->waits);
	*a = (struct audits){ 0 };
}

static struct audit_wait *wait_new(struct audits *a)
{
	if (a->count == a->room) {
		size_t room = a->room * 2 + 64;
		struct audit_wait *grown = a->room < AUDIT_WAIT ? calloc(room, sizeof(*grown)) : NULL;

		if (grown == NULL)
			return NULL;
		for (size_t i = 0; i < a->count; i++)
			grown[i] = a->waits[(a->first + i) % a->room];
		free(a->waits);
		a->waits = grown;
		a->room = room;
		a->first = 0;
	}
	return &a->waits[(a->first + a->count++) % a->room];
}

/* To the keeper, who answers in the order it was asked. 0: it cannot be sent. */
static uint64_t ask(struct audits *a, enum role from, uint32_t index, const struct msg_audit *m)
{
	struct msg_audit numbered = *m;
	struct audit_wait *w = wait_new(a);
	struct buf body = { 0 };
	bool sent;

	if (w == NULL)
		return 0;
	numbered.number = ++a->last;
	*w = (struct audit_wait){ numbered.number, from, index, m->number };
	sent = msg_put_audit(&body, &numbered) && port_send(a->keeper, MSG_AUDIT, buf_bytes(&body));
	buf_clear(&body);
	if (!sent)
		a->count--;
	return sent ? numbered.number : 0;
}

static void tell(struct audits *a, enum role to, uint32_t index, uint64_t number, bool written)
{
	struct buf body = { 0 };

	a->written += written;
	a->failed += !written;
	if (number != 0 && msg_put_audited(&body, number, written))
		crew_send(a->crew, to, index, MSG_AUDITED, buf_bytes(&body));
	buf_clear(&body);
}

static bool is_text(const char *text, size_t max)
{
	struct bytes b = bytes_of(text);
	size_t len;

	for (size_t i = 0; i < b.len; i += len) {
		len = text_utf8(b, i);
		if (len == 0 || b.at[i] < 0x20 || b.at[i] == 0x7f)
			return false;
	}
	return b.len > 0 && b.len <= max;
}

/* One that cannot be written would keep those from being written that came with it. */
static bool can_be_written(const struct msg_audit *m)
{
	json_t *detail;
	bool ok;

	if (!is_text(m->act, SUBJECT_MAX) || !is_text(m->subject, SUBJECT_MAX) || !is_text(m->detail, DETAIL_MAX))
		return false;
	detail = json_loads(m->detail, JSON_REJECT_DUPLICATES, NULL);
	ok = json_is_object(detail);
	json_decref(detail);
	return ok;
}

void audits_take(struct audits *a, enum role from, uint32_t index, struct bytes body, bool away)
{
	struct msg_audit m;

	if (!msg_get_audit(body, &m))
		return;
	if (away || !can_be_written(&m) || ask(a, from, index, &m) == 0)
		tell(a, from, index, m.number, false);
}

/* False: it was another one's. */
static bool own_answer(struct audits *a, uint64_t number, bool written)
{
	for (size_t i = 0; i < a->own_count; i++) {
		if (a->own[i].number != number)
			continue;
		a->own[i].number = 0;
		if (written) {
			own_free(&a->own[i]);
			a->own_count--;
			memmove(&a->own[i], &a->own[i + 1], (a->own_count - i) * sizeof(a->own[0]));
		}
		return true;
	}
	return false;
}

bool audits_answer(struct audits *a, struct bytes body, bool *written)
{
	const struct audit_wait *w = a->count > 0 ? &a->waits[a->first] : NULL;
	uint64_t number;

	if (w == NULL || !msg_get_audited(body, &number, written) || number != w->number)
		return false;
	if (w->from != ROLE_CONTROL)
		tell(a, w->from, w->index, w->theirs, *written);
	else if (own_answer(a, number, *written))
		tell(a, w->from, 0, 0, *written);
	a->first = (a->first + 1) % a->room;
	a->count--;
	return true;
}

static void own_send(struct audits *a, struct audit_own *o)
{
	const struct msg_audit m = { 0, o->act, o->subject, o->detail };

	o->number = ask(a, ROLE_CONTROL, 0, &m);
}

void audits_retry(struct audits *a)
{
	for (size_t i = 0; i < a->own_count; i++)
		if (a->own[i].number == 0)
			own_send(a, &a->own[i]);
}

/* When there are too many the oldest gives way, and that is counted. */
static struct audit_own *own_new(struct audits *a)
{
	if (a->own_count == AUDIT_OWN) {
		own_free(&a->own[0]);
		memmove(&a->own[0], &a->own[1], (AUDIT_OWN - 1) * sizeof(a->own[0]));
		a->own[AUDIT_OWN - 1] = (struct audit_own){ 0 };
		a->own_count--;
		a->dropped++;
	}
	return &a->own[a->own_count];
}

void audits_own(struct audits *a, bool away, const char *act, const char *subject, const char *detail, ...)
{
	struct audit_own *o = own_new(a);
	char at[NSEC_TEXT], text[1024];
	va_list ap;

	va_start(ap, detail);
	vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	*o = (struct audit_own){ .act = strdup(act), .subject = strdup(subject) };
	if (o->act == NULL || o->subject == NULL ||
		asprintf(&o->detail, "{%s%s\"happened\":\"%s\"}", text, text[0] != '\0' ? "," : "",
			nsec_text(nsec_now(), at)) < 0) {
		o->detail = NULL;
		own_free(o);
		a->dropped++;
		return;
	}
	a->own_count++;
	if (!away)
		own_send(a, o);
}
