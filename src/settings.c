/* settings: what the configuration says of unwrapping, as decap has it. */
#include "otway/settings.h"

#include <string.h>

#include "otway/base/text.h"

static int leave(const char *config, struct decap_options *out, const char *name, struct err *err)
{
	const char *nearest = NULL;
	unsigned best = 3;

	for (int t = 0; t < DECAP_TUNNELS; t++) {
		const char *known = decap_tunnel_name((enum decap_tunnel)t);
		unsigned distance = text_distance(name, known);

		if (strcmp(name, known) == 0) {
			out->leave[t] = true;
			return 0;
		}
		if (distance < best) {
			best = distance;
			nearest = known;
		}
	}
	return err_code(err, EXIT_USAGE, "%s: decap: leave: there is no tunnel '%.40s'%s%s%s", config, name,
		nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static void set_ports(struct decap_options *out, enum decap_tunnel t, const struct conf_ports *ports)
{
	_Static_assert(CONF_PORTS == DECAP_PORTS && CONF_DEPTH == DECAP_DEPTH, "what can be set is what can be done");
	if (ports->all_count > 0)
		memcpy(out->ports[t], ports->all, sizeof(ports->all));
}

/* One port is of one tunnel: else it would be the first, and nobody would know why. */
static int check_ports(const char *config, const struct decap_options *out, struct err *err)
{
	const uint16_t *all = &out->ports[0][0];
	size_t count = (size_t)DECAP_UDP_TUNNELS * DECAP_PORTS;

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (all[i] != 0 && all[i] == all[k] && i / DECAP_PORTS != k / DECAP_PORTS)
				return err_code(err, EXIT_USAGE, "%s: decap: ports: %u is of %s and of %s", config,
					all[i], decap_tunnel_name((enum decap_tunnel)(i / DECAP_PORTS)),
					decap_tunnel_name((enum decap_tunnel)(k / DECAP_PORTS)));
	return 0;
}

int settings_decap(const char *config, const struct conf *c, struct decap_options *out, struct err *err)
{
	const struct conf_decap *d = &c->decap;

	decap_options_init(out);
	for (unsigned i = 0; i < d->leave_count; i++)
		if (leave(config, out, d->leave[i], err) < 0)
			return -1;
	set_ports(out, DECAP_VXLAN, &d->ports.vxlan);
	set_ports(out, DECAP_GENEVE, &d->ports.geneve);
	set_ports(out, DECAP_GTPU, &d->ports.gtpu);
	set_ports(out, DECAP_TZSP, &d->ports.tzsp);
	set_ports(out, DECAP_HEP, &d->ports.hep);
	set_ports(out, DECAP_L2TP, &d->ports.l2tp);
	set_ports(out, DECAP_ESP, &d->ports.esp);
	out->depth = d->depth;
	return check_ports(config, out, err);
}
