/* triage: what it denies, the full parse and match must not find; what joins calls, it sees as they do. */
#include <stdlib.h>

#include "otway/match.h"
#include "otway/sip.h"
#include "otway/triage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip *sip;
static struct match *match;
static struct triage *triage;

static void open_all(void)
{
	static const char *const uris[] = { "sip:bob@ims.example", "tel:+4930123456", "sip:b%40b@[2001:db8::1]",
		"sip:1234@pbx.example", "sips:Carol.O'Hara@x", "tel:123456;phone-context=+49",
		"tel:911;phone-context=x.example", "urn:gsma:imei:35690000-123456-0",
		"sip:+15550101@ims.example;user=phone" };
	static struct target targets[sizeof(uris) / sizeof(uris[0])];
	static struct warrant w = { .number = 1,
		.from = INT64_MIN,
		.until = INT64_MAX,
		.scope = SCOPE_ALL,
		.trust_from = true,
		.targets = targets };
	static struct warrant_set set = { &w, 1 };

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		w.target_count += identity_parse(bytes_of(uris[i]), &targets[w.target_count].id);
	sip = sip_new(NULL);
	match = match_new();
	triage = triage_new();
	if (!match_targets(match, &set) || !triage_targets(triage, &set))
		abort();
}

static void same_ties(const struct sip_message *m, const struct glance *g)
{
	if (!bytes_equal(m->call_id, g->call_id))
		abort();
	if (m->session_local.len > 0 && !bytes_equal(m->session_local, g->session[0]))
		abort();
	if (m->icid.len > 0 && !bytes_equal(m->icid, g->icid))
		abort();
	for (size_t i = 0; m->has_sdp && i < m->sdp.line_count && g->inline_count < GLANCE_INLINES; i++)
		for (size_t j = 0; j < m->sdp.lines[i].crypto_count; j++)
			if (m->sdp.lines[i].cryptos[j].key_count > 0 && g->inline_count == 0)
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct datagram in = { .proto = IP_PROTO_UDP, .packet = { data, size }, .payload = { data, size } };
	const struct sip_message *m;
	const struct hit *hits;
	struct identity taught;
	struct glance g;

	if (sip == NULL)
		open_all();
	sip_take(sip, &in);
	while (sip_next(sip, &m)) {
		triage_look(triage, m->datagram->payload, &g);
		if (match_message(match, m, &hits) > 0 && !g.may_match)
			abort();
		while (match_taught(match, &taught))
			triage_add(triage, &taught);
		if (!g.may_match && g.call_id.len > 0)
			same_ties(m, &g);
	}
	return 0;
}
