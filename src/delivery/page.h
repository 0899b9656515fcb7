/*
 * page: what every report has in common: its style, its script, text that is safe to show, times and spans as people
 * read them.
 */
#ifndef DELIVERY_PAGE_H
#define DELIVERY_PAGE_H

#include <stdio.h>

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

extern const char page_style[];  /* page/page.css */
extern const char page_script[]; /* page/page.js */

/*
 * Text of anybody's making, for an element or a quoted attribute: markup is escaped; octets that are no UTF-8, control
 * characters, and those that turn the direction of text become U+FFFD.
 */
void page_text(FILE *f, struct bytes text);
void page_string(FILE *f, const char *text); /* NULL: a dash */

/* "2026-11-21 20:58:23.000" (UTC), or a dash. */
void page_time(FILE *f, nsec_t at);

/* "0:05.120", "1:02:05.120". */
#define PAGE_SPAN 40
char *page_span(nsec_t span, char out[PAGE_SPAN]);

/* "1 packet", "2 packets". */
void page_count(FILE *f, uint64_t n, const char *one, const char *many);

/* Up to the title's end, with a policy that lets nothing run or load but what this page carries. */
void page_begin(FILE *f, const char *title);
void page_end(FILE *f);

#endif
