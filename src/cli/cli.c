/* cli: one run of the program: words, configuration, the command, and what is said of a failure. */
#include "inside.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "otway/base/secret.h"
#include "otway/settings.h"

const struct cli_group *cli_group_of(const struct cli *c, const char *name)
{
	for (size_t g = 0; g < c->group_count; g++)
		if (strcmp(c->groups[g]->name, name) == 0)
			return c->groups[g];
	return NULL;
}

int cli_no_file(struct err *err)
{
	if (err->code == EXIT_NOT_FOUND)
		err->code = EXIT_FAILED;
	return -1;
}

/* "warrant add": the words a command is known by. */
static void command_name(const struct cli *c, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", c->group != NULL ? c->group->name : "",
		c->verb != NULL && c->verb->name != NULL ? " " : "",
		c->verb != NULL && c->verb->name != NULL ? c->verb->name : "");
}

/* One that root makes is control's, where the configuration says who that is. */
static int give_store(const struct cli *c, const char *url, struct err *err)
{
	const char *user = c->conf.run.users.control;
	uid_t uid;
	gid_t gid;

	if (user == NULL || geteuid() != 0)
		return 0;
	if (!actor_user(user, &uid, &gid))
		return err_code(err, EXIT_NOT_FOUND, "run: users: control: there is no user '%.60s'", user);
	if (store_place_give(url, uid, gid, err) < 0)
		return err_in(err, "making the warrant store");
	return 0;
}

/*
 * Where neither a store nor a configuration was named: the live system's says which store, and whose. Nothing else of it holds here: what
 * captures are read by is said with them, so that the same captures are the same evidence on any machine.
 */
static int usual_store(struct cli *c, struct err *err)
{
	struct conf usual;
	int rc = conf_read(CLI_CONFIG, &usual, err);

	if (rc == 0) {
		c->conf.store = usual.store;
		c->conf.run.users.control = usual.run.users.control;
		usual.store = usual.run.users.control = NULL;
	} else if (err->code == EXIT_NOT_FOUND) {
		rc = 0;
	} else {
		err_in(err, "looking for the warrant store, which --store names or the file of --config");
	}
	conf_clear(&usual);
	return rc;
}

int cli_store(struct cli *c, bool create, struct err *err)
{
	const char *url = args_text(c, "store");
	char actor[256], usual[4096];

	if (url == NULL && args_text(c, "config") == NULL && c->conf.store == NULL && usual_store(c, err) < 0)
		return -1;
	url = url != NULL ? url : c->conf.store;
	if (url == NULL && store_default_url(usual, sizeof(usual), err) < 0)
		return -1;
	actor_name(actor, sizeof(actor));
	if (create && give_store(c, url != NULL ? url : usual, err) < 0)
		return -1;
	if (store_open(&c->store, url != NULL ? url : usual, create, actor, err) < 0)
		return -1;
	log_debug("the warrant store is open");
	return 0;
}

int cli_audit(struct cli *c, const char *act, const char *subject, json_t *detail, struct err *err)
{
	char *text = detail != NULL ? json_dumps(detail, JSON_COMPACT) : NULL;
	int rc = text != NULL ? store_audit(c->store, act, subject, text, NULL, err) : err_set(err, "out of memory");

	free(text);
	json_decref(detail);
	return rc;
}

/* A refusal is itself an act. That it cannot be written changes nothing: nothing was done. */
static void audit_refusal(struct cli *c, const struct err *why)
{
	const char *liid = args_text(c, "liid");
	char command[64], *reason = cli_clean(why->text), *named;

	if (liid == NULL && c->verb->operands != NULL && strcmp(c->verb->operands, "LIID") == 0)
		liid = c->operands[0];
	named = liid != NULL ? cli_clean(liid) : NULL;
	command_name(c, command, sizeof(command));
	cli_audit(c, "refused", command, json_pack("{s:s?, s:s*}", "reason", reason, "liid", named), NULL);
	free(reason);
	free(named);
}

static void tell_failure(const struct cli *c, const struct err *err)
{
	char command[64], *text = cli_clean(err->text);
	json_t *error;

	command_name(c, command, sizeof(command));
	if (c->json) {
		error = json_pack("{s:{s:i, s:s?}}", "error", "code", (int)err->code, "text", text);
		json_dumpf(error, stderr, JSON_COMPACT);
		fputc('\n', stderr);
		json_decref(error);
	} else {
		fprintf(stderr, "otway%s%s: %s\n", command[0] != '\0' ? " " : "", command,
			text != NULL ? text : "out of memory");
	}
	free(text);
}

static void tell_version(const struct cli *c)
{
	if (c->json)
		output_json(json_pack("{s:s}", "otway", OTWAY_VERSION));
	else
		puts("otway " OTWAY_VERSION);
}

static int run(struct cli *c, struct err *err)
{
	int rc;

	if (args_text(c, "config") != NULL && conf_read(args_text(c, "config"), &c->conf, err) < 0)
		return cli_no_file(err);
	if (settings_decap(args_text(c, "config"), &c->conf, &c->decap, err) < 0)
		return err_in(err, "reading the configuration");
	rc = c->verb->run(c, err);
	if (rc < 0 && err->code == EXIT_REFUSED && c->store != NULL)
		audit_refusal(c, err);
	return rc;
}

/* Even when the words are not understood: whoever asked for JSON gets the error so. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int understand_and_run(struct cli *c, int argc, char **argv, struct err *err)
{
	if (args_read(c, argc, argv, err) < 0)
		return -1;
	if (args_given(c, "verbose"))
		log_level_set(LOG_LEVEL_DEBUG);
	log_json_set(c->json);
	if (c->version) {
		tell_version(c);
		return EXIT_DONE;
	}
	if (c->help) {
		help_page(c);
		return EXIT_DONE;
	}
	return run(c, err);
}

/* Identities and keys pass through JSON. */
static void wiping_free(void *p)
{
	if (p != NULL)
		secret_free(p, malloc_usable_size(p));
}

int cli_main(int argc, char **argv, const struct cli_group *const *groups, size_t group_count)
{
	struct cli c = { .groups = groups, .group_count = group_count, .json = wants_json(argc, argv) };
	struct err err = { EXIT_FAILED, "" };
	int rc = -1;

	json_set_alloc_funcs(malloc, wiping_free);
	c.values = calloc((size_t)argc + 1, sizeof(*c.values));
	c.operands = calloc((size_t)argc + 1, sizeof(*c.operands));
	if (c.values != NULL && c.operands != NULL)
		rc = understand_and_run(&c, argc, argv, &err);
	else
		err_set(&err, "out of memory");
	if (rc >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = err_set(&err, "cannot write to standard output: %s", strerror(errno));
	if (rc < 0) {
		tell_failure(&c, &err);
		rc = err.code;
	}
	store_free(c.store);
	conf_clear(&c.conf);
	free(c.values);
	free(c.operands);
	return rc;
}
