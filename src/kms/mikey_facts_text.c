/* mikey_facts_text: the facts of a message as lines of text, and the payloads that lie within payloads. */
#include <inttypes.h>

#include "otway/base/text.h"
#include "otway/mikey_facts.h"

#define DEEPER 2 /* spaces */

long mikey_facts_inside(
	const struct mikey_payload *p, size_t n, const char **name, struct mikey_payload out[MIKEY_PAYLOADS])
{
	static const char *const names[] = { "policy", "data", "initiator" };
	const struct bytes fields[] = { p->ticket.policy, p->ticket.data, p->ticket.initiator };

	if ((p->type != MIKEY_TP && p->type != MIKEY_TICKET) || n >= (p->type == MIKEY_TP ? 1 : 3))
		return -1;
	*name = names[n];
	if (n == 1 && p->ticket.type != 1)
		return 0; /* another kind of ticket: nobody here knows what is in it */
	return mikey_inside(fields[n], n == 1 ? MIKEY_THDR : MIKEY_LAST, out, NULL);
}

/* Octets that some other side chose, between quotation marks: nothing that a terminal would act on. */
static void name_text(struct bytes name, struct buf *out)
{
	buf_text(out, "\"");
	for (size_t i = 0; i < name.len;) {
		size_t len = text_utf8(name, i);

		if (len == 0 || name.at[i] < 0x20 || name.at[i] == 0x7f ||
			(len == 2 && name.at[i] == 0xc2 && name.at[i + 1] < 0xa0)) {
			buf_printf(out, "%%%02X", name.at[i]);
			i++;
			continue;
		}
		buf_add(out, name.at + i, len);
		i += len;
	}
	buf_text(out, "\"");
}

static void octets_text(struct bytes octets, struct buf *out)
{
	for (size_t i = 0; i < octets.len; i++)
		buf_printf(out, "%02x", octets.at[i]);
	if (octets.len == 0)
		buf_text(out, "none");
}

static void fact_text(const struct mikey_fact *f, struct buf *out)
{
	char at[NSEC_TEXT];

	if (f->kind == MIKEY_FACT_TRUTH) {
		if (f->number != 0)
			buf_printf(out, " %s", f->name);
		return;
	}
	buf_printf(out, " %s=", f->name);
	if (f->kind == MIKEY_FACT_NAME)
		name_text(f->octets, out);
	else if (f->kind == MIKEY_FACT_OCTETS)
		octets_text(f->octets, out);
	else if (f->kind == MIKEY_FACT_TIME)
		buf_text(out, nsec_text(f->time, at));
	else if (f->text != NULL)
		buf_text(out, f->text);
	else
		buf_printf(out, "%" PRIu64, f->number);
}

static void line(unsigned indent, const char *title, const struct mikey_fact *facts, size_t count, struct buf *out)
{
	buf_printf(out, "%*s%s:", (int)indent, "", title);
	for (size_t i = 0; i < count; i++)
		fact_text(&facts[i], out);
	buf_text(out, "\n");
}

/* A payload within a field holds no field of that kind itself: one level is all there is. */
static void inside_text(const struct mikey_payload *p, unsigned indent, struct buf *out)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	struct mikey_fact facts[MIKEY_FACTS];
	const char *name = NULL;

	for (size_t n = 0; n < 3; n++) {
		long count = mikey_facts_inside(p, n, &name, inside);

		if (count > 0)
			buf_printf(out, "%*s%s:\n", (int)indent, "", name);
		for (long i = 0; i < count; i++)
			line(indent + DEEPER, mikey_payload_text(inside[i].type), facts, mikey_facts(&inside[i], facts),
				out);
	}
}

bool mikey_facts_text(const struct mikey *m, unsigned indent, struct buf *out)
{
	struct mikey_fact facts[MIKEY_FACTS];
	struct mikey_cs cs;

	line(indent, "MIKEY", facts, mikey_facts_header(m, facts), out);
	for (size_t i = 0; mikey_session(m, i, &cs); i++)
		line(indent + DEEPER, "crypto session", facts, mikey_facts_session(&cs, facts), out);
	for (size_t i = 0; i < m->count; i++) {
		line(indent + DEEPER, mikey_payload_text(m->payloads[i].type), facts,
			mikey_facts(&m->payloads[i], facts), out);
		inside_text(&m->payloads[i], indent + 2 * DEEPER, out);
	}
	return !out->failed;
}
