/* cmd_warrant: warrants: add, list, show, extend, revoke, history. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "warrant_words.h"

#define REASON_MAX 1000

static int print_one(void *arg, const struct warrant_row *r)
{
	const struct cli *c = arg;

	if (c->json)
		output_json(warrant_words_json(r, nsec_now()));
	else
		warrant_words_print(r, nsec_now());
	return 0;
}

/* After a change: what the warrant is now, times absolute. */
struct echo {
	const struct cli *c;
	bool changed;
	const char *what;
};

static int echo_one(void *arg, const struct warrant_row *r)
{
	const struct echo *e = arg;
	char from[NSEC_TEXT], until[NSEC_TEXT];
	json_t *now = e->c->json ? warrant_words_json(r, nsec_now()) : NULL;

	if (now != NULL)
		json_object_set_new(now, "changed", json_boolean(e->changed));
	if (e->c->json)
		output_json(now);
	output_say(e->c, "warrant %" PRIu32 " %s: LIID %s for %s, from %s until %s, %s", r->w.number, e->what,
		r->w.liid, r->w.agency, nsec_text(r->w.from, from), nsec_text(r->w.until, until),
		warrant_state(r, nsec_now()));
	return 0;
}

static int echo(const struct cli *c, const char *liid, bool fresh, const char *done, struct err *err)
{
	struct echo e = { c, fresh, fresh ? done : "unchanged" };

	return store_warrant_each(c->store, liid, echo_one, &e, err);
}

static int run_add(struct cli *c, struct err *err)
{
	struct warrant_row row;
	bool fresh = false;
	int rc = -1;

	if (warrant_words_read(c, nsec_now(), &row, err) == 0 && cli_store(c, true, err) == 0 &&
		warrant_words_targets(&row, err) == 0 && store_warrant_add(c->store, &row, &fresh, err) == 0)
		rc = echo(c, row.w.liid, fresh, "entered", err);
	warrant_row_clear(&row);
	return rc;
}

static int add_json(void *arg, const struct warrant_row *r)
{
	json_array_append_new(arg, warrant_words_json(r, nsec_now()));
	return 0;
}

static int add_row(void *arg, const struct warrant_row *r)
{
	char number[16], targets[24], from[NSEC_TEXT], until[NSEC_TEXT];
	const char *const cells[] = { number, r->w.liid, r->w.agency, warrant_state(r, nsec_now()),
		nsec_text(r->w.from, from), nsec_text(r->w.until, until), warrant_scope_text(r->w.scope), targets };

	snprintf(number, sizeof(number), "%" PRIu32, r->w.number);
	snprintf(targets, sizeof(targets), "%zu", r->w.target_count);
	output_row(arg, cells, COUNT_OF(cells));
	return 0;
}

static int run_list(struct cli *c, struct err *err)
{
	static const char *const heads[] = { "WARRANT", "LIID", "AGENCY", "STATE", "FROM", "UNTIL", "SCOPE",
		"TARGETS" };
	struct output_table table = { 0 };
	json_t *all = json_array();
	int rc;

	output_row(&table, heads, COUNT_OF(heads));
	rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_warrant_each(
			c->store, NULL, c->json ? add_json : add_row, c->json ? (void *)all : (void *)&table, err);
	if (rc == 0 && c->json)
		output_json(json_pack("{s:O}", "warrants", all));
	output_table(&table, rc == 0 && !c->json);
	json_decref(all);
	return rc;
}

static int run_show(struct cli *c, struct err *err)
{
	if (cli_store(c, false, err) < 0)
		return -1;
	return store_warrant_each(c->store, c->operands[0], print_one, c, err);
}

static int take_from(void *arg, const struct warrant_row *r)
{
	*(nsec_t *)arg = r->w.from;
	return 0;
}

static int run_extend(struct cli *c, struct err *err)
{
	const char *liid = c->operands[0], *authority = args_text(c, "authority"), *until = args_text(c, "until");
	nsec_t from = 0, to;
	bool fresh;

	if (authority != NULL && cli_check_text("--authority", authority, REASON_MAX, err) < 0)
		return -1;
	if (cli_store(c, false, err) < 0 || store_warrant_each(c->store, liid, take_from, &from, err) < 0 ||
		warrant_words_until(until, from, nsec_now(), &to, err) < 0 ||
		store_warrant_extend(c->store, liid, to, until, authority, &fresh, err) < 0)
		return -1;
	return echo(c, liid, fresh, "extended", err);
}

static int run_revoke(struct cli *c, struct err *err)
{
	const char *liid = c->operands[0], *reason = args_text(c, "reason");
	bool fresh;

	if (cli_check_text("--reason", reason, REASON_MAX, err) < 0)
		return -1;
	if (cli_store(c, false, err) < 0 || store_warrant_revoke(c->store, liid, reason, &fresh, err) < 0)
		return -1;
	return echo(c, liid, fresh, "revoked", err);
}

static int print_change(void *arg, const struct warrant_change *change)
{
	(void)arg;
	output_json(json_pack("{s:o, s:s, s:s, s:s, s:s?, s:s?}", "at", output_time(change->at), "actor", change->actor,
		"act", change->act, "field", change->field, "before", change->before, "after", change->after));
	return 0;
}

static int add_change(void *arg, const struct warrant_change *change)
{
	char at[NSEC_TEXT];
	const char *const cells[] = { nsec_text(change->at, at), change->actor, change->act, change->field,
		change->before != NULL ? change->before : "-", change->after != NULL ? change->after : "-" };

	output_row(arg, cells, COUNT_OF(cells));
	return 0;
}

static int run_history(struct cli *c, struct err *err)
{
	static const char *const heads[] = { "AT", "WHO", "ACT", "FIELD", "BEFORE", "AFTER" };
	struct output_table table = { 0 };
	int rc;

	output_row(&table, heads, COUNT_OF(heads));
	rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_warrant_history(c->store, c->operands[0], c->json ? print_change : add_change, &table, err);
	output_table(&table, rc == 0 && !c->json);
	return rc;
}

static const struct cli_option add_options[] = {
	{ .name = "liid", .argument = "LIID", .help = "lawful interception identifier, unique", .required = true },
	{ .name = "agency", .argument = "NAME", .help = "the agency it is for", .required = true },
	{ .name = "target", .argument = "URI", .help = "sip, sips, tel or IMEI URI", .required = true, .many = true },
	{ .name = "from", .argument = "TIME", .help = "when it begins: now, or RFC 3339", .required = true },
	{ .name = "until", .argument = "TIME", .help = "when it ends; +72h counts from --from", .required = true },
	{ .name = "authority", .argument = "TEXT", .help = "the court's order", .required = true },
	{ .name = "scope", .argument = "SCOPE", .help = "iri, cc or all (the default)" },
	{ .name = "document", .argument = "FILE", .help = "the order's file: name and hash are kept" },
	{ .name = "trust-from", .help = "match what callers say of themselves too" },
	{ .name = "diverted", .argument = "HOW", .help = "report, or content (the default)" },
};

static const struct cli_option extend_options[] = {
	{ .name = "until",
		.argument = "TIME",
		.help = "the new end; +96h counts from its beginning",
		.required = true },
	{ .name = "authority", .argument = "TEXT", .help = "the order that says so" },
};

static const struct cli_option revoke_options[] = {
	{ .name = "reason", .argument = "TEXT", .help = "why", .required = true },
};

static const struct cli_verb verbs[] = {
	{ .name = "add",
		.help = "enter a warrant; the same again is done already",
		.examples = "otway warrant add --liid NZ-1 --agency Police --target sip:bob@ims.example \\\n"
			    "    --from now --until +72h --authority 'Court 12/26'",
		.notes = "A target is one subscriber. Other content under a LIID that is there is refused.",
		.options = add_options,
		.option_count = COUNT_OF(add_options),
		.run = run_add },
	{ .name = "list", .help = "all warrants", .examples = "otway warrant list --json", .run = run_list },
	{ .name = "show",
		.operands = "LIID",
		.operands_min = 1,
		.operands_max = 1,
		.help = "one warrant, whole",
		.examples = "otway warrant show NZ-1",
		.run = run_show },
	{ .name = "extend",
		.operands = "LIID",
		.operands_min = 1,
		.operands_max = 1,
		.help = "let it run longer",
		.examples = "otway warrant extend NZ-1 --until +96h --authority 'Court 14/26'",
		.options = extend_options,
		.option_count = COUNT_OF(extend_options),
		.run = run_extend },
	{ .name = "revoke",
		.operands = "LIID",
		.operands_min = 1,
		.operands_max = 1,
		.help = "close it for good",
		.examples = "otway warrant revoke NZ-1 --reason 'order withdrawn'",
		.notes = "Nothing is opened under a revoked warrant, whenever it was captured.",
		.options = revoke_options,
		.option_count = COUNT_OF(revoke_options),
		.run = run_revoke },
	{ .name = "history",
		.operands = "LIID",
		.operands_min = 1,
		.operands_max = 1,
		.help = "every change of it: who, when, before, after",
		.examples = "otway warrant history NZ-1",
		.run = run_history },
};

const struct cli_group cmd_warrant = {
	.name = "warrant",
	.help = "whose communication may be opened, from when to when",
	.notes = "A target is one subscriber: a sip, sips or tel URI with a user part, or urn:gsma:imei:... Wildcards, "
		 "bare\n"
		 "domains and anything else that is wider are refused, and so are a local tel number without its\n"
		 "phone-context (RFC 3966), a password and control characters. Where a warrant begins in mid-call, "
		 "media\n"
		 "is taken from the next message that describes it; what was said before is not used.\n\n"
		 "It is matched on Request-URI, To, P-Asserted-Identity, P-Called-Party-ID, P-Served-User, Diversion "
		 "and\n"
		 "History-Info; with --trust-from also on From, P-Preferred-Identity and Remote-Party-ID, marked "
		 "unverified.\n\n"
		 "--from and --until are judged by the time of each packet. --scope iri gives signalling only, with "
		 "message texts\n"
		 "blanked; cc gives media only. With --diverted report, a call that has left the target gives "
		 "signalling only.\n\n"
		 "A LIID is 1 to 25 printable ASCII octets. Entering the same warrant again is done already, where "
		 "times that\n"
		 "are spans compare by the words entered.",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
