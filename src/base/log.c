/* log: one line at a time, whole, to standard error. */
#include "otway/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level loudest = LOG_LEVEL_WARNING;
static int as_json;

static const char *const names[] = { "error", "warning", "info", "debug" };

void log_level_set(enum log_level level)
{
	loudest = level;
}

enum log_level log_level_get(void)
{
	return loudest;
}

void log_json_set(int json)
{
	as_json = json;
}

/* Text into a JSON string; what is not printable ASCII becomes an escape. */
static size_t escape(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 7 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			n += (size_t)snprintf(out + n, size - n, "\\%c", c);
		else if (c < 0x20)
			n += (size_t)snprintf(out + n, size - n, "\\u%04x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return n;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[1024], quoted[2048], line[2200];
	va_list ap;
	int len;

	if (level > loudest)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (as_json) {
		escape(text, quoted, sizeof(quoted));
		len = snprintf(line, sizeof(line), "{\"level\":\"%s\",\"text\":\"%s\"}\n", names[level], quoted);
	} else {
		len = snprintf(line, sizeof(line), "otway: %s%s%s\n", level == LOG_LEVEL_INFO ? "" : names[level],
			level == LOG_LEVEL_INFO ? "" : ": ", text);
	}
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody is left to tell */
}
