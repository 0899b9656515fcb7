/* words: texts that people gave, checked and made fit to be told. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otway/base/text.h"

/* Octets of the printable character at `at`; 0: there is none (not UTF-8, C0, C1 or DEL). */
static size_t printable(struct bytes text, size_t at)
{
	size_t len = text_utf8(text, at);

	if (len == 1 && (text.at[at] < 0x20 || text.at[at] == 0x7f))
		return 0;
	if (len == 2 && text.at[at] == 0xc2 && text.at[at + 1] < 0xa0)
		return 0;
	return len;
}

char *cli_clean(const char *text)
{
	struct bytes in = bytes_of(text);
	char *out = malloc(3 * in.len + 1), *to = out;
	size_t len;

	for (size_t at = 0; out != NULL && at<in.len; at += len> 0 ? len : 1) {
		len = printable(in, at);
		if (len > 0)
			memcpy(to, in.at + at, len);
		else
			snprintf(to, 4, "%%%02X", in.at[at]);
		to += len > 0 ? len : 3;
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

const char *cli_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int cli_check_text(const char *what, const char *text, size_t max, struct err *err)
{
	struct bytes in = bytes_of(text);
	size_t len;

	if (in.len == 0)
		return err_code(err, EXIT_USAGE, "%s is empty", what);
	if (in.len > max)
		return err_code(err, EXIT_USAGE, "%s is longer than %zu octets", what, max);
	for (size_t at = 0; at < in.len; at += len) {
		len = printable(in, at);
		if (len == 0)
			return err_code(err, EXIT_USAGE, "%s holds a control character, or is not UTF-8", what);
	}
	return 0;
}
