/* check: what can be told of a configuration without starting: unwrapping, mirror ports, users, directories. Changes nothing. */
#include <net/if.h>
#include <stdio.h>

#include "otway/mirror.h"
#include "otway/settings.h"
#include "supervise.h"

struct checking {
	const struct conf *conf;
	run_finding *tell;
	void *arg;
	unsigned wrong;
};

static void found(struct checking *k, const char *what, int rc, const struct err *err)
{
	k->wrong += rc < 0;
	k->tell(k->arg, what, rc < 0 ? err : NULL);
}

static void check_unwrapping(struct checking *k, const char *config)
{
	struct decap_options options;
	struct err err;

	found(k, "what is unwrapped", settings_decap(config, k->conf, &options, &err), &err);
}

/* One that is prepared need only be there. */
static void check_interface(struct checking *k, const char *name)
{
	struct err err;
	char what[64];
	int rc = 0;

	if (!k->conf->run.prepare)
		rc = mirror_fit(name, false, &err);
	else if (if_nametoindex(name) == 0)
		rc = err_code(
			&err, EXIT_NOT_FOUND, "%s: there is no such interface; 'ip link' shows which there are", name);
	snprintf(what, sizeof(what), "interface %s", name);
	found(k, what, rc, &err);
}

static void check_interfaces(struct checking *k, const char *config)
{
	struct err err;

	if (k->conf->run.interfaces_count == 0) {
		err_code(&err, EXIT_USAGE, "%s: run: interfaces: name at least one mirror port", config);
		found(k, "interfaces", -1, &err);
	}
	for (unsigned i = 0; i < k->conf->run.interfaces_count; i++)
		check_interface(k, k->conf->run.interfaces[i]);
}

static void check_users(struct checking *k)
{
	const struct conf_users *u = &k->conf->run.users;
	const char *const names[] = { u->control, u->intercept, u->keys, u->delivery };
	static const char *const roles[] = { "control", "intercept", "keys", "delivery" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char what[64];
		struct err err;
		uid_t uid;
		gid_t gid;
		int rc = supervise_places_user(names[i], &uid, &gid, &err);

		if (rc < 0)
			err_in(&err, "run: users: %s", roles[i]);
		snprintf(what, sizeof(what), "user of %s", roles[i]);
		found(k, what, rc, &err);
	}
}

static void check_places(struct checking *k)
{
	struct err err;

	found(k, "owner of the store", role_control_check(k->conf, &err), &err);
	found(k, "directory of cases", supervise_places_cases(&k->conf->run, false, &err), &err);
	found(k, "directory of the status socket", supervise_places_status(&k->conf->run, false, &err), &err);
}

unsigned run_check(const char *config, const struct conf *conf, run_finding *tell, void *arg)
{
	struct checking k = { conf, tell, arg, 0 };

	check_unwrapping(&k, config);
	check_interfaces(&k, config);
	check_users(&k);
	check_places(&k);
	return k.wrong;
}
