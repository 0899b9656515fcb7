/* page: nothing here comes from outside but what page_text lets through. */
#include "page.h"

#include <inttypes.h>

#include "otway/base/crypto.h"
#include "otway/base/text.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Marks that turn the direction of what follows, so that it reads as something else (Unicode 12.2: bidirectional
 * controls). */
static bool turns(struct bytes t, size_t at, size_t len)
{
	uint32_t c;

	if (len == 2)
		return t.at[at] == 0xd8 && t.at[at + 1] == 0x9c; /* U+061C */
	if (len != 3)
		return false;
	c = (uint32_t)(t.at[at] & 15) << 12 | (uint32_t)(t.at[at + 1] & 63) << 6 | (t.at[at + 2] & 63u);
	return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static const char *escaped(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return c < 0x20 || c == 0x7f ? REPLACEMENT : NULL;
	}
}

void page_text(FILE *f, struct bytes text)
{
	for (size_t at = 0; at < text.len;) {
		size_t len = text_utf8(text, at);
		const char *instead = len == 0 ? REPLACEMENT : len == 1 ? escaped(text.at[at]) : NULL;

		if (len > 1 && (turns(text, at, len) || (len == 2 && text.at[at] == 0xc2 && text.at[at + 1] < 0xa0)))
			instead = REPLACEMENT;
		if (instead != NULL)
			fputs(instead, f);
		else
			fwrite(text.at + at, 1, len, f);
		at += len > 0 ? len : 1;
	}
}

void page_string(FILE *f, const char *text)
{
	if (text == NULL)
		fputs("–", f);
	else
		page_text(f, bytes_of(text));
}

void page_time(FILE *f, nsec_t at)
{
	char text[NSEC_TEXT];

	if (at == NSEC_NONE || at == NSEC_EVER) {
		fputs("–", f);
		return;
	}
	nsec_text(at, text);
	fprintf(f, "%.10s %.12s", text, text + 11);
}

char *page_span(nsec_t span, char out[PAGE_SPAN])
{
	int64_t ms = span / 1000000, s = ms / 1000, m = s / 60;

	if (m >= 60)
		snprintf(out, PAGE_SPAN, "%" PRId64 ":%02d:%02d.%03d", m / 60, (int)(m % 60), (int)(s % 60),
			(int)(ms % 1000));
	else
		snprintf(out, PAGE_SPAN, "%" PRId64 ":%02d.%03d", m, (int)(s % 60), (int)(ms % 1000));
	return out;
}

void page_count(FILE *f, uint64_t n, const char *one, const char *many)
{
	fprintf(f, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

/* The hash by which the policy knows what is ours (CSP 3, 2.3.1). */
static void source(FILE *f, const char *what)
{
	uint8_t value[SHA256_LEN];
	char text[4 * ((SHA256_LEN + 2) / 3) + 1];

	sha256_of(bytes_of(what), value);
	fprintf(f, "'sha256-%s'", text_base64((struct bytes){ value, sizeof(value) }, text));
}

void page_begin(FILE *f, const char *title)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action "
	      "'none'; "
	      "media-src data:; style-src ",
		f);
	source(f, page_style);
	fputs("; script-src ", f);
	source(f, page_script);
	fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light "
	      "dark\">\n<title>",
		f);
	page_string(f, title);
	fprintf(f, "</title>\n<style>%s</style>\n</head>\n<body>\n", page_style);
}

void page_end(FILE *f)
{
	fprintf(f, "<script>%s</script>\n</body>\n</html>\n", page_script);
}
