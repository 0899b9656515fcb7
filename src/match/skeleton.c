/* skeleton: letters and digits alone, hashed, and a table of those of targets. */
#include "skeleton.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

struct triage {
	uint64_t *slots;    /* open addressing, 0 free */
	size_t count, room; /* room: a power of two, at least twice count */
	bool all;           /* some target has no skeleton, so everything may be it */
};

struct triage *triage_new(void)
{
	return calloc(1, sizeof(struct triage));
}

void triage_free(struct triage *t)
{
	if (t == NULL)
		return;
	secret_free(t->slots, t->room * sizeof(*t->slots));
	free(t);
}

int skeleton_hex(uint8_t c)
{
	c = text_lower(c);
	return text_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One octet of a user part at *i, an escape decoded, *i moved behind it. */
static uint8_t octet_at(struct bytes user, size_t *i)
{
	uint8_t c = user.at[(*i)++];
	int high, low;

	if (c != '%' || *i + 2 > user.len)
		return c;
	high = skeleton_hex(user.at[*i]);
	low = skeleton_hex(user.at[*i + 1]);
	if (high < 0 || low < 0)
		return c;
	*i += 2;
	return (uint8_t)(high << 4 | low);
}

/* What each octet is within a user part: 0 nothing, END behind it, ESCAPE, else a letter or digit of the skeleton. */
enum { END = 1, ESCAPE = 2 };

#define LETTERS(c) ['A' + (c)] = 'a' + (c), ['a' + (c)] = 'a' + (c)
#define SIX(c)     LETTERS(c), LETTERS(c + 1), LETTERS(c + 2), LETTERS(c + 3), LETTERS(c + 4), LETTERS(c + 5)

/* clang-format off */
static const uint8_t octets[256] = {
	[';'] = END, [':'] = END, ['@'] = END, ['>'] = END, ['"'] = END, ['?'] = END, [','] = END, ['%'] = ESCAPE,
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	SIX(0), SIX(6), SIX(12), SIX(18), LETTERS(24), LETTERS(25),
};
/* clang-format on */

/* The skeleton of what begins at user, *end where it ends. */
uint64_t skeleton_of(struct bytes user, size_t *end)
{
	uint64_t skeleton = 0;
	size_t i = 0;

	while (i < user.len && user.at[i] > ' ' && octets[user.at[i]] != END) {
		uint8_t c = octets[user.at[i]];

		if (c == ESCAPE) {
			c = octets[octet_at(user, &i)];
			if (c <= ESCAPE)
				continue;
		} else {
			i++;
		}
		if (c != 0 && (c != '0' || skeleton != 0))
			skeleton = ((skeleton ^ c) + 1) * UINT64_C(0x100000001b3); /* after FNV-1a */
	}
	*end = i;
	return skeleton;
}

uint64_t triage_skeleton(struct bytes user)
{
	size_t end;

	return skeleton_of(user, &end);
}

static size_t slot_of(const struct triage *t, uint64_t skeleton)
{
	size_t i = (skeleton * 0x9e3779b97f4a7c15ULL >> 20) & (t->room - 1);

	while (t->slots[i] != 0 && t->slots[i] != skeleton)
		i = (i + 1) & (t->room - 1);
	return i;
}

bool skeleton_wanted(const struct triage *t, uint64_t skeleton)
{
	return skeleton == 0 || t->all || (t->room > 0 && t->slots[slot_of(t, skeleton)] != 0);
}

static bool grow(struct triage *t)
{
	struct triage bigger = { .room = t->room > 0 ? t->room * 2 : 64, .count = t->count };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i] != 0)
			bigger.slots[slot_of(&bigger, t->slots[i])] = t->slots[i];
	secret_free(t->slots, t->room * sizeof(*t->slots));
	t->slots = bigger.slots;
	t->room = bigger.room;
	return true;
}

static bool add(struct triage *t, uint64_t skeleton)
{
	size_t i;

	if (skeleton == 0) {
		t->all = true;
		return true;
	}
	if (2 * (t->count + 1) > t->room && !grow(t))
		return false;
	i = slot_of(t, skeleton);
	t->count += t->slots[i] == 0;
	t->slots[i] = skeleton;
	return true;
}

/* What stands behind the scheme of a canonical URI: "sip:", "tel:", "urn:gsma:imei:". */
static struct bytes behind_scheme(const char *uri)
{
	struct bytes rest, all = bytes_of(uri);

	if (text_begins(all, "urn:"))
		return bytes_part(all, strlen("urn:gsma:imei:"), all.len);
	text_cut(all, ':', &rest);
	return rest;
}

bool triage_add(struct triage *t, const struct identity *id)
{
	return (id->uri[0] == '\0' || add(t, triage_skeleton(behind_scheme(id->uri)))) &&
	       (id->number[0] == '\0' || add(t, triage_skeleton(bytes_of(id->number))));
}

bool triage_targets(struct triage *t, const struct warrant_set *set)
{
	if (t->room > 0)
		secret_wipe(t->slots, t->room * sizeof(*t->slots));
	t->count = 0;
	t->all = false;
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->all[i].target_count; j++)
			if (!triage_add(t, &set->all[i].targets[j].id))
				return false;
	return true;
}
