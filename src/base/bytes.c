/* bytes: the buffer that grows. */
#include "otway/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/base/secret.h"

uint8_t *buf_room(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *grown;

	if (b->failed)
		return NULL;
	if (len <= b->cap - b->len && b->at != NULL)
		return b->at + b->len;
	while (cap - b->len < len) {
		if (cap > SIZE_MAX / 2) {
			b->failed = true;
			return NULL;
		}
		cap *= 2;
	}
	grown = malloc(cap); /* not realloc: what is left behind is wiped */
	if (grown == NULL) {
		b->failed = true;
		return NULL;
	}
	if (b->len > 0)
		memcpy(grown, b->at, b->len);
	secret_free(b->at, b->cap);
	b->at = grown;
	b->cap = cap;
	return b->at + b->len;
}

bool buf_add(struct buf *b, const void *from, size_t len)
{
	uint8_t *to = buf_room(b, len);

	if (to == NULL)
		return false;
	if (len > 0)
		memcpy(to, from, len);
	b->len += len;
	return true;
}

bool buf_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int len;
	uint8_t *to;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = len < 0 ? NULL : buf_room(b, (size_t)len + 1);
	if (to != NULL) {
		vsnprintf((char *)to, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
	return to != NULL;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_clear(struct buf *b)
{
	secret_free(b->at, b->cap);
	*b = (struct buf){ 0 };
}
