/* mirror: what of an interface would be heard by others, or changes what is heard on it; refused, or mended. */
#include "otway/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otway/base/bytes.h"
#include "mirror_kernel.h"

#define WORDS 64

enum fault { SPEAKS_IPV6, HAS_ADDRESS, HAS_ROUTE, ANSWERS_ARP, TAKES_MULTICAST, MERGES, IS_DOWN, FAULTS };

/* What mends it, around the interface's name; then what only the moment knows. */
static const struct {
	const char *what, *mend, *behind;
} faults[FAULTS] = {
	[SPEAKS_IPV6] = { "speaks IPv6", "sysctl -w net/ipv6/conf/", "/disable_ipv6=1" },
	[HAS_ADDRESS] = { "has an address", "ip address flush dev ", "" },
	[HAS_ROUTE] = { "has a route", "ip route flush dev ", "" },
	[ANSWERS_ARP] = { "answers ARP", "ip link set dev ", " arp off" },
	[TAKES_MULTICAST] = { "takes part in multicast", "ip link set dev ", " multicast off" },
	[MERGES] = { "merges packets", "ethtool -K ", " " },
	[IS_DOWN] = { "is down", "ip link set dev ", " up" },
};

struct port {
	const char *name;
	int look;
	unsigned index;
	short flags;
	struct ways ways;
	bool has[FAULTS];
	char merges[WORDS];
};

static bool get_flags(struct port *p)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", p->name);
	if (ioctl(p->look, SIOCGIFFLAGS, &r) < 0)
		return false;
	p->flags = r.ifr_flags;
	return true;
}

static bool set_flags(struct port *p, int on, int off)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", p->name);
	r.ifr_flags = (short)((p->flags | on) & ~off);
	return ioctl(p->look, SIOCSIFFLAGS, &r) == 0 && get_flags(p);
}

/* Its switch of IPv6; -1: this kernel has no IPv6. */
static int open_ipv6(const struct port *p, int how)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", p->name);
	return open(path, how | O_CLOEXEC);
}

static bool speaks_ipv6(const struct port *p)
{
	char disabled = '1';
	int fd = open_ipv6(p, O_RDONLY);

	if (fd < 0)
		return errno != ENOENT;
	if (read(fd, &disabled, 1) != 1)
		disabled = '0';
	close(fd);
	return disabled == '0';
}

static void no_ipv6(const struct port *p)
{
	int fd = open_ipv6(p, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1) /* seen when it is looked at again */
		errno = 0;
	close(fd);
}

static int look_at(struct port *p, struct err *err)
{
	p->index = if_nametoindex(p->name);
	if (p->index == 0 || !get_flags(p))
		return err_code(err, EXIT_NOT_FOUND, "%s: no such interface", p->name);
	if (!kernel_ways(p->index, &p->ways))
		return err_set(err, "%s: asking the kernel about it: %s", p->name, strerror(errno));
	kernel_merges(p->look, p->name, p->merges, sizeof(p->merges));
	p->has[SPEAKS_IPV6] = speaks_ipv6(p);
	p->has[HAS_ADDRESS] = p->ways.address;
	p->has[HAS_ROUTE] = p->ways.route;
	p->has[ANSWERS_ARP] = (p->flags & IFF_NOARP) == 0;
	p->has[TAKES_MULTICAST] = (p->flags & IFF_MULTICAST) != 0;
	p->has[MERGES] = p->merges[0] != '\0';
	p->has[IS_DOWN] = (p->flags & IFF_UP) == 0;
	return 0;
}

/* What no command of ours may change, for something else lives on it. */
static int no_mirror(const struct port *p, struct err *err)
{
	const char *why = (p->flags & IFF_LOOPBACK) != 0 ? "is the loopback interface"
			  : p->ways.by_default           ? "has the default route: this host is reached by it"
			  : p->ways.port                 ? "belongs to a bridge or a bond, which sends through it"
			  : p->ways.stands_on            ? "has other interfaces upon it, which send through it"
							 : NULL;

	return why == NULL ? 0 : err_code(err, EXIT_REFUSED, "%s: %s; it is no mirror port", p->name, why);
}

static int judge(const struct port *p, struct err *err)
{
	struct buf text = { 0 };
	int rc = 0;

	for (size_t k = 0; k < FAULTS; k++)
		if (p->has[k])
			buf_printf(&text, "%s%s (%s%s%s%s)", text.len > 0 ? ", " : "", faults[k].what, faults[k].mend,
				p->name, faults[k].behind, k == MERGES ? p->merges : "");
	if (text.failed)
		rc = err_set(err, "out of memory");
	else if (text.len > 0)
		rc = err_code(err, EXIT_REFUSED, "%s: is not fit to listen on: it %.*s", p->name, (int)text.len,
			(const char *)text.at);
	buf_clear(&text);
	return rc;
}

/* Down first: so it has no way to say that it leaves a group or gives up an address. */
static int mend(struct port *p, struct err *err)
{
	bool speaks = p->has[SPEAKS_IPV6] || p->has[HAS_ADDRESS] || p->has[HAS_ROUTE] || p->has[ANSWERS_ARP] ||
		      p->has[TAKES_MULTICAST];

	if (speaks && !set_flags(p, IFF_NOARP, IFF_UP | IFF_MULTICAST))
		return err_code(err, errno == EPERM ? EXIT_REFUSED : EXIT_FAILED, "%s: putting it down: %s", p->name,
			strerror(errno));
	if (p->has[SPEAKS_IPV6])
		no_ipv6(p);
	if (p->has[HAS_ADDRESS])
		kernel_no_address(p->index);
	if (p->has[MERGES])
		kernel_no_merge(p->look, p->name);
	if (!set_flags(p, IFF_UP | IFF_PROMISC, 0))
		return err_code(err, errno == EPERM ? EXIT_REFUSED : EXIT_FAILED, "%s: putting it up: %s", p->name,
			strerror(errno));
	return 0;
}

int mirror_fit(const char *interface, bool prepare, struct err *err)
{
	struct port p = { .name = interface, .look = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	int rc;

	if (p.look < 0)
		return err_set(err, "%s: asking the kernel about it: %s", interface, strerror(errno));
	rc = look_at(&p, err) < 0 || no_mirror(&p, err) < 0 ? -1 : 0;
	if (rc == 0 && prepare)
		rc = mend(&p, err) < 0 || look_at(&p, err) < 0 ? -1 : 0;
	rc = rc < 0 ? -1 : judge(&p, err);
	close(p.look);
	return rc;
}
