/* log: one line at a time, whole, to standard error or to systemd's journal. */
#include "otway/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log_journal.h"
#include "otway/base/text.h"

static enum log_level loudest = LOG_LEVEL_WARNING;
static int as_json;
static char who[32];
static int journal = -1; /* its socket */

static const char *const names[] = { "error", "warning", "info", "debug" };

void log_level_set(enum log_level level)
{
	loudest = level;
}

enum log_level log_level_get(void)
{
	return loudest;
}

bool log_level_named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			loudest = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_json_set(int json)
{
	as_json = json;
}

void log_role_set(const char *role)
{
	snprintf(who, sizeof(who), "%s", role);
}

bool log_journal_open(const char *socket)
{
	if (journal < 0 && log_journal_is(STDERR_FILENO))
		journal = log_journal_connect(socket);
	return journal >= 0;
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

static int as_object(char *line, size_t size, enum log_level level, const char *text)
{
	char quoted[2048], role[80] = "";

	if (who[0] != '\0')
		snprintf(role, sizeof(role), "\"role\":\"%s\",", who);
	escape(text, quoted, sizeof(quoted));
	return snprintf(line, size, "{\"level\":\"%s\",%s\"text\":\"%s\"}\n", names[level], role, quoted);
}

static int as_text(char *line, size_t size, enum log_level level, const char *text)
{
	return snprintf(line, size, "otway: %s%s%s%s%s\n", who, who[0] != '\0' ? ": " : "",
		level == LOG_LEVEL_INFO ? "" : names[level], level == LOG_LEVEL_INFO ? "" : ": ", text);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[1024], line[2300];
	va_list ap;
	int len;

	if (level > loudest)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (journal >= 0) {
		flatten(text);
		if (log_journal_send(journal, level, who, text))
			return;
	}
	if (!as_json)
		flatten(text);
	len = (as_json ? as_object : as_text)(line, sizeof(line), level, text);
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody is left to tell */
}
