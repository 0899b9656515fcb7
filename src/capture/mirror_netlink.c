/* mirror_netlink: addresses, routes and relations of an interface, over rtnetlink(7). */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mirror_kernel.h"

struct request {
	struct nlmsghdr head;
	union {
		struct ifaddrmsg address;
		struct rtmsg route;
		struct ifinfomsg link;
	};
	uint8_t more[64]; /* attributes */
};

typedef void heard(const struct nlmsghdr *m, unsigned index, void *arg);

static int rtnetlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* One datagram of answers; false: there are no more. */
static bool hear(int fd, heard *fn, unsigned index, void *arg, int *error)
{
	char in[32768] __attribute__((aligned(8)));
	ssize_t got = recv(fd, in, sizeof(in), 0);
	size_t len = got > 0 ? (size_t)got : 0;

	if (got <= 0)
		*error = got < 0 ? errno : EIO;
	for (const struct nlmsghdr *m = (const void *)in; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
		if (m->nlmsg_type == NLMSG_ERROR)
			*error = -((const struct nlmsgerr *)NLMSG_DATA(m))->error;
		if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE)
			return false;
		fn(m, index, arg);
	}
	return got > 0;
}

/* All that there is of a kind. False: errno tells why not. */
static bool list(uint16_t type, uint8_t family, heard *fn, unsigned index, void *arg)
{
	struct request r = { .head = { NLMSG_LENGTH(sizeof(r.link)), type, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 } };
	int fd = rtnetlink(), error = 0;

	if (fd < 0)
		return false;
	r.link.ifi_family = family; /* the first octet of each */
	if (send(fd, &r, r.head.nlmsg_len, 0) < 0)
		error = errno;
	while (error == 0 && hear(fd, fn, index, arg, &error))
		;
	close(fd);
	errno = error;
	return error == 0;
}

/* The attribute of that type of a message whose own part is `own` octets long; NULL: it has none. */
static const struct rtattr *attribute(const struct nlmsghdr *m, size_t own, unsigned short type)
{
	const struct rtattr *a = (const void *)((const uint8_t *)NLMSG_DATA(m) + NLMSG_ALIGN(own));
	size_t len = m->nlmsg_len > NLMSG_SPACE(own) ? m->nlmsg_len - NLMSG_SPACE(own) : 0;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static uint32_t number(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a != NULL && RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

static void look_at_address(const struct nlmsghdr *m, unsigned index, void *arg)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	struct ways *w = arg;

	w->address |= m->nlmsg_type == RTM_NEWADDR && a->ifa_index == index;
}

/* A route with several next hops names their interfaces one by one. */
static bool one_of(const struct rtattr *hops, unsigned index)
{
	const struct rtnexthop *h = hops != NULL ? RTA_DATA(hops) : NULL;
	int len = hops != NULL ? (int)RTA_PAYLOAD(hops) : 0;

	for (; len >= (int)sizeof(*h) && RTNH_OK(h, len); len -= (int)RTNH_ALIGN(h->rtnh_len), h = RTNH_NEXT(h))
		if ((unsigned)h->rtnh_ifindex == index)
			return true;
	return false;
}

/* Those that the kernel made come and go with addresses. */
static void look_at_route(const struct nlmsghdr *m, unsigned index, void *arg)
{
	const struct rtmsg *r = NLMSG_DATA(m);
	struct ways *w = arg;

	if (m->nlmsg_type != RTM_NEWROUTE || r->rtm_type != RTN_UNICAST || (r->rtm_flags & RTM_F_CLONED) != 0 ||
		(number(attribute(m, sizeof(*r), RTA_OIF)) != index &&
			!one_of(attribute(m, sizeof(*r), RTA_MULTIPATH), index)))
		return;
	w->by_default |= r->rtm_dst_len == 0;
	w->route |= r->rtm_protocol != RTPROT_KERNEL;
}

/* "veth" and "netkit": the other end of a pair is named as if it stood on this one. */
static bool is_pair(const struct nlmsghdr *m)
{
	const struct rtattr *info = attribute(m, sizeof(struct ifinfomsg), IFLA_LINKINFO), *a;
	size_t len = info != NULL ? RTA_PAYLOAD(info) : 0;

	for (a = info != NULL ? RTA_DATA(info) : NULL; len > 0 && RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == IFLA_INFO_KIND)
			return strncmp(RTA_DATA(a), "veth", RTA_PAYLOAD(a)) == 0 ||
			       strncmp(RTA_DATA(a), "netkit", RTA_PAYLOAD(a)) == 0;
	return false;
}

static void look_at_link(const struct nlmsghdr *m, unsigned index, void *arg)
{
	const struct ifinfomsg *i = NLMSG_DATA(m);
	struct ways *w = arg;

	if (m->nlmsg_type != RTM_NEWLINK)
		return;
	if ((unsigned)i->ifi_index == index)
		w->port |= attribute(m, sizeof(*i), IFLA_MASTER) != NULL;
	else
		w->stands_on |= number(attribute(m, sizeof(*i), IFLA_LINK)) == index && !is_pair(m) &&
				attribute(m, sizeof(*i), IFLA_LINK_NETNSID) == NULL;
}

bool kernel_ways(unsigned index, struct ways *out)
{
	*out = (struct ways){ 0 };
	return list(RTM_GETADDR, AF_UNSPEC, look_at_address, index, out) &&
	       list(RTM_GETROUTE, AF_INET, look_at_route, index, out) &&
	       list(RTM_GETROUTE, AF_INET6, look_at_route, index, out) &&
	       list(RTM_GETLINK, AF_UNSPEC, look_at_link, index, out);
}

/* Says the message back, as one to be deleted. */
static void delete_address(const struct nlmsghdr *m, unsigned index, void *arg)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	const struct rtattr *local = attribute(m, sizeof(*a), IFA_LOCAL);
	struct request r = { .head = { 0, RTM_DELADDR, NLM_F_REQUEST, 1, 0 }, .address = *a };

	if (local == NULL)
		local = attribute(m, sizeof(*a), IFA_ADDRESS);
	if (m->nlmsg_type != RTM_NEWADDR || a->ifa_index != index || local == NULL || local->rta_len > sizeof(r.more))
		return;
	memcpy((uint8_t *)&r + NLMSG_SPACE(sizeof(*a)), local, local->rta_len);
	r.head.nlmsg_len = (uint32_t)NLMSG_SPACE(sizeof(*a)) + local->rta_len;
	send(*(const int *)arg, &r, r.head.nlmsg_len, 0);
}

void kernel_no_address(unsigned index)
{
	int fd = rtnetlink();

	if (fd < 0)
		return;
	list(RTM_GETADDR, AF_UNSPEC, delete_address, index, &fd);
	close(fd);
}
