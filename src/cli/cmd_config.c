/* cmd_config: the configuration of the live system, looked at without starting it: is it right, and what holds. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "config_show.h"
#include "otway/http.h"
#include "otway/run.h"
#include "otway/settings.h"

const char *cli_config(const struct cli *c)
{
	return args_text(c, "config") != NULL ? args_text(c, "config") : CLI_CONFIG;
}

/* The file itself where none was named, the store that comes before its own, and the defaults. */
static int read_all(struct cli *c, struct err *err)
{
	const char *store = args_text(c, "store");

	if (args_text(c, "config") == NULL && conf_read(CLI_CONFIG, &c->conf, err) < 0)
		return cli_no_file(err);
	if (!conf_run_defaults(&c->conf.run))
		return err_set(err, "out of memory");
	if (store != NULL) {
		free(c->conf.store);
		c->conf.store = strdup(store);
	}
	return 0;
}

/* What was found so far. */
struct findings {
	struct cli *c;
	json_t *all;
	unsigned wrong;
	struct err first;
};

static void take(void *arg, const char *what, const struct err *err)
{
	struct findings *f = arg;
	char *text = err != NULL ? cli_clean(err->text) : NULL;

	if (err != NULL && f->wrong++ == 0)
		f->first = *err;
	json_array_append_new(f->all, json_pack("{s:s, s:b, s:i, s:s?}", "what", what, "right", err == NULL, "code",
					      err != NULL ? (int)err->code : 0, "text", text));
	if (!f->c->json && err == NULL)
		output_say(f->c, "right  %s", what);
	else if (!f->c->json)
		printf("WRONG  %s: %s\n", what, text != NULL ? text : "out of memory");
	free(text);
}

/* Can the certificate be shown to that KMS? Nobody is connected to. */
static void check_agreement(struct findings *f, const struct kms_agreement *a)
{
	const struct tls_files files = { a->ca, a->cert, a->key };
	struct http_client *client = NULL;
	struct loop *loop = loop_new();
	struct err err = { EXIT_FAILED, "out of memory" };
	char what[64];
	int rc = -1;

	if (loop != NULL)
		rc = http_client_new(&client, loop, a->url, &files, &err);
	snprintf(what, sizeof(what), "certificate for KMS %u", a->number);
	take(f, what, rc < 0 ? &err : NULL);
	http_client_free(client);
	loop_free(loop);
}

static void check_store(struct findings *f)
{
	struct kms_agreements agreements = { 0 };
	struct err err;
	int rc = cli_store(f->c, false, &err);

	if (rc == 0)
		rc = store_kms_all(f->c->store, &agreements, &err);
	take(f, "store", rc < 0 ? &err : NULL);
	for (size_t i = 0; i < agreements.count; i++)
		check_agreement(f, &agreements.all[i]);
	kms_agreements_clear(&agreements);
}

static int run_check_verb(struct cli *c, struct err *err)
{
	struct findings f = { .c = c };

	if (read_all(c, err) < 0)
		return -1;
	f.all = json_array();
	take(&f, "settings", NULL);
	run_check(cli_config(c), &c->conf, take, &f);
	check_store(&f);
	if (c->json)
		output_json(json_pack(
			"{s:s, s:b, s:O}", "config", cli_config(c), "right", f.wrong == 0, "findings", f.all));
	json_decref(f.all);
	if (f.wrong == 0)
		return EXIT_DONE;
	*err = f.first;
	return f.wrong > 1 ? err_in(err, "%u findings; the first", f.wrong) : -1;
}

static int run_show(struct cli *c, struct err *err)
{
	char usual[4096];
	json_t *config;

	if (read_all(c, err) < 0)
		return -1;
	if (c->conf.store == NULL && store_default_url(usual, sizeof(usual), err) < 0)
		return -1;
	if (settings_decap(cli_config(c), &c->conf, &c->decap, err) < 0)
		return err_in(err, "reading the configuration");
	config = config_json(&c->conf, &c->decap, c->conf.store != NULL ? c->conf.store : usual);
	if (config == NULL)
		return err_set(err, "out of memory");
	if (c->json) {
		output_json(config);
		return EXIT_DONE;
	}
	config_print(config);
	json_decref(config);
	return EXIT_DONE;
}

static const struct cli_verb verbs[] = {
	{ .name = "check",
		.help = "can the live system start with it? changes nothing",
		.examples = "otway config check --config new.yaml",
		.notes = "Looks at settings, mirror ports, users, directories, the store, and at the\n"
			 "certificates that KMSs are shown. Exit code: of the first thing that is wrong.\n"
			 "Without --config: " CLI_CONFIG ".",
		.run = run_check_verb },
	{ .name = "show",
		.help = "every setting as it holds, defaults too, in YAML",
		.examples = "otway config show",
		.notes = "Without --config: " CLI_CONFIG ". What each means: deploy/otway.yaml.",
		.run = run_show },
};

const struct cli_group cmd_config = {
	.name = "config",
	.help = "the configuration of the live system: check, show",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
