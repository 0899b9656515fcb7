/* foreign: a list of copies, each wiped when it was given. */
#include "foreign.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define PACKETS 4096 /* that wait */

struct foreign_packet {
	struct foreign_packet *next;
	size_t size;
	struct datagram datagram;
	uint8_t octets[];
};

static void packet_free(struct foreign_packet *p)
{
	if (p != NULL)
		secret_free(p, p->size);
}

void foreign_clear(struct foreign *q)
{
	while (foreign_next(q) != NULL)
		;
}

static void lose(struct foreign *q, nsec_t at)
{
	if (q->lost == 0 || at < q->lost_from)
		q->lost_from = at;
	if (q->lost == 0 || at > q->lost_until)
		q->lost_until = at;
	q->lost++;
}

void foreign_keep(struct foreign *q, const struct datagram *d)
{
	size_t size = sizeof(struct foreign_packet) + d->packet.len;
	struct foreign_packet *p = q->count < PACKETS ? malloc(size) : NULL;

	if (p == NULL) {
		lose(q, d->at);
		return;
	}
	p->next = NULL;
	p->size = size;
	memcpy(p->octets, d->packet.at, d->packet.len);
	p->datagram = *d;
	p->datagram.packet.at = p->octets;
	p->datagram.payload.at = p->octets + (d->payload.at - d->packet.at);
	if (q->first == NULL)
		q->first = p;
	else
		q->last->next = p;
	q->last = p;
	q->count++;
}

const struct datagram *foreign_next(struct foreign *q)
{
	packet_free(q->given);
	q->given = q->first;
	if (q->given == NULL)
		return NULL;
	q->first = q->given->next;
	q->count--;
	return &q->given->datagram;
}
