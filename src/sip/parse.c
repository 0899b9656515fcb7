/* parse: the judgement of libosip2 on a message. The one file that sees its message API. */
#include "parts.h"

#include <osipparser2/osip_parser.h>

/* libosip2 appends to linked lists from their heads, so that time grows as the square of these; real messages have
 * a tenth of them. */
#define FIELDS_MAX 256
#define PARTS_MAX  64

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

/* Few enough header fields, values by comma, and body parts. */
static bool ordinary(struct bytes message)
{
	size_t fields = 0, parts = 0, behind = 0;
	struct bytes line;

	while (message.len > 0 && fields <= FIELDS_MAX && parts <= PARTS_MAX) {
		line = line_next(&message, NULL);
		behind += line.len == 0;
		parts += behind > 0 && line.len > 1 && line.at[0] == '-' && line.at[1] == '-';
		fields += behind == 0;
		for (size_t i = 0; i < line.len && behind == 0; i++)
			fields += line.at[i] == ',';
	}
	return fields <= FIELDS_MAX && parts <= PARTS_MAX;
}

bool parse_accepts(struct bytes message)
{
	osip_message_t *m;
	bool accepted;

	if (!ordinary(message) || osip_message_init(&m) != OSIP_SUCCESS)
		return false;
	accepted = osip_message_parse(m, (const char *)message.at, message.len) == OSIP_SUCCESS;
	osip_message_free(m);
	return accepted;
}
