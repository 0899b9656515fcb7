/* live_open: an interface is opened: everything that needs a privilege is done here. */
#include <limits.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "format.h"
#include "live_inside.h"

unsigned tap_index(const struct tap *t, int look)
{
	struct ifreq ask = { 0 };

	memcpy(ask.ifr_name, t->name, sizeof(t->name));
	return ioctl(look, SIOCGIFINDEX, &ask) == 0 ? (unsigned)ask.ifr_ifindex : 0;
}

bool tap_up(const struct tap *t, int look)
{
	struct ifreq ask = { 0 };

	memcpy(ask.ifr_name, t->name, sizeof(t->name));
	return ioctl(look, SIOCGIFFLAGS, &ask) == 0 && (ask.ifr_flags & IFF_UP) != 0 &&
	       (ask.ifr_flags & IFF_RUNNING) != 0;
}

static int refuse(const struct tap *t, int code, struct err *err)
{
	switch (code) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_code(err, EXIT_NOT_FOUND, "%s: no such interface", t->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_code(err, EXIT_REFUSED, "%s: is down; run: ip link set dev %s up", t->name, t->name);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_code(err, EXIT_REFUSED, "%s: may not be listened on: that needs CAP_NET_RAW", t->name);
	default:
		return err_set(err, "%s: %s", t->name, pcap_geterr(t->handle));
	}
}

/* A block that nothing fills is handed over after a whole number of milliseconds. */
static int milliseconds(nsec_t span)
{
	nsec_t ms = (span + 999999) / 1000000;

	return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static int activate(struct tap *t, const struct live_options *o, struct err *err)
{
	int code;

	pcap_set_snaplen(t->handle, (int)(o->snaplen > FORMAT_PACKET_MAX ? FORMAT_PACKET_MAX : o->snaplen));
	pcap_set_promisc(t->handle, 1);
	pcap_set_timeout(t->handle, milliseconds(o->retire));
	pcap_set_buffer_size(t->handle, o->ring > INT_MAX ? INT_MAX : (int)o->ring);
	pcap_set_tstamp_precision(t->handle, PCAP_TSTAMP_PRECISION_NANO);
	code = pcap_activate(t->handle);
	return code < 0 ? refuse(t, code, err) : 0;
}

/* Nothing that this host sends: the kernel need not copy it (since 4.20), and where it does, libpcap leaves it out. */
static int listen_only(struct tap *t, struct err *err)
{
	int on = 1;

	setsockopt(pcap_fileno(t->handle), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (pcap_setdirection(t->handle, PCAP_D_IN) < 0)
		return err_set(err, "%s: %s", t->name, pcap_geterr(t->handle));
	return 0;
}

static int settle(struct tap *t, const struct live_options *o, size_t i, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];

	if (activate(t, o, err) < 0 || listen_only(t, err) < 0)
		return -1;
	if (pcap_setnonblock(t->handle, 1, reason) < 0)
		return err_set(err, "%s: %s", t->name, reason);
	t->link = format_link(pcap_datalink(t->handle));
	if (o->known != NULL && !o->known(t->link))
		return err_set(err, "%s: is of link type %d, which is not known", t->name, t->link);
	t->unit = pcap_get_tstamp_precision(t->handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	return o->processes > 1 ? tap_join(t, (uint16_t)(o->group + i), o, err) : 0;
}

int tap_open(struct tap *t, const struct live_options *o, size_t i, int look, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];

	t->index = tap_index(t, look);
	if (t->index == 0)
		return refuse(t, PCAP_ERROR_NO_SUCH_DEVICE, err);
	t->handle = pcap_create(t->name, reason);
	if (t->handle == NULL)
		return err_set(err, "%s: %s", t->name, reason);
	if (settle(t, o, i, err) == 0)
		return 0;
	tap_close(t);
	return -1;
}

void tap_close(struct tap *t)
{
	if (t->handle != NULL)
		pcap_close(t->handle);
	t->handle = NULL;
}
