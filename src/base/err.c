/* err: one sentence that grows outwards. */
#include "otway/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int __attribute__((format(printf, 3, 0))) fill(struct err *err, enum exit_code code, const char *fmt, va_list ap)
{
	if (err != NULL) {
		err->code = code;
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
	}
	return -1;
}

int err_set(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, EXIT_FAILED, fmt, ap);
	va_end(ap);
	return -1;
}

int err_code(struct err *err, enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_in(struct err *err, const char *what, ...)
{
	char inner[sizeof(err->text)];
	va_list ap;
	int len;

	if (err == NULL)
		return -1;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, what);
	len = vsnprintf(err->text, sizeof(err->text), what, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len + 3 < sizeof(err->text)) {
		size_t room = sizeof(err->text) - (size_t)len - 3, inside = strnlen(inner, room);

		memcpy(err->text + len, ": ", 2);
		memcpy(err->text + len + 2, inner, inside);
		err->text[(size_t)len + 2 + inside] = '\0';
	}
	return -1;
}
