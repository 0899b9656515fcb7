/* match: which warrants a message falls under, and by what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/match.h"

#define SECOND NSEC_PER_SEC
#define IMEI   "urn:gsma:imei:90420156-025763-0"

/* A matcher, its warrants, and a message that is put together party by party. */
struct scene {
	struct match *match;
	struct warrant_set set;
	struct sip_message message;
	const struct hit *hits;
};

static int open_scene(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->match = match_new();
	*state = s;
	return s->match == NULL;
}

static int close_scene(void **state)
{
	struct scene *s = *state;

	match_free(s->match);
	warrant_set_clear(&s->set);
	free(s);
	return 0;
}

/* A warrant for targets by comma-free URIs, up to two; its number is its place from 1. */
static struct warrant *warranted(struct scene *s, const char *first, const char *second)
{
	struct target targets[2] = { { .uri = (char *)first }, { .uri = (char *)second } };
	struct warrant w = { .number = (uint32_t)s->set.count + 1,
		.liid = "L",
		.agency = (char *)"a",
		.authority = (char *)"c",
		.targets = targets,
		.target_count = second != NULL ? 2 : 1,
		.from = 0,
		.until = NSEC_EVER,
		.scope = SCOPE_ALL };

	for (size_t i = 0; i < w.target_count; i++)
		assert_int_equal(identity_target(bytes_of(targets[i].uri), &targets[i].id, NULL), 0);
	assert_true(warrant_add(&s->set, &w));
	assert_true(match_targets(s->match, &s->set));
	return &s->set.all[s->set.count - 1];
}

static struct sip_message *begin(struct scene *s, enum sip_method method, uint16_t status, nsec_t at)
{
	memset(&s->message, 0, offsetof(struct sip_message, sdp));
	s->message.at = at;
	s->message.method = method;
	s->message.request = status == 0;
	s->message.status = status;
	s->message.call_id = bytes_of("c1");
	s->message.cseq = 1;
	s->message.expires = UINT32_MAX;
	return &s->message;
}

static struct sip_party *name(struct scene *s, enum sip_header h, const char *uri)
{
	struct sip_party *p = &s->message.parties[s->message.party_count++];

	p->header = h;
	p->uri = bytes_of(uri);
	p->expires = UINT32_MAX;
	identity_parse(p->uri, &p->id);
	return p;
}

static size_t match(struct scene *s)
{
	return match_message(s->match, &s->message, &s->hits);
}

/* Hits of an INVITE that names one party. */
static size_t match_one(struct scene *s, enum sip_header h, const char *uri)
{
	begin(s, SIP_INVITE, 0, 10 * SECOND);
	name(s, h, uri);
	return match(s);
}

/* S31, S34, S35: the canonical forms meet. */
static void a_target_is_found_in_any_spelling(void **state)
{
	struct scene *s = *state;

	warranted(s, "tel:+49(30)1234-56", "sip:Bob@Example.COM");
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "tel:+4930123456"), 1);
	assert_int_equal(s->hits[0].target, 0);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "sip:004930123456@x;user=phone"), 1);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "tel:123456;phone-context=+4930"), 1);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "sips:Bob@example.com:5061"), 1);
	assert_int_equal(s->hits[0].target, 1);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "sip:bob@example.com"), 0);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "tel:+914930123456"), 0);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "tel:3456"), 0);
	assert_int_equal(match_one(s, SIP_HEADER_PAI, "sip:example.com"), 0);
}

/* S32, S33 and cli.md: header by header, in a request and in a response. */
static void each_header_says_its_side_or_nothing(void **state)
{
	static const struct {
		enum sip_header header;
		int request, response; /* side, or -1: no hit */
	} rules[] = {
		{ SIP_HEADER_REQUEST_URI, HIT_TO_TARGET, HIT_TO_TARGET },
		{ SIP_HEADER_TO, HIT_TO_TARGET, HIT_TO_TARGET },
		{ SIP_HEADER_PCPID, HIT_TO_TARGET, HIT_TO_TARGET },
		{ SIP_HEADER_PAI, HIT_FROM_TARGET, HIT_TO_TARGET },
		{ SIP_HEADER_SERVED_USER, HIT_TO_TARGET, HIT_TO_TARGET },
		{ SIP_HEADER_DIVERSION, HIT_DIVERTING, HIT_DIVERTING },
		{ SIP_HEADER_HISTORY, HIT_TO_TARGET, HIT_TO_TARGET }, /* the only entry is the last */
		{ SIP_HEADER_FROM, -1, -1 },
		{ SIP_HEADER_PPI, -1, -1 },
		{ SIP_HEADER_RPID, -1, -1 },
		{ SIP_HEADER_CONTACT, -1, -1 },
		{ SIP_HEADER_ASSOCIATED, -1, -1 },
		{ SIP_HEADER_REFER_TO, -1, -1 },
		{ SIP_HEADER_REFERRED_BY, -1, -1 },
	};
	struct scene *s = *state;

	assert_int_equal(sizeof(rules) / sizeof(rules[0]), SIP_HEADERS);
	warranted(s, "sip:bob@ims.example", NULL);
	for (size_t i = 0; i < SIP_HEADERS; i++) {
		for (int response = 0; response < 2; response++) {
			int side = response ? rules[i].response : rules[i].request;

			begin(s, SIP_INVITE, response ? 180 : 0, 10 * SECOND);
			name(s, rules[i].header, "sip:bob@ims.example:5060;x");
			if (match(s) != (side >= 0 ? 1 : 0))
				fail_msg("%s", sip_header_text(rules[i].header));
			if (side < 0)
				continue;
			assert_int_equal(s->hits[0].side, side);
			assert_int_equal(s->hits[0].header, rules[i].header);
			assert_true(s->hits[0].verified);
			assert_int_equal(s->hits[0].warrant, 1);
			assert_memory_equal(s->hits[0].value.at, "sip:bob@ims.example:5060;x", s->hits[0].value.len);
		}
	}
}

static void a_served_user_originates_or_is_reached(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:bob@ims.example", NULL);
	begin(s, SIP_INVITE, 0, SECOND);
	name(s, SIP_HEADER_SERVED_USER, "sip:bob@ims.example")->originating = true;
	assert_int_equal(match(s), 1);
	assert_int_equal(s->hits[0].side, HIT_FROM_TARGET);
}

/* S32 */
static void an_unverified_name_counts_for_those_who_trust_it(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:bob@ims.example", NULL);
	warranted(s, "sip:bob@ims.example", NULL)->trust_from = true;
	begin(s, SIP_INVITE, 0, SECOND);
	name(s, SIP_HEADER_FROM, "sip:bob@ims.example");
	name(s, SIP_HEADER_PPI, "sip:bob@ims.example");
	name(s, SIP_HEADER_RPID, "sip:bob@ims.example");
	assert_int_equal(match(s), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s->hits[i].warrant, 2);
		assert_int_equal(s->hits[i].side, HIT_FROM_TARGET);
		assert_false(s->hits[i].verified);
	}
}

static struct sip_party *entry(struct scene *s, const char *uri, const char *index, const char *parent, uint16_t cause)
{
	struct sip_party *p = name(s, SIP_HEADER_HISTORY, uri);

	p->index = bytes_of(index);
	p->parent = bytes_of(parent);
	p->cause = cause;
	return p;
}

/* Who of three names is on which side, of a history that is the same each time; -1: none. */
static int side_in_history(struct scene *s, const char *target)
{
	struct warrant_set none = { 0 };
	int side = -1;

	assert_true(match_targets(s->match, &none));
	warrant_set_clear(&s->set);
	warranted(s, target, NULL);
	begin(s, SIP_INVITE, 0, SECOND);
	entry(s, "sip:pilot@x.example", "1", "", 0);
	entry(s, "sip:bob@x.example", "1.1", "1", 0);
	entry(s, "sip:bob@192.0.2.4", "1.1.1", "1.1", 0);
	entry(s, "sip:carol@x.example;cause=486", "1.2", "1.1", 486);
	entry(s, "sip:dave@x.example;cause=302", "1.2.1", "1.2", 302);
	if (match(s) == 1)
		side = (int)s->hits[0].side;
	return side;
}

/* TS 24.604, RFC 7044: mp names whom the call was led on from, whatever the index says. */
static void history_tells_who_diverted_and_who_is_called(void **state)
{
	struct scene *s = *state;

	assert_int_equal(side_in_history(s, "sip:pilot@x.example"), -1);
	assert_int_equal(side_in_history(s, "sip:bob@x.example"), HIT_DIVERTING);
	assert_int_equal(side_in_history(s, "sip:bob@192.0.2.4"), -1);
	assert_int_equal(side_in_history(s, "sip:carol@x.example"), HIT_DIVERTING);
	assert_int_equal(side_in_history(s, "sip:dave@x.example"), HIT_TO_TARGET);
}

/* RFC 7044 5: UserA and UserB of its example were each left by a response. */
static void a_response_that_led_away_makes_a_diverting_party(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:UserB@example.com", NULL);
	begin(s, SIP_INVITE, 0, SECOND);
	entry(s, "sip:UserA@ims.example.com", "1", "", 0);
	entry(s, "sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302", "1.1", "1", 302)->cause_led_on = true;
	entry(s, "sip:UserB@example.com?Reason=SIP%3Bcause%3D486", "1.2", "1.1", 486)->cause_led_on = true;
	entry(s, "sip:45432@192.168.0.3", "1.3", "1.2", 0);
	assert_int_equal(match(s), 1);
	assert_int_equal(s->hits[0].side, HIT_DIVERTING);
}

static void of_a_register_only_to_counts(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:bob@ims.example", NULL)->trust_from = true;
	begin(s, SIP_REGISTER, 0, SECOND);
	for (int h = 0; h < SIP_HEADERS; h++)
		name(s, (enum sip_header)h, "sip:bob@ims.example");
	assert_int_equal(match(s), 1);
	assert_int_equal(s->hits[0].header, SIP_HEADER_TO);
}

/* S41, S42 */
static void every_warrant_has_its_hit_once(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:bob@ims.example", "tel:+15550101");
	warranted(s, "sip:alice@ims.example", NULL);
	warranted(s, "sip:+15550101@ims.example;user=phone", NULL);
	begin(s, SIP_INVITE, 0, SECOND);
	name(s, SIP_HEADER_TO, "tel:+15550101");
	name(s, SIP_HEADER_PAI, "sip:alice@ims.example");
	name(s, SIP_HEADER_PAI, "sip:alice@ims.example;again");
	name(s, SIP_HEADER_REQUEST_URI, "sip:bob@ims.example");
	assert_int_equal(match(s), 4);
	assert_int_equal(s->hits[0].warrant, 1);
	assert_int_equal(s->hits[0].target, 1);
	assert_int_equal(s->hits[1].warrant, 3);
	assert_int_equal(s->hits[2].warrant, 2);
	assert_int_equal(s->hits[3].warrant, 1);
	assert_int_equal(s->hits[3].target, 0);
	assert_int_equal(match(s), 4); /* and again in the next message */
}

static void a_warrant_holds_from_its_first_to_before_its_last_moment(void **state)
{
	struct scene *s = *state;
	struct warrant *w = warranted(s, "sip:bob@ims.example", NULL);

	w->from = 10 * SECOND;
	w->until = 20 * SECOND;
	begin(s, SIP_INVITE, 0, 10 * SECOND - 1);
	name(s, SIP_HEADER_TO, "sip:bob@ims.example");
	assert_int_equal(match(s), 0);
	s->message.at = 10 * SECOND;
	assert_int_equal(match(s), 1);
	s->message.at = 20 * SECOND - 1;
	assert_int_equal(match(s), 1);
	s->message.at = 20 * SECOND;
	assert_int_equal(match(s), 0);
}

static void a_new_table_replaces_the_old(void **state)
{
	struct scene *s = *state;
	struct warrant_set none = { 0 };

	warranted(s, "sip:bob@ims.example", NULL);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "sip:bob@ims.example"), 1);
	assert_true(match_targets(s->match, &none));
	assert_int_equal(match_one(s, SIP_HEADER_TO, "sip:bob@ims.example"), 0);
}

/* A REGISTER of sip:carol, or a response to it, that names the device; instance NULL: it does not. */
static size_t registers(
	struct scene *s, nsec_t at, uint16_t status, uint32_t cseq, const char *instance, uint32_t expires)
{
	begin(s, SIP_REGISTER, status, at)->cseq = cseq;
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	if (instance != NULL) {
		struct sip_party *contact = name(s, SIP_HEADER_CONTACT, "sip:carol@192.0.2.1");

		contact->instance = bytes_of(instance);
		contact->expires = expires;
	}
	return match(s);
}

static size_t calls(struct scene *s, nsec_t at)
{
	begin(s, SIP_INVITE, 0, at);
	name(s, SIP_HEADER_PAI, "sip:carol@ims.example");
	return match(s);
}

static void a_device_is_known_by_its_registration_until_it_expires(void **state)
{
	struct scene *s = *state;
	struct identity taught;

	warranted(s, IMEI, NULL);
	assert_int_equal(calls(s, 0), 0);
	assert_int_equal(registers(s, 0, 0, 1, "urn:gsma:imei:90420156-025763-7;svn=1", 600), 1);
	assert_int_equal(s->hits[0].header, SIP_HEADER_TO);
	assert_true(match_taught(s->match, &taught));
	assert_string_equal(taught.uri, "sip:carol@ims.example");
	assert_false(match_taught(s->match, &taught));
	assert_int_equal(registers(s, 1, 200, 1, IMEI, 300), 1);
	assert_int_equal(calls(s, 299 * SECOND), 1);
	assert_int_equal(s->hits[0].header, SIP_HEADER_PAI);
	assert_int_equal(s->hits[0].side, HIT_FROM_TARGET);
	assert_memory_equal(s->hits[0].value.at, "sip:carol@ims.example", s->hits[0].value.len);
	assert_int_equal(calls(s, 301 * SECOND), 0);
}

static void another_device_teaches_nothing(void **state)
{
	struct scene *s = *state;

	warranted(s, IMEI, NULL);
	assert_int_equal(registers(s, 0, 0, 1, "urn:gsma:imei:90420156-025764-0", 600), 0);
	assert_int_equal(registers(s, 0, 0, 2, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 600), 0);
	assert_int_equal(calls(s, SECOND), 0);
}

static void a_registration_ends_when_its_end_is_granted(void **state)
{
	struct scene *s = *state;

	warranted(s, IMEI, NULL);
	registers(s, 0, 0, 1, IMEI, 600);
	registers(s, 1, 200, 1, IMEI, 600);
	assert_int_equal(registers(s, SECOND, 0, 2, IMEI, 0), 1);
	assert_int_equal(calls(s, 2 * SECOND), 1); /* asking for the end is not yet the end */
	assert_int_equal(registers(s, 3 * SECOND, 401, 2, NULL, 0), 1);
	assert_int_equal(calls(s, 60 * SECOND), 1);
	registers(s, 61 * SECOND, 0, 3, IMEI, 0);
	assert_int_equal(registers(s, 62 * SECOND, 200, 3, NULL, 0), 1);
	assert_int_equal(calls(s, 63 * SECOND), 0);
}

static void all_registrations_end_with_a_star(void **state)
{
	struct scene *s = *state;

	warranted(s, IMEI, NULL);
	registers(s, 0, 0, 1, IMEI, 600);
	registers(s, 1, 200, 1, IMEI, 600);
	begin(s, SIP_REGISTER, 0, SECOND)->cseq = 2;
	s->message.expires = 0;
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	match(s);
	assert_int_equal(registers(s, 2 * SECOND, 200, 2, NULL, 0), 1);
	assert_int_equal(calls(s, 3 * SECOND), 0);
}

/* Anyone may claim a device: what is refused, or challenged and not answered, does not hold. */
static void a_refused_registration_is_taken_back(void **state)
{
	struct scene *s = *state;

	warranted(s, IMEI, NULL);
	registers(s, 0, 0, 1, IMEI, 600);
	registers(s, SECOND, 403, 1, NULL, 0);
	assert_int_equal(calls(s, 2 * SECOND), 0);
	registers(s, 10 * SECOND, 0, 2, IMEI, 600);
	registers(s, 11 * SECOND, 401, 2, NULL, 0);
	assert_int_equal(calls(s, 12 * SECOND), 1);
	assert_int_equal(calls(s, 60 * SECOND), 0);
	registers(s, 100 * SECOND, 0, 3, IMEI, 600);
	registers(s, 101 * SECOND, 401, 3, NULL, 0);
	registers(s, 102 * SECOND, 0, 4, IMEI, 600);
	registers(s, 102 * SECOND, 0, 4, IMEI, 600); /* sent twice */
	registers(s, 103 * SECOND, 200, 4, NULL, 0);
	assert_int_equal(calls(s, 600 * SECOND), 1);
	registers(s, 610 * SECOND, 0, 5, IMEI, 3000);
	registers(s, 611 * SECOND, 500, 5, NULL, 0);
	assert_int_equal(calls(s, 690 * SECOND), 1); /* as long as before */
	assert_int_equal(calls(s, 710 * SECOND), 0);
}

static void what_was_taught_stays_with_the_targets_that_stay(void **state)
{
	struct scene *s = *state;
	struct warrant_set none = { 0 };

	warranted(s, IMEI, NULL);
	registers(s, 0, 0, 1, IMEI, 600);
	warranted(s, "sip:other@ims.example", NULL);
	assert_int_equal(calls(s, SECOND), 1);
	assert_true(match_targets(s->match, &none));
	assert_true(match_targets(s->match, &s->set));
	assert_int_equal(calls(s, SECOND), 0);
}

/* RFC 7315 4.1 */
static void the_other_identities_of_a_registration_are_the_targets(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:carol@ims.example", NULL);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "tel:+15550103"), 0);
	begin(s, SIP_REGISTER, 200, SECOND);
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	name(s, SIP_HEADER_CONTACT, "sip:carol@192.0.2.1")->expires = 100;
	name(s, SIP_HEADER_ASSOCIATED, "sip:carol@ims.example");
	name(s, SIP_HEADER_ASSOCIATED, "tel:+1-555-0103");
	assert_int_equal(match(s), 1);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "sip:+15550103@any.example;user=phone"), 1);
	begin(s, SIP_INVITE, 0, 102 * SECOND);
	name(s, SIP_HEADER_TO, "tel:+15550103");
	assert_int_equal(match(s), 0);
}

static void the_identities_of_others_teach_nothing(void **state)
{
	struct scene *s = *state;

	warranted(s, "sip:carol@ims.example", NULL);
	begin(s, SIP_REGISTER, 200, SECOND);
	name(s, SIP_HEADER_TO, "sip:dave@ims.example");
	name(s, SIP_HEADER_ASSOCIATED, "tel:+15550104");
	match(s);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "tel:+15550104"), 0);
	begin(s, SIP_REGISTER, 0, SECOND); /* a request may claim what it likes */
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	name(s, SIP_HEADER_ASSOCIATED, "tel:+15550104");
	match(s);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "tel:+15550104"), 0);
}

/* A REGISTER of carol, or a response to it, with a KMS and her number. */
static void register_carol(struct scene *s, uint16_t status, nsec_t at, const char *kms, uint32_t expires)
{
	begin(s, SIP_REGISTER, status, at)->kms = bytes_of(kms);
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	name(s, SIP_HEADER_CONTACT, "sip:carol@192.0.2.1")->expires = expires;
	name(s, SIP_HEADER_ASSOCIATED, "tel:+15550103");
	name(s, SIP_HEADER_ASSOCIATED, "sip:carol@ims.example");
	match(s);
}

/* A hit by a number at that time: the KMS and the SIP URI that go with it. */
static void assert_bound(struct scene *s, nsec_t at, const char *kms, const char *sip)
{
	begin(s, SIP_INVITE, 0, at);
	name(s, SIP_HEADER_PAI, "tel:+15550103");
	assert_int_equal(match(s), 1);
	assert_int_equal(s->hits[0].kms.len, strlen(kms));
	assert_memory_equal(s->hits[0].kms.at, kms, strlen(kms));
	assert_int_equal(s->hits[0].sip.len, strlen(sip));
	assert_memory_equal(s->hits[0].sip.at, sip, strlen(sip));
}

static void a_registration_binds_its_kms_and_its_sip_uri_to_the_target(void **state)
{
	struct scene *s = *state;

	warranted(s, "tel:+15550103", NULL);
	register_carol(s, 0, SECOND, "sip:kms@evil.example", 100); /* a request may claim what it likes */
	assert_bound(s, 2 * SECOND, "", "");
	register_carol(s, 200, 2 * SECOND, "sip:kms@ims.example", 100);
	assert_bound(s, 3 * SECOND, "sip:kms@ims.example", "sip:carol@ims.example");
	register_carol(s, 200, 50 * SECOND, "", 100); /* a refresh need not say it again */
	assert_bound(s, 149 * SECOND, "sip:kms@ims.example", "sip:carol@ims.example");
	assert_bound(s, 151 * SECOND, "", "");
}

static void the_end_of_a_registration_ends_what_is_bound(void **state)
{
	struct scene *s = *state;

	warranted(s, "tel:+15550103", NULL);
	register_carol(s, 200, SECOND, "sip:kms@ims.example", 100);
	begin(s, SIP_REGISTER, 200, 2 * SECOND); /* no contact is left */
	name(s, SIP_HEADER_TO, "sip:carol@ims.example");
	name(s, SIP_HEADER_ASSOCIATED, "tel:+15550103");
	match(s);
	assert_bound(s, 3 * SECOND, "", "");
	register_carol(s, 200, 4 * SECOND, "sip:kms@ims.example", 100);
	register_carol(s, 200, 5 * SECOND, "sip:kms@ims.example", 0);
	assert_bound(s, 6 * SECOND, "", "");
}

static void a_registration_of_others_binds_nothing(void **state)
{
	struct scene *s = *state;

	warranted(s, "tel:+15550103", NULL);
	begin(s, SIP_REGISTER, 200, SECOND)->kms = bytes_of("sip:kms@evil.example");
	name(s, SIP_HEADER_TO, "sip:dave@ims.example");
	name(s, SIP_HEADER_CONTACT, "sip:dave@192.0.2.1")->expires = 100;
	match(s);
	assert_bound(s, 2 * SECOND, "", "");
}

static void a_flood_of_registrations_is_bounded(void **state)
{
	struct scene *s = *state;
	char user[64];

	warranted(s, IMEI, NULL);
	for (uint32_t i = 0; i < 20000; i++) {
		snprintf(user, sizeof(user), "sip:u%u@ims.example", i);
		begin(s, SIP_REGISTER, 0, i)->cseq = i;
		name(s, SIP_HEADER_TO, user);
		name(s, SIP_HEADER_CONTACT, "sip:a@192.0.2.1")->instance = bytes_of(IMEI);
		s->message.expires = 60;
		match(s);
	}
	assert_int_equal(match_one(s, SIP_HEADER_TO, "sip:u5@ims.example"), 1);
	assert_int_equal(match_one(s, SIP_HEADER_TO, "sip:u19999@ims.example"), 0);
	assert_int_equal(registers(s, 100 * SECOND, 0, 1, IMEI, 60), 1); /* once the flood has expired */
}

static void what_matched_is_counted(void **state)
{
	struct scene *s = *state;
	struct counter c;

	warranted(s, "sip:bob@ims.example", NULL);
	match_one(s, SIP_HEADER_TO, "sip:bob@ims.example");
	match_one(s, SIP_HEADER_TO, "sip:eve@ims.example");
	assert_int_equal(match_counts(s->match, &c, 1), 1);
	assert_string_equal(c.name, "matched");
	assert_int_equal(c.value, 1);
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
	const struct CMUnitTest tests[] = {
		IN_SCENE(a_target_is_found_in_any_spelling),
		IN_SCENE(each_header_says_its_side_or_nothing),
		IN_SCENE(a_served_user_originates_or_is_reached),
		IN_SCENE(an_unverified_name_counts_for_those_who_trust_it),
		IN_SCENE(history_tells_who_diverted_and_who_is_called),
		IN_SCENE(a_response_that_led_away_makes_a_diverting_party),
		IN_SCENE(of_a_register_only_to_counts),
		IN_SCENE(every_warrant_has_its_hit_once),
		IN_SCENE(a_warrant_holds_from_its_first_to_before_its_last_moment),
		IN_SCENE(a_new_table_replaces_the_old),
		IN_SCENE(a_device_is_known_by_its_registration_until_it_expires),
		IN_SCENE(another_device_teaches_nothing),
		IN_SCENE(a_registration_ends_when_its_end_is_granted),
		IN_SCENE(all_registrations_end_with_a_star),
		IN_SCENE(a_refused_registration_is_taken_back),
		IN_SCENE(what_was_taught_stays_with_the_targets_that_stay),
		IN_SCENE(the_other_identities_of_a_registration_are_the_targets),
		IN_SCENE(the_identities_of_others_teach_nothing),
		IN_SCENE(a_registration_binds_its_kms_and_its_sip_uri_to_the_target),
		IN_SCENE(the_end_of_a_registration_ends_what_is_bound),
		IN_SCENE(a_registration_of_others_binds_nothing),
		IN_SCENE(a_flood_of_registrations_is_bounded),
		IN_SCENE(what_matched_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
