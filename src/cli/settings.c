/* settings: what the configuration says of unwrapping, as decap has it. */
#include "inside.h"

#include <string.h>

#include "otway/base/text.h"

static int leave(struct cli *c, const char *name, struct err *err)
{
	const char *nearest = NULL;
	unsigned best = 3;

	for (int t = 0; t < DECAP_TUNNELS; t++) {
		const char *known = decap_tunnel_name((enum decap_tunnel)t);
		unsigned distance = text_distance(name, known);

		if (strcmp(name, known) == 0) {
			c->decap.leave[t] = true;
			return 0;
		}
		if (distance < best) {
			best = distance;
			nearest = known;
		}
	}
	return err_code(err, EXIT_USAGE, "%s: decap: leave: there is no tunnel '%.40s'%s%s%s", args_text(c, "config"),
		name, nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
}

static void set_ports(struct cli *c, enum decap_tunnel t, const struct conf_ports *ports)
{
	_Static_assert(CONF_PORTS == DECAP_PORTS && CONF_DEPTH == DECAP_DEPTH, "what can be set is what can be done");
	if (ports->all_count > 0)
		memcpy(c->decap.ports[t], ports->all, sizeof(ports->all));
}

/* One port is of one tunnel: else it would be the first, and nobody would know why. */
static int check_ports(const struct cli *c, struct err *err)
{
	const uint16_t *all = &c->decap.ports[0][0];
	size_t count = (size_t)DECAP_UDP_TUNNELS * DECAP_PORTS;

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (all[i] != 0 && all[i] == all[k] && i / DECAP_PORTS != k / DECAP_PORTS)
				return err_code(err, EXIT_USAGE, "%s: decap: ports: %u is of %s and of %s",
					args_text(c, "config"), all[i],
					decap_tunnel_name((enum decap_tunnel)(i / DECAP_PORTS)),
					decap_tunnel_name((enum decap_tunnel)(k / DECAP_PORTS)));
	return 0;
}

int settings_apply(struct cli *c, struct err *err)
{
	const struct conf_decap *d = &c->conf.decap;

	decap_options_init(&c->decap);
	for (unsigned i = 0; i < d->leave_count; i++)
		if (leave(c, d->leave[i], err) < 0)
			return -1;
	set_ports(c, DECAP_VXLAN, &d->ports.vxlan);
	set_ports(c, DECAP_GENEVE, &d->ports.geneve);
	set_ports(c, DECAP_GTPU, &d->ports.gtpu);
	set_ports(c, DECAP_TZSP, &d->ports.tzsp);
	set_ports(c, DECAP_HEP, &d->ports.hep);
	set_ports(c, DECAP_L2TP, &d->ports.l2tp);
	set_ports(c, DECAP_ESP, &d->ports.esp);
	c->decap.depth = d->depth;
	return check_ports(c, err);
}
