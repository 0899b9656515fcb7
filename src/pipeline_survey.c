/* pipeline_survey: datagrams sorted by their first octets (RFC 7983) and, where those say nothing, by port: a bounded list. */
#include "pipeline_survey.h"

#include <stdlib.h>

#include "otway/decap.h"

#define SIPS_PORT 5061
#define ROWS_MAX  64
#define PORTS_MAX 32 /* rows that are told apart by nothing but their port */

struct survey {
	uint64_t count[PIPELINE_SORTS];
	struct pipeline_unclaimed rows[ROWS_MAX];
	size_t row_count, others;
};

struct survey *survey_new(void)
{
	return calloc(1, sizeof(struct survey));
}

void survey_free(struct survey *s)
{
	free(s);
}

static bool is_stun(struct bytes p)
{
	return p.len >= 20 && p.at[0] < 4 && be32(p.at + 4) == 0x2112a442 && be16(p.at + 2) + (size_t)20 <= p.len;
}

/* A record of DTLS 1.0 or 1.2, whose version numbers count downwards. */
static bool is_dtls(struct bytes p)
{
	return p.len >= 13 && p.at[0] >= 20 && p.at[0] <= 63 && p.at[1] == 0xfe && p.at[2] >= 0xfc;
}

static enum pipeline_sort sort_of(struct bytes p, uint32_t *id)
{
	*id = decap_guess(p);
	if (*id != DECAP_TUNNELS)
		return SORT_TUNNEL;
	if (is_stun(p))
		return SORT_STUN;
	if (is_dtls(p))
		return SORT_DTLS;
	if (p.len >= 8 && p.at[0] >> 6 == 2 && p.at[1] >= 192 && p.at[1] <= 223)
		return SORT_RTCP;
	return p.len >= 12 && p.at[0] >> 6 == 2 ? SORT_RTP : SORT_OTHER;
}

/* A tunnel is known by the port it goes to, a service by the lower one. Media is on any port: it has one row for all. */
static uint16_t port_of(enum pipeline_sort sort, const struct flow *f)
{
	if (sort == SORT_TUNNEL)
		return f->dst.port;
	if (sort == SORT_DTLS)
		return f->src.port == SIPS_PORT || f->dst.port == SIPS_PORT ? SIPS_PORT : 0;
	if (sort != SORT_OTHER)
		return 0;
	return f->src.port < f->dst.port ? f->src.port : f->dst.port;
}

static struct pipeline_unclaimed *row_of(struct survey *s, enum pipeline_sort sort, uint32_t id, uint16_t port)
{
	struct pipeline_unclaimed *row = s->rows;

	while (row < s->rows + s->row_count && (row->sort != sort || row->id != id || row->port != port))
		row++;
	return row;
}

void survey_take(struct survey *s, const struct datagram *d)
{
	struct pipeline_unclaimed *row;
	enum pipeline_sort sort;
	uint32_t id;

	if (s == NULL)
		return;
	sort = sort_of(d->payload, &id);
	s->count[sort]++;
	row = row_of(s, sort, id, port_of(sort, &d->flow));
	if (row == s->rows + s->row_count && sort == SORT_OTHER && s->others >= PORTS_MAX)
		row = row_of(s, sort, id, 0);
	if (row == s->rows + ROWS_MAX)
		return;
	if (row == s->rows + s->row_count) {
		bool rest = sort == SORT_OTHER && s->others >= PORTS_MAX;

		*row = (struct pipeline_unclaimed){ sort, id, rest ? 0 : port_of(sort, &d->flow), 0 };
		s->row_count++;
		s->others += sort == SORT_OTHER;
	}
	row->packets++;
}

bool survey_get(const struct survey *s, size_t i, struct pipeline_unclaimed *out)
{
	if (s == NULL || i >= s->row_count)
		return false;
	*out = s->rows[i];
	return true;
}

size_t survey_counts(const struct survey *s, struct counter *out, size_t max)
{
	static const char *const names[PIPELINE_SORTS] = { "udp_tunnel", "udp_dtls", "udp_rtp", "udp_rtcp", "udp_stun",
		"udp_other" };
	size_t n = 0;

	for (; s != NULL && n < PIPELINE_SORTS && n < max; n++)
		out[n] = (struct counter){ names[n], s->count[n] };
	return n;
}
