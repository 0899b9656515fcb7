/* bound: a table from the keys of targets to what is bound to them; there are no more than targets. */
#include "bound.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

struct binding {
	char kms[IDENTITY_MAX], sip[IDENTITY_MAX];
	nsec_t until;
};

struct bound {
	struct table *targets;
};

struct bound *bound_new(void)
{
	struct bound *b = calloc(1, sizeof(*b));

	if (b != NULL && (b->targets = table_new()) == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

static void drop(struct bound *b, struct bytes key)
{
	struct binding *binding = table_take(b->targets, key);

	if (binding != NULL)
		secret_free(binding, sizeof(*binding));
}

void bound_free(struct bound *b)
{
	struct binding *binding;
	size_t step = 0;

	if (b == NULL)
		return;
	while ((binding = table_next(b->targets, &step, NULL)) != NULL)
		secret_free(binding, sizeof(*binding));
	table_free(b->targets);
	free(b);
}

/* One that does not fit is none. */
static void keep(char out[IDENTITY_MAX], struct bytes said)
{
	if (said.len > 0 && said.len < IDENTITY_MAX)
		text_copy(said, out, IDENTITY_MAX);
}

void bound_learn(struct bound *b, struct bytes key, struct bytes kms, struct bytes sip, nsec_t until)
{
	struct binding *binding = table_get(b->targets, key);

	if (binding == NULL) {
		binding = calloc(1, sizeof(*binding));
		if (binding == NULL || !table_put(b->targets, key, binding)) {
			free(binding);
			return;
		}
	}
	keep(binding->kms, kms);
	keep(binding->sip, sip);
	binding->until = until;
}

void bound_end(struct bound *b, struct bytes key)
{
	drop(b, key);
}

void bound_of(const struct bound *b, struct bytes key, nsec_t at, struct bytes *kms, struct bytes *sip)
{
	const struct binding *binding = table_size(b->targets) > 0 ? table_get(b->targets, key) : NULL;
	bool holds = binding != NULL && at < binding->until;

	*kms = bytes_of(holds ? binding->kms : NULL);
	*sip = bytes_of(holds ? binding->sip : NULL);
}

void bound_keep(struct bound *b, bool (*stays)(const void *context, struct bytes key), const void *context)
{
	struct bytes key;
	size_t step = 0;

	while (table_next(b->targets, &step, &key) != NULL)
		if (!stays(context, key))
			drop(b, key);
}
