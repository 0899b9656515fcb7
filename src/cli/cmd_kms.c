/* cmd_kms: key management services: agreements with them, and the reference one. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd_kms.h"
#include "otway/base/text.h"
#include "otway/http.h"
#include "otway/resolve.h"

#define VALUE_MAX 500

static json_t *list_json(char *const *all, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(all[i]));
	return list;
}

static json_t *kms_json(const struct kms_agreement *a, nsec_t added)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:o}", "number", (int)a->number,
		"identity", a->identity, "url", a->url, "ca", a->ca, "cert", a->cert, "key", a->key, "homes",
		list_json(a->homes, a->home_count), "users", list_json(a->users, a->user_count), "roaming_partner",
		a->roaming_partner, "default", a->network_default, "added", output_time(added));
}

/* A file by its whole path: whoever asks later may stand elsewhere. */
static int read_file(const struct cli *c, const char *option, char **out, struct err *err)
{
	*out = realpath(args_text(c, option), NULL);
	if (*out == NULL)
		return err_set(err, "--%s: there is no file '%.200s'", option, args_text(c, option));
	return 0;
}

/* A domain, in lower case. */
static int check_home(char *home, struct err *err)
{
	if (strpbrk(home, "@:/*?") != NULL || strchr(home, '.') == NULL || home[0] == '.')
		return err_code(err, EXIT_USAGE, "--home takes a domain, as in abc.example");
	for (; *home != '\0'; home++)
		*home = (char)text_lower((uint8_t)*home);
	return 0;
}

static int check_user(char *user, struct err *err)
{
	if (strncmp(user, "sip:", 4) != 0 && strncmp(user, "sips:", 5) != 0 && strncmp(user, "tel:", 4) != 0)
		return err_code(err, EXIT_USAGE, "--user takes a sip, sips or tel URI");
	return 0;
}

static int read_list(const struct cli *c, const char *option, int (*check)(char *value, struct err *err), char ***out,
	size_t *out_count, struct err *err)
{
	char what[24];
	size_t count;
	const char **all = args_all(c, option, &count);
	int rc = 0;

	snprintf(what, sizeof(what), "--%s", option);
	*out = calloc(count + 1, sizeof(**out));
	if (all == NULL || *out == NULL)
		rc = err_set(err, "out of memory");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = cli_check_text(what, all[i], VALUE_MAX, err);
		(*out)[i] = strdup(all[i]);
		*out_count = i + 1;
		if ((*out)[i] == NULL)
			rc = err_set(err, "out of memory");
		if (rc == 0)
			rc = check((*out)[i], err);
	}
	free(all);
	return rc;
}

/* The files and the url are tried now: better here than when a call waits. */
static int check_ways(const struct kms_agreement *a, struct err *err)
{
	const struct tls_files files = { a->ca, a->cert, a->key };
	struct loop *loop = loop_new();
	struct http_client *client = NULL;
	int rc = loop != NULL ? http_client_new(&client, loop, a->url, &files, err) : err_set(err, "out of memory");

	http_client_free(client);
	loop_free(loop);
	return rc;
}

static int read_identity(const char *text, char out[KEY_URI_MAX], struct err *err)
{
	if (kms_identity(bytes_of(text), out))
		return 0;
	return err_code(err, EXIT_USAGE, "a KMS identity is a SIP URI with a user part, as in sip:kms@abc.example");
}

static int read_agreement(const struct cli *c, struct kms_agreement *a, struct err *err)
{
	char identity[KEY_URI_MAX];

	if (read_identity(c->operands[0], identity, err) < 0 ||
		cli_check_text("--url", args_text(c, "url"), VALUE_MAX, err) < 0)
		return -1;
	a->identity = strdup(identity);
	a->url = strdup(args_text(c, "url"));
	if (a->identity == NULL || a->url == NULL)
		return err_set(err, "out of memory");
	a->roaming_partner = args_given(c, "roaming-partner");
	a->network_default = args_given(c, "default");
	if (read_file(c, "ca", &a->ca, err) < 0 || read_file(c, "cert", &a->cert, err) < 0 ||
		read_file(c, "key", &a->key, err) < 0)
		return -1;
	if (read_list(c, "home", check_home, &a->homes, &a->home_count, err) < 0 ||
		read_list(c, "user", check_user, &a->users, &a->user_count, err) < 0)
		return -1;
	if (a->roaming_partner && a->home_count == 0)
		return err_code(err, EXIT_USAGE,
			"--roaming-partner needs --home: it is asked for users of those domains alone");
	if (a->roaming_partner && a->network_default)
		return err_code(
			err, EXIT_USAGE, "--default is of the own network, --roaming-partner of another: not both");
	return check_ways(a, err);
}

static int print_json(void *arg, const struct kms_agreement *a, nsec_t added)
{
	(void)arg;
	output_json(kms_json(a, added));
	return 0;
}

static int run_add(struct cli *c, struct err *err)
{
	struct kms_agreement a = { 0 };
	bool fresh = false;
	int rc = -1;

	if (read_agreement(c, &a, err) == 0 && cli_store(c, true, err) == 0 &&
		store_kms_add(c->store, &a, &fresh, err) == 0)
		rc = EXIT_DONE;
	if (rc == EXIT_DONE && c->json)
		rc = store_kms_each(c->store, a.identity, print_json, NULL, err);
	else if (rc == EXIT_DONE)
		output_say(c, fresh ? "agreement with '%s' entered" : "agreement with '%s' unchanged", a.identity);
	kms_agreement_clear(&a);
	return rc;
}

static int add_json(void *arg, const struct kms_agreement *a, nsec_t added)
{
	json_array_append_new(arg, kms_json(a, added));
	return 0;
}

static int add_row(void *arg, const struct kms_agreement *a, nsec_t added)
{
	char homes[24], users[24];
	const char *const cells[] = { a->identity, a->url, homes, users,
		a->roaming_partner   ? "roaming partner"
		: a->network_default ? "default"
				     : "own" };

	(void)added;
	snprintf(homes, sizeof(homes), "%zu", a->home_count);
	snprintf(users, sizeof(users), "%zu", a->user_count);
	output_row(arg, cells, COUNT_OF(cells));
	return 0;
}

static int run_list(struct cli *c, struct err *err)
{
	static const char *const heads[] = { "KMS", "URL", "HOMES", "USERS", "WHOSE" };
	struct output_table table = { 0 };
	json_t *all = json_array();
	int rc;

	output_row(&table, heads, COUNT_OF(heads));
	rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_kms_each(
			c->store, NULL, c->json ? add_json : add_row, c->json ? (void *)all : (void *)&table, err);
	if (rc == 0 && c->json)
		output_json(json_pack("{s:O}", "agreements", all));
	output_table(&table, rc == 0 && !c->json);
	json_decref(all);
	return rc;
}

static int print_text(void *arg, const struct kms_agreement *a, nsec_t added)
{
	char text[NSEC_TEXT];

	(void)arg;
	printf("kms       %s\nurl       %s\nca        %s\ncert      %s\nkey       %s\nadded     %s\n", a->identity,
		a->url, a->ca, a->cert, a->key, nsec_text(added, text));
	printf("whose     %s\n", a->roaming_partner   ? "roaming partner"
				 : a->network_default ? "own, the network's default"
						      : "own");
	for (size_t i = 0; i < a->home_count; i++)
		printf("home      %s\n", a->homes[i]);
	for (size_t i = 0; i < a->user_count; i++)
		printf("user      %s\n", a->users[i]);
	return 0;
}

static int run_show(struct cli *c, struct err *err)
{
	char identity[KEY_URI_MAX];

	if (read_identity(c->operands[0], identity, err) < 0 || cli_store(c, false, err) < 0)
		return -1;
	return store_kms_each(c->store, identity, c->json ? print_json : print_text, NULL, err);
}

static int run_remove(struct cli *c, struct err *err)
{
	char identity[KEY_URI_MAX];

	if (read_identity(c->operands[0], identity, err) < 0 || cli_store(c, false, err) < 0 ||
		store_kms_remove(c->store, identity, err) < 0)
		return -1;
	if (c->json)
		output_json(json_pack("{s:s}", "removed", identity));
	output_say(c, "agreement with '%s' removed", identity);
	return EXIT_DONE;
}

static const struct cli_option add_options[] = {
	{ .name = "url", .argument = "URL", .help = "its LI side: https://HOST[:PORT][/PATH]", .required = true },
	{ .name = "ca", .argument = "FILE", .help = "PEM: the CA that vouches for it", .required = true },
	{ .name = "cert", .argument = "FILE", .help = "PEM: our certificate, with its chain", .required = true },
	{ .name = "key", .argument = "FILE", .help = "PEM: its key, readable by its owner alone", .required = true },
	{ .name = "home", .argument = "DOMAIN", .help = "a domain whose users it serves", .many = true },
	{ .name = "user", .argument = "URI", .help = "a single user bound to it", .many = true },
	{ .name = "roaming-partner", .help = "another operator's: asked for its homes alone" },
	{ .name = "default", .help = "asked for tel: numbers without a SIP URI" },
};

static const struct cli_option serve_options[] = {
	{ .name = "port-file", .argument = "FILE", .help = "write the port it listens on there" },
};

static const struct cli_verb verbs[] = {
	{ .name = "add",
		.operands = "KMS",
		.operands_min = 1,
		.operands_max = 1,
		.help = "enter an agreement: this KMS may be asked for keys",
		.examples = "otway kms add sip:kms@abc.example --url https://kms.abc.example:8443 \\\n"
			    "    --ca abc.pem --cert li.pem --key li.key --home abc.example",
		.notes = "A KMS that signalling names is asked only when there is an agreement with it;\n"
			 "nothing is sent to any other, and no name looked up. The same agreement again\n"
			 "is done already; another one under the same identity is refused.",
		.options = add_options,
		.option_count = COUNT_OF(add_options),
		.run = run_add },
	{ .name = "list", .help = "all agreements", .examples = "otway kms list --json", .run = run_list },
	{ .name = "show",
		.operands = "KMS",
		.operands_min = 1,
		.operands_max = 1,
		.help = "one agreement, whole",
		.examples = "otway kms show sip:kms@abc.example",
		.run = run_show },
	{ .name = "remove",
		.operands = "KMS",
		.operands_min = 1,
		.operands_max = 1,
		.help = "end an agreement: this KMS is asked no more",
		.examples = "otway kms remove sip:kms@abc.example",
		.run = run_remove },
	{ .name = "serve",
		.operands = "SETTINGS",
		.operands_min = 1,
		.operands_max = 1,
		.help = "run the reference KMS, for a lab or a small network",
		.examples = "otway kms serve deploy/kms.yaml",
		.notes = "HTTPS: TLS 1.3, certificates on both sides; deploy/kms.yaml tells every setting.\n"
			 "Users: POST /keymanagement?requesttype=ticketrequest or ticketresolve\n"
			 "(application/mikey, RFC 6043), or otwayrees (application/otway-rees). LI: POST\n"
			 "/xk/v1/keys and /xk/v1/ended, as deploy/xk.md says.",
		.options = serve_options,
		.option_count = COUNT_OF(serve_options),
		.run = kms_serve },
	{ .name = "log",
		.operands = "SETTINGS",
		.operands_min = 1,
		.operands_max = 1,
		.help = "its own trail: what it gave, to whom, and why",
		.examples = "otway kms log deploy/kms.yaml --json > kms.jsonl\notway audit verify --kms-log kms.jsonl",
		.notes = "The chain is verified first. With --json it is what 'otway audit verify\n"
			 "--kms-log' compares with our own trail.",
		.run = kms_log },
	{ .name = "explain",
		.operands = "INPUT",
		.operands_min = 1,
		.operands_max = 1,
		.help = "what a MIKEY message says, or a capture's keying",
		.examples = "otway kms explain call.pcap\n"
			    "otway kms explain offer.mikey",
		.notes = "INPUT is a message in hex or base64, a file that holds one, or a capture, of\n"
			 "which every a=key-mgmt and all at MIKEY's own UDP port is told.\n"
			 "Of keys, and of what is encrypted or signed, lengths are shown; of the users\n"
			 "in a capture the domain, since no warrant is asked for here.",
		.run = kms_explain },
};

const struct cli_group cmd_kms = {
	.name = "kms",
	.help = "key management services: agreements, and one for the lab",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
