/*
 * parse: the judgement of libosip2 on the header of a message. The one file that sees its message API. It is not shown bodies, nor
 * what describes them: it loses memory over those that are malformed, and ours are read and judged here (body.c, media_desc.c).
 */
#include "parts.h"

#include <osipparser2/osip_parser.h>

#include "otway/base/text.h"

/* libosip2 appends to linked lists from their heads, so that time grows as the square of these; real messages have
 * a tenth of them. */
#define FIELDS_MAX 256

/* Its trace would print messages: identities must not come out that way. */
static void say_nothing(const char *file, int line, osip_trace_level_t level, const char *format, va_list args)
{
	(void)file, (void)line, (void)level, (void)format, (void)args;
}

void parse_init(void)
{
	osip_trace_initialize_func(TRACE_LEVEL0, say_nothing);
	parser_init();
}

/* A line that begins a field which tells of the body. */
static bool of_body(struct bytes line)
{
	struct bytes name = text_trim(text_cut(line, ':', NULL));

	return text_begins(name, "content-") || text_is(name, "l") || text_is(name, "c") || text_is(name, "e");
}

/* The header without what tells of the body, an empty line behind it. False: more fields, or values by comma, than ours. */
static bool take_header(struct bytes message, struct buf *out)
{
	size_t fields = 0;
	bool left_out = false;

	while (message.len > 0 && fields <= FIELDS_MAX) {
		struct bytes line = line_next(&message, NULL);
		bool more = line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t');

		if (line.len == 0)
			break;
		fields += !more;
		for (size_t i = 0; i < line.len; i++)
			fields += line.at[i] == ',';
		left_out = more ? left_out : fields > 1 && of_body(line);
		if (!left_out && (!buf_add(out, line.at, line.len) || !buf_text(out, "\r\n")))
			return false;
	}
	return fields <= FIELDS_MAX && buf_text(out, "Content-Length: 0\r\n\r\n") && buf_add(out, "", 1);
}

bool parse_accepts(struct bytes message)
{
	struct buf header = { 0 };
	osip_message_t *m = NULL;
	bool accepted = false;

	if (take_header(message, &header) && osip_message_init(&m) == OSIP_SUCCESS) {
		accepted = osip_message_parse(m, (const char *)header.at, header.len - 1) == OSIP_SUCCESS;
		osip_message_free(m);
	}
	buf_clear(&header);
	return accepted;
}
