/*
 * role_control_board: what the roles tell of themselves: that they are there, what they count, which warrants have calls, what is wrong.
 * Bounded, and none of it believed further than it is checked: words, numbers, and texts for people.
 */
#include "role_control.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

#define ACTIVE_MOST 100000

/* Where a role's place in the row is: supervise, control, keys, delivery, then the intercepts. */
static void place_roles(struct board *b, const struct role_start *start, nsec_t now)
{
	static const enum role single[] = { ROLE_SUPERVISE, ROLE_CONTROL, ROLE_KEYS, ROLE_DELIVERY };

	for (size_t i = 0; i < b->role_count; i++) {
		struct board_role *r = &b->roles[i];

		r->role = i < 4 ? single[i] : ROLE_INTERCEPT;
		r->index = i < 4 ? 0 : (uint32_t)(i - 4);
		r->heard = NSEC_NONE;
		r->up = r->role == ROLE_CONTROL || !start->again ? now : NSEC_NONE;
	}
}

int board_init(struct board *b, const struct role_start *start, struct err *err)
{
	*b = (struct board){ .role_count = 4 + (size_t)start->intercepts };
	b->roles = calloc(b->role_count, sizeof(*b->roles));
	if (b->roles == NULL)
		return err_set(err, "out of memory");
	place_roles(b, start, nsec_now());
	return 0;
}

void board_clear(struct board *b)
{
	free(b->roles);
	free(b->active);
	*b = (struct board){ 0 };
}

struct board_role *board_role(struct board *b, enum role role, uint32_t index)
{
	for (size_t i = 0; i < b->role_count; i++)
		if (b->roles[i].role == role && b->roles[i].index == index)
			return &b->roles[i];
	return NULL;
}

static bool is_word(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] != '_' && !(text[i] >= 'a' && text[i] <= 'z') && (i == 0 || !text_digit((uint8_t)text[i])))
			return false;
	return len > 0 && len < max;
}

/* "eth1", "eth1.100", "intercept 0": printable ASCII. */
static bool is_of(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '"' || text[i] == '\\')
			return false;
	return len < max;
}

/* Supervise tells how the others are: "role_restarts", "role_up" (1 or 0) and "role_since" (wall clock) of "keys",
 * "intercept 1"; and since when it is there itself. */
static void note_role(struct board *b, const struct msg_count *c)
{
	for (size_t i = 0; i < b->role_count; i++) {
		struct board_role *r = &b->roles[i];
		char name[32];

		snprintf(name, sizeof(name), "%s %u", role_text(r->role), r->index);
		if (strcmp(c->of, name) != 0 && (r->role == ROLE_INTERCEPT || strcmp(c->of, role_text(r->role)) != 0))
			continue;
		if (strcmp(c->name, "role_restarts") == 0)
			r->restarts = c->value;
		else if (strcmp(c->name, "role_up") == 0)
			r->down = c->value == 0;
		else if (strcmp(c->name, "role_since") == 0)
			r->up = (nsec_t)c->value;
	}
}

static struct board_count *place_of(struct board_role *r, const struct msg_count *c)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->counts[i].name, c->name) == 0 && strcmp(r->counts[i].of, c->of) == 0)
			return &r->counts[i];
	return r->count < BOARD_COUNTS ? &r->counts[r->count++] : NULL;
}

void board_take_count(struct board *b, enum role from, uint32_t index, struct bytes body)
{
	struct board_role *r = board_role(b, from, index);
	struct board_count *at = NULL;
	struct msg_count c;

	if (r == NULL || !msg_get_count(body, &c) || !is_word(c.name, sizeof(at->name)) ||
		!is_of(c.of, sizeof(at->of))) {
		b->refused++;
		return;
	}
	r->heard = loop_now();
	if (from == ROLE_SUPERVISE && strncmp(c.name, "role_", 5) == 0) {
		note_role(b, &c);
		return;
	}
	at = place_of(r, &c);
	if (at == NULL) {
		b->refused++;
		return;
	}
	snprintf(at->name, sizeof(at->name), "%s", c.name);
	snprintf(at->of, sizeof(at->of), "%s", c.of);
	at->value = c.value;
	at->gauge = c.gauge;
}

void board_take_active(struct board *b, struct bytes body)
{
	struct msg_active a;

	if (!msg_get_active(body, &a)) {
		b->refused++;
		return;
	}
	if (a.warrant == UINT32_MAX) {
		b->active_count = 0;
		return;
	}
	if (b->active_count == b->active_room && b->active_room < ACTIVE_MOST) {
		struct msg_active *grown = realloc(b->active, (b->active_room * 2 + 16) * sizeof(*grown));

		if (grown != NULL) {
			b->active = grown;
			b->active_room = b->active_room * 2 + 16;
		}
	}
	if (b->active_count < b->active_room)
		b->active[b->active_count++] = a;
	else
		b->refused++;
}

/* One line of UTF-8: what is not, becomes a question mark. */
static void copy_text(char *out, size_t size, const char *text)
{
	struct bytes in = bytes_of(text);
	size_t n = 0, len;

	for (size_t i = 0; i<in.len; i += len> 0 ? len : 1) {
		len = text_utf8(in, i);
		if (n + (len > 0 ? len : 1) >= size)
			break;
		if (len == 0 || in.at[i] < 0x20 || in.at[i] == 0x7f) {
			out[n++] = '?';
			continue;
		}
		memcpy(out + n, in.at + i, len);
		n += len;
	}
	out[n] = '\0';
}

static struct board_alarm *find_alarm(struct board *b, const struct board_alarm *like)
{
	for (size_t i = 0; i < b->alarm_count; i++) {
		struct board_alarm *a = &b->alarms[i];

		if (a->alarm == like->alarm && a->role == like->role && a->index == like->index &&
			strcmp(a->of, like->of) == 0)
			return a;
	}
	return NULL;
}

static void remove_alarm(struct board *b, struct board_alarm *a)
{
	memmove(a, a + 1, (size_t)(b->alarms + b->alarm_count - (a + 1)) * sizeof(*a));
	b->alarm_count--;
}

/* True: it is a new one. */
static bool alarm_on(struct board *b, struct board_alarm *was, const struct board_alarm *now)
{
	if (was != NULL) {
		memcpy(was->text, now->text, sizeof(was->text));
		return false;
	}
	if (b->alarm_count == BOARD_ALARMS) {
		b->refused++;
		return false;
	}
	b->alarms[b->alarm_count++] = *now;
	return true;
}

bool board_take_alarm(
	struct board *b, enum role from, uint32_t index, struct bytes body, struct board_alarm *out, bool *on)
{
	struct msg_alarm a;
	struct board_alarm *was;

	if (!msg_get_alarm(body, &a) || a.alarm >= ALARMS || !is_of(a.of, sizeof(out->of))) {
		b->refused++;
		return false;
	}
	*out = (struct board_alarm){ .alarm = a.alarm, .role = from, .index = index, .since = nsec_now() };
	memcpy(out->of, a.of, sizeof(out->of));
	copy_text(out->text, sizeof(out->text), a.text);
	*on = a.on;
	was = find_alarm(b, out);
	if (a.on)
		return alarm_on(b, was, out);
	if (was == NULL)
		return false;
	*out = *was;
	remove_alarm(b, was);
	return true;
}

void board_peer_up(
	struct board *b, const struct msg_peer *p, void (*over)(void *arg, const struct board_alarm *a), void *arg)
{
	struct board_role *r = board_role(b, p->role, p->index);

	if (r == NULL)
		return;
	r->up = nsec_now();
	r->heard = NSEC_NONE;
	r->restarts++;
	r->count = 0;
	if (p->role == ROLE_INTERCEPT && p->index == 0)
		b->active_count = 0;
	for (size_t i = b->alarm_count; i-- > 0;) {
		struct board_alarm a = b->alarms[i];

		if (a.role == p->role && a.index == p->index) {
			remove_alarm(b, &b->alarms[i]);
			over(arg, &a);
		}
	}
}
