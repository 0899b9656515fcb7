/* skeleton: letters and digits alone, hashed, and a table of those of targets. */
#include "skeleton.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "otway/base/secret.h"
#include "otway/base/text.h"

struct triage *triage_new(void)
{
	return calloc(1, sizeof(struct triage));
}

void triage_free(struct triage *t)
{
	if (t == NULL)
		return;
	secret_free(t->slots, t->room * sizeof(*t->slots));
	secret_free(t->filter, t->room > 0 ? (t->filter_mask + 1) * sizeof(*t->filter) : 0);
	secret_free(t->taught, TAUGHT_MAX * sizeof(*t->taught));
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

/* Sixteen letters and digits, or the last of them, go into the hash; never 0. */
#define BLOCK 16

static uint64_t fold(uint64_t skeleton, uint64_t low, uint64_t high)
{
	skeleton = (skeleton ^ low) * UINT64_C(0x9e3779b97f4a7c15);
	skeleton = (skeleton ^ skeleton >> 32 ^ high) * UINT64_C(0xd6e8feb86659fd93);
	skeleton ^= skeleton >> 32;
	return skeleton != 0 ? skeleton : 1;
}

static uint64_t fold_block(uint64_t skeleton, const uint8_t block[BLOCK])
{
	uint64_t low, high;

	memcpy(&low, block, 8);
	memcpy(&high, block + 8, 8);
	return fold(skeleton, low, high);
}

/* Any spelling, octet by octet. */
static uint64_t skeleton_slowly(struct bytes user, size_t i, size_t *end)
{
	uint64_t skeleton = 0;
	uint8_t block[BLOCK] = { 0 };
	size_t n = 0;
	bool begun = false;

	while (i < user.len && user.at[i] > ' ' && octets[user.at[i]] != END) {
		uint8_t c = octets[user.at[i]];

		if (c == ESCAPE) {
			c = octets[octet_at(user, &i)];
			if (c <= ESCAPE)
				continue;
		} else {
			i++;
		}
		if (c == 0 || (c == '0' && !begun))
			continue;
		begun = true;
		block[n++] = c;
		if (n == BLOCK) {
			skeleton = fold_block(skeleton, block);
			memset(block, 0, sizeof(block));
			n = 0;
		}
	}
	*end = i;
	return n > 0 ? fold_block(skeleton, block) : skeleton;
}

#ifdef __SSE2__
/* Which octets lie within `from` and `from` + `count`. */
static __m128i within(__m128i octet, char from, char count)
{
	__m128i at = _mm_sub_epi8(octet, _mm_set1_epi8(from));

	return _mm_cmpeq_epi8(_mm_min_epu8(at, _mm_set1_epi8(count)), at);
}

/*
 * The usual spelling: fewer than sixteen letters and digits with nothing between them, at `at`, where sixteen octets are.
 * *len: how many; 0: it is another.
 */
static uint64_t skeleton_quickly(const uint8_t *at, size_t *len)
{
	static const uint8_t first[2 * BLOCK] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff };
	__m128i all = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i small = _mm_or_si128(all, _mm_set1_epi8(0x20)); /* a digit has that bit already */
	__m128i good = _mm_or_si128(within(all, '0', 9), within(small, 'a', 25));
	size_t n = (size_t)__builtin_ctz(~(unsigned int)_mm_movemask_epi8(good));

	*len = n < BLOCK && (at[n] <= ' ' || octets[at[n]] == END) ? n : 0;
	small = _mm_and_si128(small, _mm_loadu_si128((const __m128i *)(const void *)(first + BLOCK - *len)));
	return fold(
		0, (uint64_t)_mm_cvtsi128_si64(small), (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(small, small)));
}
#endif

/* The skeleton of what begins at user, *end where it ends. */
uint64_t skeleton_of(struct bytes user, size_t *end)
{
	size_t i = 0;

	while (i < user.len && (user.at[i] == '+' || user.at[i] == '0'))
		i++;
#ifdef __SSE2__
	if (user.len - i >= BLOCK) {
		size_t len;
		uint64_t skeleton = skeleton_quickly(user.at + i, &len);

		*end = i + len;
		if (len > 0)
			return skeleton;
	}
#endif
	return skeleton_slowly(user, i, end);
}

uint64_t triage_skeleton(struct bytes user)
{
	size_t end;

	return skeleton_of(user, &end);
}

static size_t slot_of(const struct triage *t, uint64_t skeleton)
{
	size_t i = skeleton >> 16 & (t->room - 1);

	while (t->slots[i] != 0 && t->slots[i] != skeleton)
		i = (i + 1) & (t->room - 1);
	return i;
}

bool skeleton_known(const struct triage *t, uint64_t skeleton)
{
	return t->slots[slot_of(t, skeleton)] != 0;
}

static void lay(struct triage *t, uint64_t skeleton)
{
	t->slots[slot_of(t, skeleton)] = skeleton;
	t->filter[skeleton & t->filter_mask] |= skeleton_bits(skeleton);
}

/* Sixteen bits of the filter for each skeleton there is room for. */
static bool grow(struct triage *t)
{
	struct triage bigger = { .room = t->room > 0 ? t->room * 2 : 64, .count = t->count, .all = t->all };

	bigger.filter_mask = bigger.room / 8 - 1;
	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	bigger.filter = calloc(bigger.filter_mask + 1, sizeof(*bigger.filter));
	if (bigger.slots == NULL || bigger.filter == NULL) {
		free(bigger.slots);
		free(bigger.filter);
		return false;
	}
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i] != 0)
			lay(&bigger, t->slots[i]);
	secret_free(t->slots, t->room * sizeof(*t->slots));
	secret_free(t->filter, t->room > 0 ? (t->filter_mask + 1) * sizeof(*t->filter) : 0);
	*t = bigger;
	return true;
}

static bool add(struct triage *t, uint64_t skeleton)
{
	if (skeleton == 0) {
		t->all = true;
		return true;
	}
	if (2 * (t->count + 1) > t->room && !grow(t))
		return false;
	t->count += t->slots[slot_of(t, skeleton)] == 0;
	lay(t, skeleton);
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

static bool remember(struct triage *t, uint64_t skeleton)
{
	if (t->taught == NULL && (t->taught = calloc(TAUGHT_MAX, sizeof(*t->taught))) == NULL)
		return false;
	t->taught[t->taught_count++ % TAUGHT_MAX] = skeleton;
	return add(t, skeleton);
}

bool triage_teach(struct triage *t, const struct identity *id)
{
	return (id->uri[0] == '\0' || remember(t, triage_skeleton(behind_scheme(id->uri)))) &&
	       (id->number[0] == '\0' || remember(t, triage_skeleton(bytes_of(id->number))));
}

bool triage_targets(struct triage *t, const struct warrant_set *set)
{
	if (t->room > 0) {
		secret_wipe(t->slots, t->room * sizeof(*t->slots));
		secret_wipe(t->filter, (t->filter_mask + 1) * sizeof(*t->filter));
	}
	t->count = 0;
	t->all = false;
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->all[i].target_count; j++)
			if (!triage_add(t, &set->all[i].targets[j].id))
				return false;
	for (size_t i = 0; i < t->taught_count && i < TAUGHT_MAX; i++)
		if (!add(t, t->taught[i]))
			return false;
	return true;
}
