/* mirror_offload: what offload makes one packet of several, by the names that the kernel gives its features (ethtool ioctl). */
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mirror_kernel.h"

#define BLOCKS 8 /* of 32 features each; Linux 6.18 has fewer than 96 */

/* The kernel's name of it, and what `ethtool -K` calls it. */
static const struct {
	const char *feature, *word;
} merging[] = { { "rx-gro", "gro" }, { "rx-lro", "lro" }, { "rx-gro-hw", "rx-gro-hw" } };

#define MERGING (sizeof(merging) / sizeof(merging[0]))

static bool ask(int look, const char *name, void *what)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	r.ifr_data = what;
	return ioctl(look, SIOCETHTOOL, &r) == 0;
}

static unsigned count_features(int look, const char *name)
{
	uint32_t room[sizeof(struct ethtool_sset_info) / sizeof(uint32_t) + 1] __attribute__((aligned(8))) = { 0 };
	struct ethtool_sset_info *set = (void *)room;

	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = 1u << ETH_SS_FEATURES;
	return ask(look, name, set) && set->sset_mask != 0 && set->data[0] <= 32 * BLOCKS ? set->data[0] : 0;
}

/* Where each of `merging` stands among the features; -1: the kernel has it not. */
static void find(int look, const char *name, int at[MERGING])
{
	unsigned count = count_features(look, name);
	struct ethtool_gstrings *all = calloc(1, sizeof(*all) + (size_t)count * ETH_GSTRING_LEN);

	for (size_t k = 0; k < MERGING; k++)
		at[k] = -1;
	if (all == NULL)
		return;
	*all = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count };
	if (count > 0 && ask(look, name, all))
		for (unsigned i = 0; i < count; i++)
			for (size_t k = 0; k < MERGING; k++)
				if (strncmp((char *)all->data + i * ETH_GSTRING_LEN, merging[k].feature,
					    ETH_GSTRING_LEN) == 0)
					at[k] = (int)i;
	free(all);
}

/* Blocks of 32 features, behind a head of two numbers: four words of each that are got, two of each that are set. */
struct got {
	uint32_t cmd, size;
	struct ethtool_get_features_block blocks[BLOCKS];
};

struct set {
	uint32_t cmd, size;
	struct ethtool_set_features_block blocks[BLOCKS];
};

static bool is_on(const struct got *g, int at)
{
	return at >= 0 && (g->blocks[at / 32].active & 1u << at % 32) != 0;
}

void kernel_merges(int look, const char *name, char *words, size_t size)
{
	struct got g = { ETHTOOL_GFEATURES, BLOCKS, { { 0 } } };
	int at[MERGING];
	size_t len = 0;

	words[0] = '\0';
	find(look, name, at);
	if (!ask(look, name, &g))
		return;
	for (size_t k = 0; k < MERGING; k++)
		if (is_on(&g, at[k]) && len < size)
			len += (size_t)snprintf(
				words + len, size - len, "%s%s off", len > 0 ? " " : "", merging[k].word);
}

void kernel_no_merge(int look, const char *name)
{
	struct set s = { ETHTOOL_SFEATURES, (count_features(look, name) + 31) / 32, { { 0 } } };
	int at[MERGING];

	find(look, name, at);
	for (size_t k = 0; k < MERGING; k++)
		if (at[k] >= 0)
			s.blocks[at[k] / 32].valid |= 1u << at[k] % 32;
	ask(look, name, &s);
}
