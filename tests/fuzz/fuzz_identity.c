/* identity: URIs of any kind, as targets too. */
#include <stdlib.h>

#include "otway/model/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes uri = { data, size };
	struct identity id, again, target;

	/* A canonical form is its own canonical form, and what a warrant names is what messages name. */
	if (identity_parse(uri, &id) && (!identity_parse(bytes_of(id.uri), &again) || !identity_same(&id, &again)))
		abort();
	if (identity_target(uri, &target, NULL) == 0 && !identity_same(&id, &target))
		abort();
	return 0;
}
