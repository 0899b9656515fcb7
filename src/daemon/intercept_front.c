/* intercept_front: frames of the rings through the front: media to delivery, signalling to the back, what others own to them. */
#include "intercept.h"

#include <stdio.h>

#include "otway/base/secret.h"

#define BATCH 64 /* frames of one interface at a time */

bool send_to(struct intercept *it, enum role to, uint32_t index, enum msg_type type)
{
	bool sent = !it->octets.failed && crew_send(it->crew, to, index, type, buf_bytes(&it->octets));

	buf_reset(&it->octets);
	return sent;
}

void send_gap(struct intercept *it, const struct gap *g)
{
	msg_put_gap(&it->octets, g);
	if (send_to(it, ROLE_DELIVERY, 0, MSG_GAP))
		return;
	/* No room for that either: the gap of what found none will hold it. */
	lose(it, g->from);
	lose(it, g->until != NSEC_NONE ? g->until : nsec_now());
}

static void lose_many(struct intercept *it, nsec_t from, nsec_t until, uint64_t packets)
{
	if (it->lost == 0 || from < it->lost_since)
		it->lost_since = from;
	if (it->lost == 0 || until > it->lost_until)
		it->lost_until = until;
	it->lost += packets;
	it->lost_ever += packets;
}

void lose(struct intercept *it, nsec_t at)
{
	lose_many(it, at, at, 1);
}

/* Told when there is room again, or at the latest at the end. */
void lost_told(struct intercept *it, bool all)
{
	struct gap g = { it->lost_since, it->lost_until + 1, GAP_QUEUE, "", it->lost };
	struct port *to = crew_port(it->crew, ROLE_DELIVERY, 0);

	if (it->lost == 0 || (!all && to != NULL && port_waiting(to) > PORT_MESSAGE_MAX))
		return;
	snprintf(g.where, sizeof(g.where), "intercept %u", (unsigned int)it->index);
	it->lost = 0;
	send_gap(it, &g);
}

static void hold_elsewhere(struct intercept *it, const struct media_packet *p)
{
	const struct msg_held held = { p->call, { .at = p->at,
							.proto = IP_PROTO_UDP,
							.truncated = p->reason == SEAL_TRUNCATED,
							.flow = p->flow,
							.packet = p->packet,
							.payload = p->payload } };

	msg_put_held(&it->octets, &held);
	if (!send_to(it, ROLE_DELIVERY, 0, MSG_HELD))
		lose(it, p->at);
}

/* Beyond what is kept of those that had no room, those of every call are wanted: none is too much. */
static void want_back(struct intercept *it, uint32_t call)
{
	if (it->wanted_count < WANTED_MAX)
		it->wanted[it->wanted_count++] = call;
	else
		it->wanted[WANTED_MAX - 1] = UINT32_MAX;
	want_back_unsent(it);
}

void want_back_unsent(struct intercept *it)
{
	size_t sent = 0;

	for (; sent < it->wanted_count; sent++) {
		msg_put_call(&it->octets, it->wanted[sent]);
		if (!send_to(it, ROLE_DELIVERY, 0, MSG_HELD_WANTED))
			break;
	}
	it->wanted_count -= sent;
	memmove(it->wanted, it->wanted + sent, it->wanted_count * sizeof(it->wanted[0]));
}

/* A packet, once for each warrant whose window holds it. */
static void media_out(struct intercept *it, const struct media_packet *p, const struct cover *covers, size_t count)
{
	struct record r = { .kind = RECORD_MEDIA, .call = p->call, .at = p->at, .media = *p };
	bool lost = false, kept = false;

	if (p->fate == MEDIA_HELD) {
		hold_elsewhere(it, p);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (p->at < covers[i].from || p->at >= covers[i].until)
			continue;
		r.warrant = covers[i].warrant;
		msg_put_record(&it->octets, &r);
		if (it->again != NULL && !kept)
			again_keep(it->again, p, covers, count, buf_bytes(&it->octets));
		kept = true;
		lost |= !send_to(it, ROLE_DELIVERY, 0, MSG_RECORD);
	}
	if (lost)
		lose(it, p->at);
	srtp_key_clear(&r.media.key);
}

#define RECORD_WARRANT 1 /* where the octets of a record have it */

static void send_again(void *arg, uint32_t warrant, struct bytes record)
{
	struct intercept *it = arg;

	if (!buf_add(&it->octets, record.at, record.len))
		return;
	put_be32(it->octets.at + RECORD_WARRANT, warrant);
	if (!send_to(it, ROLE_DELIVERY, 0, MSG_RECORD))
		lose(it, it->settled);
}

void intercept_step(struct intercept *it, const struct step *s)
{
	front_step(it->front, s);
	if (it->again != NULL && s->kind == STEP_COVER)
		again_cover(it->again, s, send_again, it);
}

static void signal_out(struct intercept *it, const struct datagram *d)
{
	if (it->index == 0) {
		back_signal(it, 0, d);
		return;
	}
	msg_put_datagram(&it->octets, d);
	if (!send_to(it, ROLE_INTERCEPT, 0, MSG_SIGNAL))
		lose(it, d->at);
}

static void tell(struct intercept *it, const struct front_out *o)
{
	switch (o->kind) {
	case FRONT_SIGNAL:
		signal_out(it, o->datagram);
		break;
	case FRONT_FORWARD:
		msg_put_datagram(&it->octets, o->datagram);
		if (!send_to(it, ROLE_INTERCEPT, o->to, MSG_FORWARD))
			lose(it, o->datagram->at);
		break;
	case FRONT_HELD_WANTED:
		want_back(it, o->call);
		break;
	case FRONT_LOST:
		lose_many(it, o->from, o->until, o->packets);
		break;
	case FRONT_UNCLAIMED:
	case FRONT_NOTHING:
		break;
	}
}

void front_drain(struct intercept *it)
{
	const struct media_packet *p;
	const struct cover *covers;
	struct front_out o;
	size_t count;

	for (;;) {
		if (front_media(it->front, &p, &covers, &count))
			media_out(it, p, covers, count);
		else if (it->back != NULL && back_drain(it))
			continue;
		else if (front_next(it->front, &o))
			tell(it, &o);
		else
			return;
	}
}

static void on_frame(void *arg, const struct frame *f)
{
	struct intercept *it = arg;

	it->interfaces[f->source].frames++;
	it->interfaces[f->source].last = f->at;
	it->interfaces[f->source].octets += f->wire_len;
	if (front_take(it->front, f))
		front_drain(it);
}

static bool read_ring(struct intercept *it, size_t i)
{
	return live_take(it->live, i, BATCH, on_frame, it) > 0;
}

/* All of them in turn, so that what came at one time is seen at one time. */
static void on_ring(void *arg)
{
	struct intercept *it = arg;

	for (size_t i = 0; i < it->interface_count; i++)
		if (!it->interfaces[i].gone)
			read_ring(it, i);
}

void front_begin(struct intercept *it)
{
	for (size_t i = 0; i < it->interface_count; i++) {
		int fd = live_fd(it->live, i);

		if (fd >= 0 && it->interfaces[i].watch == NULL)
			it->interfaces[i].watch = loop_watch_new(it->loop, fd, LOOP_READ, on_ring, it);
	}
	if (it->begun == NSEC_NONE)
		it->begun = nsec_now();
}

nsec_t front_read(struct intercept *it)
{
	const nsec_t until = loop_now() + TURN;
	nsec_t read = NSEC_EVER;

	for (size_t i = 0; i < it->interface_count; i++) {
		bool more = !it->interfaces[i].gone && it->interfaces[i].watch != NULL;

		while (more && loop_now() < until)
			more = read_ring(it, i);
		if (more && it->interfaces[i].last < read)
			read = it->interfaces[i].last;
	}
	return read;
}

void front_read_all(struct intercept *it)
{
	const nsec_t until = loop_now() + NSEC_PER_SEC / 2;

	for (size_t i = 0; i < it->interface_count; i++)
		while (!it->interfaces[i].gone && loop_now() < until && read_ring(it, i))
			;
}
