/*
 * idle: otway run with roles that do nothing, so that a test sees what supervise and the crew do by themselves, without a store or a
 * mirror port. `idle CONFIG [TRY]`; TRY: "fail:keys:why" (a role that cannot start), "exit:keys" (one that ends at once, again and
 * again, once it was there).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/daemon/role.h"
#include "otway/base/log.h"
#include "otway/mirror.h"
#include "otway/run.h"

struct idle {
	struct crew *crew;
	struct role_start *start;
};

static void take_gap(void *role, uint32_t index, struct bytes body)
{
	char from[NSEC_TEXT], until[NSEC_TEXT];
	struct gap g;

	(void)role;
	(void)index;
	if (!msg_get_gap(body, &g))
		return;
	log_info("gap %s %s %s %s", gap_reason_text(g.reason), g.where, nsec_text(g.from, from),
		g.until == NSEC_NONE ? "open" : nsec_text(g.until, until));
}

static void take_alarm(void *role, uint32_t index, struct bytes body)
{
	struct msg_alarm a;

	(void)role;
	(void)index;
	if (msg_get_alarm(body, &a))
		log_info("heard alarm %s %s %s: %s", alarm_text(a.alarm), a.of, a.on ? "on" : "off", a.text);
}

static void reload(void *role, const struct conf *conf)
{
	(void)role;
	log_info("reload: lease %s", conf->run.lease);
}

static void peer_up(void *role, const struct msg_peer *p)
{
	(void)role;
	log_info("peer up: %s %u", role_text(p->role), p->index);
}

static void stop(void *role)
{
	log_info("stop");
	crew_stop(((struct idle *)role)->crew, EXIT_DONE);
}

/* Is this role meant by TRY ("verb:role" and what is behind)? */
static const char *tried(const struct role_start *s, const char *verb)
{
	const char *text = s->try_text, *name = role_text(s->role);

	if (text == NULL || strncmp(text, verb, strlen(verb)) != 0 ||
		strncmp(text + strlen(verb), name, strlen(name)) != 0)
		return NULL;
	text += strlen(verb) + strlen(name);
	return *text == ':' ? text + 1 : text;
}

static int idle(struct role_start *start, struct err *err)
{
	static const struct crew_accepts accepts[] = {
		{ ROLE_SUPERVISE, MSG_GAP, take_gap },
		{ ROLE_SUPERVISE, MSG_ALARM, take_alarm },
		{ ROLE_CONTROL, MSG_ALARM, take_alarm },
	};
	struct idle own = { .start = start };
	const struct crew_options o = { .accepts = accepts,
		.count = start->role == ROLE_DELIVERY  ? 1
			 : start->role == ROLE_CONTROL ? 3
						       : 0,
		.role = &own,
		.stop = stop,
		.reload = reload,
		.peer_up = peer_up };
	int rc;

	if (tried(start, "fail:") != NULL)
		return err_code(err, EXIT_NOT_FOUND, "%s", tried(start, "fail:"));
	if (crew_new(&own.crew, start, &o, err) < 0)
		return -1;
	if (start->again && tried(start, "exit:") != NULL)
		return EXIT_FAILED;
	crew_ready(own.crew);
	rc = crew_run(own.crew);
	crew_free(own.crew);
	return rc;
}

int role_control(struct role_start *start, struct err *err)
{
	return idle(start, err);
}

int role_control_check(const struct conf *conf, struct err *err)
{
	(void)conf;
	(void)err;
	return 0;
}

int role_intercept(struct role_start *start, struct err *err)
{
	return idle(start, err);
}

int role_keys(struct role_start *start, struct err *err)
{
	return idle(start, err);
}

int role_delivery(struct role_start *start, struct err *err)
{
	return idle(start, err);
}

int main(int argc, char **argv)
{
	struct run_options o = { .config = argc > 1 ? argv[1] : "", .try_text = argc > 2 ? argv[2] : NULL };
	struct err err = { EXIT_FAILED, "" };
	int rc = argc == 4 && strcmp(argv[1], "role") == 0 ? run_role(argv[2], argv[3], &err) : run_supervise(&o, &err);

	if (rc < 0 && !(argc == 4 && strcmp(argv[1], "role") == 0))
		fprintf(stderr, "idle: %s\n", err.text);
	return rc < 0 ? (int)err.code : rc;
}
