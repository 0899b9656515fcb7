/*
 * cases_grow: what tshark may read while a call goes on: packets as they come. No key that stands in signalling gets there, since which of
 * them are used is not known yet; the final files are made anew (cases_child).
 */
#include "cases_inside.h"

#include <stdlib.h>

#include "blot.h"
#include "captures.h"
#include "pcapfile.h"
#include "wire.h"

char *grown_path(const struct period *p, const char *folder, enum grown which, char out[CASES_PATH])
{
	static const char *const names[] = { "signalling", "media", "sealed", "other" };

	snprintf(out, CASES_PATH, "%s/%s/%s.pcap", p->name, folder, names[which]);
	return out;
}

/* From here on nothing is added: a file with a hole in it would tell something else than what came. */
static void stop(struct growth *g)
{
	g->stopped = true;
}

static void grow(
	struct period *p, struct growth *g, const char *folder, enum grown which, nsec_t at, struct bytes packet)
{
	struct buf *entry = &p->cases->entry;
	char path[CASES_PATH];
	bool ok = true;

	buf_reset(entry);
	if (g->files[which] == NULL)
		g->files[which] = append_new(p->cases->grown, grown_path(p, folder, which, path), 0);
	ok = g->files[which] != NULL;
	if (ok && append_size(g->files[which]) == 0)
		ok = pcapfile_head(entry);
	if (!ok || !pcapfile_record(entry, at, packet) || !append_add(g->files[which], buf_bytes(entry)))
		stop(g);
}

/* The packet without any inline key; out is reset first. */
static bool cleaned(const struct holding *h, struct bytes packet, struct bytes payload, struct buf *out)
{
	uint32_t at, len;

	buf_reset(out);
	if (!buf_add(out, packet.at, packet.len))
		return false;
	if (holding_place(packet, payload, &at, &len) && blot_message(out->at + at, len, h->keys, true) > 0)
		wire_checksum(out->at, packet.at, packet.len);
	return true;
}

void grow_message(
	struct period *p, struct growth *g, const char *folder, const struct holding *h, const struct record *r)
{
	if (g->stopped)
		return;
	if (cleaned(h, r->sip->packet, r->sip->payload, &p->cases->clean))
		grow(p, g, folder, GROWN_SIGNALLING, r->at, buf_bytes(&p->cases->clean));
	else
		stop(g);
}

void grow_media(struct case_call *k, const struct record *r)
{
	struct cases *c = k->period->cases;
	const struct media_packet *m = &r->media;
	char folder[CALL_NAME];
	struct bytes packet = m->packet;
	enum grown which = GROWN_MEDIA;
	uint32_t at, len;

	if (k->growth.stopped || m->fate == MEDIA_TWICE || m->fate == MEDIA_FORGED)
		return;
	if (m->sort == MEDIA_NEITHER || m->fate == MEDIA_BROKEN) {
		which = GROWN_OTHER;
		if (!cleaned(k->holding, packet, m->payload, &c->clean)) {
			stop(&k->growth);
			return;
		}
		packet = buf_bytes(&c->clean);
	} else if (m->fate != MEDIA_CLEAR) {
		which = GROWN_SEALED;
	} else if (m->key_used || !bytes_equal(m->clear, m->payload)) {
		holding_place(packet, m->payload, &at, &len);
		if (wire_carry(packet, at, m->clear, &c->carried))
			packet = buf_bytes(&c->carried);
		else
			which = GROWN_OTHER;
	}
	grow(k->period, &k->growth, captures_name(k->call, folder), which, m->at, packet);
}

void growth_free(struct growth *g)
{
	for (int i = 0; i < GROWN_FILES; i++)
		append_free(g->files[i]);
	*g = (struct growth){ .stopped = g->stopped };
}

void growth_sizes(const struct growth *g, uint64_t out[GROWN_FILES])
{
	for (int i = 0; i < GROWN_FILES; i++)
		out[i] = g->files[i] != NULL ? append_size(g->files[i]) : 0;
}

/* What a process that died wrote behind those sizes goes. */
int growth_resume(
	struct period *p, struct growth *g, const char *folder, const uint64_t sizes[GROWN_FILES], struct err *err)
{
	char path[CASES_PATH];

	for (int i = 0; i < GROWN_FILES; i++) {
		grown_path(p, folder, (enum grown)i, path);
		g->before[i] = -1;
		if (sizes[i] == 0) {
			/* Written over with the same octets: file systems take long to give them up. */
			g->before[i] = stage_size(p->cases->stage, path);
			continue;
		}
		if (stage_cut(p->cases->stage, path, sizes[i], err) < 0)
			return -1;
		g->files[i] = append_new(p->cases->grown, path, sizes[i]);
		if (g->files[i] == NULL)
			return err_set(err, "out of memory");
	}
	return 0;
}

void growth_resumed(struct period *p, struct growth *g, const char *folder)
{
	char path[CASES_PATH];

	for (int i = 0; i < GROWN_FILES; i++) {
		uint64_t good = g->files[i] != NULL ? append_size(g->files[i]) : 0;

		if (g->before[i] < 0 || (good > 0 && (uint64_t)g->before[i] <= good))
			continue;
		grown_path(p, folder, (enum grown)i, path);
		if (good == 0)
			stage_remove(p->cases->stage, path);
		else
			stage_cut(p->cases->stage, path, good, NULL);
	}
}
