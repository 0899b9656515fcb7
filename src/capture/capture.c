/* capture: the files, and a heap of their next frames that merges them. */
#include "otway/capture.h"

#include <stdio.h>
#include <stdlib.h>

#include "format.h"

#define BUFFER_MAX  (1u << 20) /* of one file: the system is asked rarely */
#define BUFFER_MIN  (1u << 16)
#define BUFFERS_MAX (64u << 20) /* of all files together, as long as each has BUFFER_MIN */

/* One file, and the frame of it that comes next. */
struct input {
	struct capture_file facts;
	struct intake intake;
	struct format format;
	struct frame next;
};

struct capture {
	struct input *inputs;
	size_t count;
	struct input **heap; /* of the files not at their end, by the time of their next frame, the least first */
	size_t heap_count;
	bool begun, given; /* the files are at their first frame; the top of the heap was given out */
	uint64_t frames_cut;
};

static int open_input(struct input *in, size_t buffer, bool hash, bool (*known)(int link), struct err *err)
{
	if (intake_open(&in->intake, in->facts.name, buffer, hash, err) < 0 ||
		format_open(&in->format, &in->intake, known, err) < 0)
		return -1;
	in->next.link = in->format.interface_count > 0 ? in->format.interfaces[0].link : 0;
	return 0;
}

static size_t buffer_size(size_t count)
{
	size_t share = BUFFERS_MAX / count;

	return share > BUFFER_MAX ? BUFFER_MAX : share < BUFFER_MIN ? BUFFER_MIN : share;
}

static int open_all(struct capture *c, const char *const *names, bool hash, bool (*known)(int link), struct err *err)
{
	bool stdin_named = false;

	for (size_t i = 0; i < c->count; i++) {
		struct input *in = &c->inputs[i];
		bool is_stdin = strcmp(names[i], "-") == 0;

		in->facts = (struct capture_file){ .name = names[i], .first = NSEC_NONE, .last = NSEC_NONE };
		in->next.source = (uint32_t)i;
		if (is_stdin && stdin_named)
			return err_code(err, EXIT_USAGE, "standard input (-) can be read once only");
		stdin_named |= is_stdin;
		if (open_input(in, buffer_size(c->count), hash, known, err) < 0)
			return err_in(err, is_stdin ? "standard input" : "%s", names[i]);
	}
	return 0;
}

int capture_open_files(struct capture **out, const char *const *names, size_t count, bool hash, bool (*known)(int link),
	struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL || count == 0) {
		free(c);
		return err_set(err, count == 0 ? "no capture is named" : "out of memory");
	}
	c->inputs = calloc(count, sizeof(*c->inputs));
	c->heap = calloc(count, sizeof(struct input *));
	if (c->inputs == NULL || c->heap == NULL) {
		capture_free(c);
		return err_set(err, "out of memory");
	}
	c->count = count;
	for (size_t i = 0; i < count; i++)
		c->inputs[i].intake.fd = -1;
	if (open_all(c, names, hash, known, err) < 0) {
		capture_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void capture_free(struct capture *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		format_clear(&c->inputs[i].format);
		intake_clear(&c->inputs[i].intake);
	}
	free(c->inputs);
	free(c->heap);
	free(c);
}

static inline void note_frame(struct capture *c, struct capture_file *f, const struct frame *frame)
{
	nsec_t at = frame->at;

	c->frames_cut += frame->wire_len > frame->bytes.len;
	if (f->packets++ == 0)
		f->first = f->last = at;
	else if (at > f->last)
		f->last = at;
	else if (at < f->first)
		f->first = at;
}

/* The end of a file, reached or run into. A file that ends within a packet has lost that packet and no other. */
static int finish(struct input *in, enum format_got got, struct err *err)
{
	if (got == GOT_BAD && in->intake.fault == 0) {
		err_set(err, "packet %llu: %s", (unsigned long long)in->facts.packets + 1, in->format.why);
		return err_in(err, "%s: cannot be read on", in->facts.name);
	}
	in->facts.cut = got == GOT_CUT;
	if (!intake_drain(&in->intake))
		return err_set(err, "%s: cannot be read on: %s", in->facts.name, strerror(in->intake.fault));
	if (in->intake.hash != NULL)
		sha256_value(in->intake.hash, in->facts.sha256);
	return 0;
}

/* Reads the next frame of one file. 1: it is in in->next; 0: the end; -1 with err. */
static int advance(struct capture *c, struct input *in, struct err *err)
{
	enum format_got got = in->format.kind->next(&in->format, &in->intake, &in->next);

	if (got != GOT_FRAME)
		return finish(in, got, err);
	note_frame(c, &in->facts, &in->next);
	return 1;
}

/* The one file that is left: its next frame need not wait for another's. Returns as advance. */
static int advance_only(struct capture *c, struct frame *out, struct err *err)
{
	struct input *in = c->heap[0];
	enum format_got got;

	out->link = in->next.link;
	out->source = in->next.source;
	got = in->format.kind->next(&in->format, &in->intake, out);
	if (got == GOT_FRAME) {
		note_frame(c, &in->facts, out);
		return 1;
	}
	c->heap_count = 0;
	c->given = false;
	return finish(in, got, err);
}

static bool before(const struct input *a, const struct input *b)
{
	return a->next.at != b->next.at ? a->next.at < b->next.at : a->next.source < b->next.source;
}

/* Lets what stands at `i` sink to where it belongs. */
static void sift(struct capture *c, size_t i)
{
	struct input *sinking = c->heap[i];

	for (size_t child = 2 * i + 1; child < c->heap_count; child = 2 * i + 1) {
		if (child + 1 < c->heap_count && before(c->heap[child + 1], c->heap[child]))
			child++;
		if (!before(c->heap[child], sinking))
			break;
		c->heap[i] = c->heap[child];
		i = child;
	}
	c->heap[i] = sinking;
}

/* Reads on in the file at the top of the heap; one that has ended, or failed, leaves it. */
static int replace_top(struct capture *c, struct err *err)
{
	int got = advance(c, c->heap[0], err);

	if (got != 1)
		c->heap[0] = c->heap[--c->heap_count];
	if (c->heap_count > 0)
		sift(c, 0);
	return got < 0 ? -1 : 0;
}

/* Reads the first frame of every file. */
static int begin(struct capture *c, struct err *err)
{
	int rc = 0;

	c->begun = true;
	for (size_t i = 0; i < c->count; i++) {
		int got = advance(c, &c->inputs[i], rc == 0 ? err : NULL);

		if (got == 1)
			c->heap[c->heap_count++] = &c->inputs[i];
		else if (got < 0)
			rc = -1;
	}
	for (size_t i = c->heap_count / 2; i-- > 0;)
		sift(c, i);
	return rc;
}

int capture_next(struct capture *c, struct frame *out, struct err *err)
{
	bool given = c->given;

	if (given && c->heap_count == 1)
		return advance_only(c, out, err);
	c->given = false;
	if (given && replace_top(c, err) < 0)
		return -1;
	if (!c->begun && begin(c, err) < 0)
		return -1;
	if (c->heap_count == 0)
		return 0;
	*out = c->heap[0]->next;
	c->given = true;
	return 1;
}

size_t capture_file_count(const struct capture *c)
{
	return c->count;
}

const struct capture_file *capture_file(const struct capture *c, size_t i)
{
	return i < c->count ? &c->inputs[i].facts : NULL;
}

uint64_t capture_octets(const struct capture *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->count; i++)
		sum += c->inputs[i].intake.octets;
	return sum;
}

size_t capture_counts(const struct capture *c, struct counter *out, size_t max)
{
	struct counter all[] = { { "frames", 0 }, { "frames_cut", c->frames_cut }, { "capture_cut", 0 } };
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		all[0].value += c->inputs[i].facts.packets;
		all[2].value += c->inputs[i].facts.cut;
	}
	for (; n < sizeof(all) / sizeof(all[0]) && n < max; n++)
		out[n] = all[n];
	return n;
}
