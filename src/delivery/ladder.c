/* ladder: messages are read back in the order of time; what each is, is in its first line and its CSeq. */
#include "ladder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "otway/base/text.h"

#include "page.h"
#include "walk.h"

enum {
	ARROWS = 300, /* drawn of one call */
	COLUMNS = 12, /* hosts drawn */
	GUTTER = 86,  /* where the times stand */
	MARGIN = 80,  /* beside the first and the last column */
	STEP = 30,    /* from one message to the next */
	TOP = 44
};

struct arrow {
	nsec_t at;
	struct flow flow;
	uint16_t status; /* 0: a request */
	bool sdp, again; /* the same octets went the same way before */
	char label[80];
	uint8_t hash[SHA256_LEN];
};

struct ladder {
	struct arrow arrows[ARROWS];
	size_t count;
	uint64_t left_out;
	bool by_port; /* some host talks to itself: columns are host and port */
	struct addr columns[COLUMNS];
	size_t column_count;
};

/* The value of the first header line of that name. */
static struct bytes header(struct bytes message, const char *name)
{
	struct bytes rest = message, line, value;

	while (rest.len > 0) {
		line = text_cut(rest, '\n', &rest);
		if (text_trim(line).len == 0)
			break;
		if (text_is(text_trim(text_cut(line, ':', &value)), name))
			return text_trim(value);
	}
	return (struct bytes){ NULL, 0 };
}

/* "INVITE", "200 OK · INVITE". */
static void label_of(struct bytes message, struct arrow *a)
{
	struct bytes rest, first = text_trim(text_cut(message, '\n', &rest)), method;
	char number[4], reason[40], name[24];
	uint64_t status;

	if (!text_begins(first, "SIP/2.0 ")) {
		text_copy(text_word(first, &rest), a->label, sizeof(a->label));
		return;
	}
	text_word(first, &rest);
	text_copy(text_word(rest, &rest), number, sizeof(number));
	if (text_number(bytes_of(number), 999, &status))
		a->status = (uint16_t)status;
	text_copy(text_trim(rest), reason, sizeof(reason));
	method = header(message, "CSeq");
	text_word(method, &method);
	text_copy(text_trim(method), name, sizeof(name));
	snprintf(a->label, sizeof(a->label), "%s %s%s%s", number, reason, name[0] != '\0' ? " · " : "", name);
}

static bool contains(struct bytes text, const char *word)
{
	return text.len > 0 && memmem(text.at, text.len, word, strlen(word)) != NULL;
}

static void add_arrow(struct ladder *l, nsec_t at, const struct flow *flow, struct bytes message)
{
	struct arrow *a;

	while (message.len > 0 && text_space(message.at[0]))
		message = bytes_part(message, 1, message.len);
	if (l->count == ARROWS) {
		l->left_out++;
		return;
	}
	a = &l->arrows[l->count++];
	*a = (struct arrow){ .at = at, .flow = *flow, .sdp = contains(message, "\nv=0") && contains(message, "\nm=") };
	label_of(message, a);
	sha256_of(message, a->hash);
	for (size_t i = 0; i + 1 < l->count && !a->again; i++)
		a->again = memcmp(l->arrows[i].hash, a->hash, SHA256_LEN) == 0 &&
			   memcmp(&l->arrows[i].flow, flow, sizeof(*flow)) == 0;
	l->by_port = l->by_port || addr_same_host(&flow->src, &flow->dst);
}

static int read_messages(struct ladder *l, const struct held_call *c, struct err *err)
{
	struct walk *walk;
	struct spooled one;
	int got;

	if (walk_new(&walk, c->signalling, err) < 0)
		return -1;
	while ((got = walk_next(walk, &one, err)) > 0) {
		struct spooled_message m;
		struct bytes packet;

		if (holding_message(&one, &m, &packet))
			add_arrow(l, one.at, &m.flow, bytes_part(packet, m.payload_at, m.payload_len));
	}
	walk_free(walk);
	return got;
}

/* The column of an address, made when it is new; COLUMNS: there are too many. */
static size_t column_of(struct ladder *l, const struct addr *a)
{
	for (size_t i = 0; i < l->column_count; i++)
		if (l->by_port ? addr_equal(&l->columns[i], a) : addr_same_host(&l->columns[i], a))
			return i;
	if (l->column_count == COLUMNS)
		return COLUMNS;
	l->columns[l->column_count] = *a;
	return l->column_count++;
}

static int spacing(const struct ladder *l)
{
	int gaps = l->column_count > 1 ? (int)l->column_count - 1 : 1;
	int room = (1000 - GUTTER - 2 * MARGIN) / gaps;

	return room > 340 ? 340 : room > 170 ? room : 170;
}

static int column_x(const struct ladder *l, size_t column)
{
	return GUTTER + MARGIN + (int)column * spacing(l);
}

/* The address without its port, unless ports tell columns apart. */
static void host_name(FILE *f, const struct ladder *l, const struct addr *a)
{
	char text[ADDR_TEXT];
	struct addr bare = *a;

	addr_text(&bare, text);
	if (!l->by_port) {
		char *colon = strrchr(text, ':');

		if (colon != NULL)
			*colon = '\0';
	}
	fputs(text, f);
}

static const char *look_of(const struct arrow *a)
{
	if (a->status == 0)
		return "ask";
	return a->status < 200 ? "wait" : a->status < 300 ? "ok" : a->status < 400 ? "away" : "bad";
}

static void draw_line(FILE *f, int from, int to, int y)
{
	int back = to > from ? -7 : 7;

	if (from == to) { /* to itself */
		fprintf(f, "<path class=\"arrow\" d=\"M%d %dh26v9h-20\"/><path class=\"tip\" d=\"M%d %dl7-4v8z\"/>",
			from, y - 5, from, y + 4);
		return;
	}
	fprintf(f, "<path class=\"arrow\" d=\"M%d %dH%d\"/><path class=\"tip\" d=\"M%d %dl%d-4v8z\"/>", from, y,
		to + back / 2, to, y, back);
}

/* A label, cut to the room there is: a character takes about 6 units. */
static void draw_label(FILE *f, const struct arrow *a, int room)
{
	struct bytes all = bytes_of(a->label);
	int left = room > 90 ? room / 6 - (a->sdp ? 6 : 0) - (a->again ? 8 : 0) : 15;
	size_t at = 0;

	for (; at < all.len && left > 0; left--) {
		size_t len = text_utf8(all, at);

		at += len > 0 ? len : 1;
	}
	page_text(f, bytes_part(all, 0, at));
	fputs(at < all.len ? "…" : "", f);
	fputs(a->sdp ? " · SDP" : "", f);
	fputs(a->again ? " (again)</text>" : "</text>", f);
	if (at < all.len) {
		fputs("<title>", f);
		page_text(f, all);
		fputs("</title>", f);
	}
	fputs("</g>\n", f);
}

static void draw_arrow(FILE *f, struct ladder *l, const struct arrow *a, nsec_t first, int y)
{
	size_t from = column_of(l, &a->flow.src), to = column_of(l, &a->flow.dst);
	int x = from < COLUMNS ? column_x(l, from) : 0, end = to < COLUMNS ? column_x(l, to) : 0;
	char span[PAGE_SPAN];

	if (from == COLUMNS || to == COLUMNS)
		return;
	fprintf(f, "<g class=\"%s%s\"><text class=\"soft mono\" x=\"0\" y=\"%d\">+%s</text>", look_of(a),
		a->again ? " again" : "", y + 4, page_span(a->at - first, span));
	draw_line(f, x, end, y);
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x == end ? x + 32 : (x + end) / 2,
		x == end ? y + 3 : y - 6, x == end ? "start" : "middle");
	draw_label(f, a, x == end ? spacing(l) - 40 : abs(end - x) - 8);
}

static void draw(FILE *f, struct ladder *l)
{
	int height = TOP + (int)l->count * STEP + 6, width;

	for (size_t i = 0; i < l->count; i++) {
		column_of(l, &l->arrows[i].flow.src);
		column_of(l, &l->arrows[i].flow.dst);
	}
	width = column_x(l, l->column_count - 1) + MARGIN;
	fprintf(f,
		"<figure class=\"ladder\"><svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"SIP "
		"messages in the "
		"order of time\">\n",
		width, height, width);
	for (size_t i = 0; i < l->column_count; i++) {
		int x = column_x(l, i);

		fprintf(f, "<text class=\"host\" x=\"%d\" y=\"16\" text-anchor=\"middle\">", x);
		host_name(f, l, &l->columns[i]);
		fprintf(f, "</text><line class=\"life\" x1=\"%d\" x2=\"%d\" y1=\"24\" y2=\"%d\"/>\n", x, x, height);
	}
	for (size_t i = 0; i < l->count; i++)
		draw_arrow(f, l, &l->arrows[i], l->arrows[0].at, TOP + (int)i * STEP + STEP / 2);
	fputs("</svg></figure>\n", f);
	if (l->left_out > 0)
		fprintf(f, "<p class=\"soft\">and %" PRIu64 " more messages, in signalling.pcap</p>\n", l->left_out);
}

int ladder_write(FILE *f, const struct held_call *c, struct err *err)
{
	struct ladder *l;
	int rc;

	if (spool_empty(c->signalling))
		return 0;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_set(err, "out of memory");
	rc = read_messages(l, c, err);
	if (rc == 0 && l->count > 0)
		draw(f, l);
	free(l);
	return rc;
}
