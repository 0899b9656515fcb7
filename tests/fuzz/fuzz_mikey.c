/* fuzz_mikey: a message decoded, checked, told as text, encoded again; its sessions read, its ticket opened, its keys asked for. */
#include <stdlib.h>

#include "otway/mikey_facts.h"
#include "otway/mikey_transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[16] = { 0x21 };
static const struct bytes secret = { key, sizeof(key) };

/* What decodes is the same octets again. */
static void round_trip(const struct mikey *m)
{
	struct buf b = { 0 };

	if (!mikey_encode(m, &b) || !bytes_equal(buf_bytes(&b), m->whole))
		abort();
	buf_reset(&b);
	if (!mikey_facts_text(m, 0, &b))
		abort();
	buf_clear(&b);
}

static void ask_for_keys(const struct mikey *m, struct mikey_secrets *s)
{
	const struct mikey_exchange e[] = { { m, m }, { m, m } };
	const struct mikey_call call = { .exchanges = e, .count = 2, .sessions = 2 };
	struct mikey_stream out[MIKEY_STREAMS];
	struct mikey_secrets forked;
	struct err err;
	size_t count;
	bool verified;

	mikey_read_sessions(e, 2, out);
	mikey_session_keys(s, &call, out, &count, &verified, &err);
	mikey_transfer_verify(m, s, NULL);
	mikey_transfer_answered(m, m, s, &forked, &err);
}

static void take_as_user(const struct mikey *m, struct mikey_secrets *s)
{
	struct mikey_name answered;
	struct bytes rand_kms;
	struct err err;

	mikey_request_verify(m, secret, NULL);
	mikey_request_answered(m, m, secret, s, &err);
	mikey_resolve_answered(m, m, secret, s, &answered, &rand_kms, &err);
}

static void open_ticket(const struct mikey_payload *ticket, struct mikey_secrets *s)
{
	struct mikey_policy policy;
	struct mikey_keys wanted;
	struct mikey_name psk;
	struct err err;

	mikey_policy_read(ticket, &policy, &wanted, &err);
	if (ticket->type == MIKEY_TICKET) {
		mikey_ticket_psk(ticket, &psk, &err);
		mikey_ticket_open(ticket, secret, s, &err);
		mikey_ticket_initiator(ticket, secret);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mikey *m = malloc(sizeof(*m));
	struct mikey_secrets *s = calloc(1, sizeof(*s));
	struct mikey_keys k;
	struct err err;

	if (m != NULL && s != NULL && mikey_decode((struct bytes){ data, size }, m, &err)) {
		round_trip(m);
		mikey_check(m, &err);
		for (size_t i = 0; i < m->count; i++)
			if (m->payloads[i].type == MIKEY_TP || m->payloads[i].type == MIKEY_TICKET)
				open_ticket(&m->payloads[i], s);
			else if (m->payloads[i].type == MIKEY_KEMAC)
				mikey_keys_read(m->payloads[i].kemac.data, &k, &err);
		take_as_user(m, s);
		memset(s, 0, sizeof(*s));
		if (mikey_keys_add(&s->keys, MIKEY_TGK, secret, secret, secret) != NULL) {
			s->mpki = s->mpkr = s->keys.at[0];
			s->has_mpkr = true;
			ask_for_keys(m, s);
		}
	}
	free(s);
	free(m);
	return 0;
}
