/*
 * dialog: answered dialogs of a leg, by their tags (RFC 3261 12), and the BYE that ends them (15.1.1): by 2xx, 481 or
 * 408, or when nobody answers. One that is challenged or refused ends nothing, and neither does one of other tags.
 */
#include "calls.h"

static bool dialog_is(const struct dialog *d, struct bytes a, struct bytes b)
{
	return (text_eq(d->tags[0], a) && text_eq(d->tags[1], b)) || (text_eq(d->tags[0], b) && text_eq(d->tags[1], a));
}

static struct dialog *dialog_find(struct leg *leg, const struct sip_message *m)
{
	for (size_t i = 0; i < leg->dialog_count; i++)
		if (dialog_is(&leg->dialogs[i], m->from_tag, m->to_tag))
			return &leg->dialogs[i];
	/* Cut tags tell nothing: then the one dialog there is. */
	return m->truncated && leg->dialog_count == 1 ? &leg->dialogs[0] : NULL;
}

struct dialog *dialog_open(struct leg *leg, const struct sip_message *m)
{
	struct dialog *d = dialog_find(leg, m);

	if (d != NULL || leg->dialog_count >= DIALOGS_MAX)
		return d;
	d = &leg->dialogs[leg->dialog_count++];
	*d = (struct dialog){ .tags = { text_dup(m->from_tag), text_dup(m->to_tag) }, .bye.at = NSEC_NONE };
	return d;
}

/* Nobody hung up, or nobody who may. */
static bool dialog_live(const struct dialog *d)
{
	return !d->ended && (d->bye.at == NSEC_NONE || d->bye.of_stranger);
}

bool leg_live(const struct leg *leg)
{
	for (size_t i = 0; i < leg->dialog_count; i++)
		if (dialog_live(&leg->dialogs[i]))
			return true;
	return false;
}

bool leg_ending(const struct leg *leg)
{
	for (size_t i = 0; i < leg->dialog_count; i++)
		if (!leg->dialogs[i].ended && !dialog_live(&leg->dialogs[i]))
			return true;
	return false;
}

static bool host_known(const struct leg *leg, const struct addr *a)
{
	for (size_t i = 0; i < leg->host_count; i++)
		if (addr_same_host(&leg->hosts[i], a))
			return true;
	return false;
}

void leg_hosts(struct leg *leg, const struct flow *f)
{
	const struct addr *both[] = { &f->src, &f->dst };

	for (size_t i = 0; i < 2; i++)
		if (leg->host_count < HOSTS_MAX && !host_known(leg, both[i]))
			leg->hosts[leg->host_count++] = *both[i];
}

/* Where not every host is known, nobody is a stranger. */
static bool is_stranger(const struct leg *leg, const struct addr *a)
{
	return leg->host_count > 0 && leg->host_count < HOSTS_MAX && !host_known(leg, a);
}

static bool caller_tag_in(const struct leg *leg, const struct sip_message *m)
{
	for (size_t i = 0; i < leg->caller_tag_count; i++)
		if (text_eq(leg->caller_tags[i], m->from_tag) || text_eq(leg->caller_tags[i], m->to_tag))
			return true;
	return false;
}

/* The dialog that a BYE is of; one whose answer was not seen may begin with its end. */
static struct dialog *dialog_of_bye(struct leg *leg, const struct sip_message *m)
{
	struct dialog *d = dialog_find(leg, m);

	if (d != NULL || leg->dialog_count > 0)
		return d;
	if (leg->set_up_seen && (m->to_tag.len == 0 || !caller_tag_in(leg, m)))
		return NULL;
	return dialog_open(leg, m);
}

static bool bye_same(const struct dialog *d, const struct sip_message *m)
{
	return d->bye.at != NSEC_NONE && d->bye.cseq == m->cseq && d->bye.reverse == text_eq(d->tags[1], m->from_tag);
}

void bye_in(struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct dialog *d = dialog_of_bye(leg, m);
	bool stranger = is_stranger(leg, &m->datagram->flow.src);

	/* The first counts, each hop of a proxied one and each repetition has its tags; but never a stranger's before it. */
	if (d == NULL || d->ended || (d->bye.at != NSEC_NONE && (stranger || !d->bye.of_stranger)))
		return;
	d->bye = (struct bye){ m->at, m->cseq, text_eq(d->tags[1], m->from_tag), stranger };
	if (!stranger)
		call->last_bye = m->at;
}

nsec_t bye_answered(struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct dialog *d = dialog_find(leg, m);
	bool same = d != NULL && bye_same(d, m);

	if (d == NULL || d->ended || m->status < 200)
		return m->at;
	if (m->status < 300 && (same || !is_stranger(leg, &m->datagram->flow.src))) {
		d->ended = true;
		call->last_bye = same ? d->bye.at : m->at;
		return call->last_bye;
	}
	if (same && (m->status == 481 || m->status == 408))
		d->ended = !d->bye.of_stranger;
	else if (same)
		d->bye.at = NSEC_NONE;
	return same && d->ended ? d->bye.at : m->at;
}

bool dialogs_time(struct leg *leg, nsec_t at)
{
	bool ended = false;

	for (size_t i = 0; i < leg->dialog_count; i++) {
		struct dialog *d = &leg->dialogs[i];

		if (!d->ended && !dialog_live(d) && at - d->bye.at >= BYE_WAIT)
			ended = d->ended = true;
	}
	return ended;
}
