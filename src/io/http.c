/*
 * http: what client and server read alike.
 */
#include "io.h"

#include "otway/base/text.h"

int http_place(const char *text, size_t len, unsigned port_default, char *host, size_t host_size, unsigned *port,
	struct err *err)
{
	const struct bytes all = { (const uint8_t *)text, len };
	struct bytes name, rest = { NULL, 0 };
	uint64_t number = port_default;

	if (len > 0 && text[0] == '[') {
		name = text_cut(bytes_part(all, 1, len), ']', &rest);
		if (name.len + 1 == len)
			return err_code(err, EXIT_USAGE, "an IPv6 address ends with ]");
		if (rest.len > 0 && rest.at[0] != ':')
			return err_code(err, EXIT_USAGE, "behind ] only :PORT may stand");
		rest = bytes_part(rest, 1, rest.len);
	} else {
		name = text_cut(all, ':', &rest);
	}
	if (name.len == 0 || name.len >= host_size)
		return err_code(err, EXIT_USAGE, "a host is 1 to %zu characters", host_size - 1);
	if ((rest.len > 0 || port_default == 0) && !text_number(rest, 65535, &number))
		return err_code(err, EXIT_USAGE, "a port is a number up to 65535, as in 127.0.0.1:8443 or [::1]:8443");
	text_copy(name, host, host_size);
	*port = (unsigned)number;
	return 0;
}
