/* packet: addresses as text. */
#include "otway/model/packet.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "otway/base/text.h"

char *addr_text(const struct addr *a, char out[ADDR_TEXT])
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (a->family != 0)
		inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, a->ip, ip, sizeof(ip));
	snprintf(out, ADDR_TEXT, a->family == 6 ? "[%s]:%u" : "%s:%u", ip, a->port);
	return out;
}

bool addr_parse(struct bytes text, struct addr *out)
{
	char ip[INET6_ADDRSTRLEN];
	struct bytes host = text, port = { NULL, 0 };
	uint64_t number = 0;
	bool six;

	*out = (struct addr){ 0 };
	if (text.len > 0 && text.at[0] == '[') {
		host = text_cut(bytes_part(text, 1, text.len), ']', &port);
		if (port.len > 0 && port.at[0] != ':')
			return false;
		port = bytes_part(port, 1, port.len);
		six = true;
	} else {
		six = text.len > 0 && memchr(text.at, '.', text.len) == NULL;
		if (!six)
			host = text_cut(text, ':', &port);
	}
	if (host.len >= sizeof(ip) || (port.len > 0 && !text_number(port, 65535, &number)))
		return false;
	text_copy(host, ip, sizeof(ip));
	if (inet_pton(six ? AF_INET6 : AF_INET, ip, out->ip) != 1) {
		*out = (struct addr){ 0 };
		return false;
	}
	out->family = six ? 6 : 4;
	out->port = (uint16_t)number;
	return true;
}
