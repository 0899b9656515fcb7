/* log: one line at a time, whole, to standard error. */
#include "otway/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "otway/base/text.h"

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

/* Text into a JSON string: control characters become escapes, what is not UTF-8 the replacement character. */
static void escape(const char *text, char *out, size_t size)
{
	struct bytes in = bytes_of(text);
	size_t n = 0, len;

	for (size_t i = 0; i < in.len && n + 7 < size; i += len > 0 ? len : 1) {
		uint8_t c = in.at[i];

		len = text_utf8(in, i);
		if (len == 0)
			n += (size_t)snprintf(out + n, size - n, "\\ufffd");
		else if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)snprintf(out + n, size - n, "\\%c", c);
		else
			n += (size_t)snprintf(out + n, size - n, "%.*s", (int)len, text + i);
	}
	out[n] = '\0';
}

/* One line stays one line, whatever a file may be called. */
static void flatten(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
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
		flatten(text);
		len = snprintf(line, sizeof(line), "otway: %s%s%s\n", level == LOG_LEVEL_INFO ? "" : names[level],
			level == LOG_LEVEL_INFO ? "" : ": ", text);
	}
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody is left to tell */
}
