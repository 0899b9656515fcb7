/* nsec: time as text, there and back. */
#include "otway/base/nsec.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "otway/base/text.h"

char *nsec_text(nsec_t at, char out[NSEC_TEXT])
{
	time_t sec = (time_t)(at / NSEC_PER_SEC);
	long nsec = (long)(at % NSEC_PER_SEC);
	struct tm tm;

	if (nsec < 0) {
		nsec += NSEC_PER_SEC;
		sec--;
	}
	if (gmtime_r(&sec, &tm) == NULL || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900)
		memset(&tm, 0, sizeof(tm));
	snprintf(out, NSEC_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", (tm.tm_year + 1900) % 10000,
		(tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100,
		nsec / 1000 % 1000000);
	return out;
}

static int parse_relative(const char *text, nsec_t base, nsec_t *out, struct err *err)
{
	static const struct {
		char unit;
		int64_t sec;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	size_t len = strlen(text);
	uint64_t count;

	for (size_t i = 0; len > 2 && i < sizeof(units) / sizeof(units[0]); i++) {
		struct bytes digits = { (const uint8_t *)text + 1, len - 2 };
		int64_t span;

		if (text[len - 1] != units[i].unit)
			continue;
		if (!text_number(digits, 100000000, &count))
			break;
		if (__builtin_mul_overflow((int64_t)count, units[i].sec * NSEC_PER_SEC, &span) ||
			__builtin_add_overflow(base, text[0] == '-' ? -span : span, out))
			break;
		return 0;
	}
	return err_code(err, EXIT_USAGE,
		"'%.40s' is no time span: write a sign, a number and s, m, h, d or w, as in +72h", text);
}

/* The two digits at *p, moved behind them; -1 when they are none. */
static int two(const char **p)
{
	int v;

	if (!text_digit((uint8_t)(*p)[0]) || !text_digit((uint8_t)(*p)[1]))
		return -1;
	v = ((*p)[0] - '0') * 10 + (*p)[1] - '0';
	*p += 2;
	return v;
}

static bool take(const char **p, const char *any)
{
	if (**p == '\0' || strchr(any, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

static bool parse_zone(const char *p, int64_t *shift)
{
	int sign = *p == '-' ? -1 : 1, hours, minutes;

	*shift = 0;
	if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
		return true;
	if (!take(&p, "+-"))
		return false;
	hours = two(&p);
	if (hours < 0 || hours > 23 || !take(&p, ":"))
		return false;
	minutes = two(&p);
	if (minutes < 0 || minutes > 59 || *p != '\0')
		return false;
	*shift = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* A fraction of a second, in nanoseconds; digits beyond the ninth are dropped. False: a point without digits. */
static bool parse_fraction(const char **p, int64_t *out)
{
	int64_t unit = NSEC_PER_SEC / 10;

	*out = 0;
	if (!take(p, "."))
		return true;
	if (!text_digit((uint8_t) * *p))
		return false;
	for (; text_digit((uint8_t) * *p); (*p)++, unit /= 10)
		*out += (**p - '0') * unit;
	return true;
}

/* Days that the calendar has: the 31st of February would move on to March. */
static bool real_day(int year, int mon, int day)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return day >= 1 && day <= days[mon - 1] + (mon == 2 && leap);
}

static bool parse_absolute(const char *p, nsec_t *out)
{
	int century = two(&p), year = century < 0 ? -1 : two(&p), mon, day, hour, min, sec;
	struct tm tm = { 0 };
	int64_t fraction, shift;

	if (year < 0 || !take(&p, "-") || (mon = two(&p)) < 1 || mon > 12 || !take(&p, "-") || (day = two(&p)) < 0 ||
		!take(&p, "Tt ") || (hour = two(&p)) < 0 || hour > 23 || !take(&p, ":") || (min = two(&p)) < 0 ||
		min > 59 || !take(&p, ":") || (sec = two(&p)) < 0 ||
		sec > 60) /* 60: a leap second counts as the next */
		return false;
	if (!real_day(century * 100 + year, mon, day) || !parse_fraction(&p, &fraction) || !parse_zone(p, &shift))
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon = mon - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = min;
	tm.tm_sec = sec;
	return !__builtin_mul_overflow((int64_t)timegm(&tm) - shift, NSEC_PER_SEC, out) &&
	       !__builtin_add_overflow(*out, fraction, out);
}

int nsec_parse(const char *text, nsec_t base, nsec_t *out, struct err *err)
{
	if (strcmp(text, "now") == 0) {
		*out = base;
		return 0;
	}
	if (text[0] == '+' || text[0] == '-')
		return parse_relative(text, base, out, err);
	if (parse_absolute(text, out))
		return 0;
	return err_code(err, EXIT_USAGE,
		"'%.40s' is no time: write RFC 3339 with a zone, as in 2026-11-21T09:00:00Z, or now, +72h", text);
}

nsec_t nsec_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (nsec_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}
