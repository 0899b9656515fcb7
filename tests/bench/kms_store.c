/* kms_store: see its header. */
#include "kms_store.h"

static int store_put(void *arg, const struct key_record *r, struct err *err)
{
	return key_store_put(arg, r, err);
}

static int store_find(void *arg, const struct key_record *like, int (*fn)(void *arg, const struct key_record *r),
	void *fn_arg, struct err *err)
{
	return key_store_find(arg, like, fn, fn_arg, err);
}

static int store_purge(void *arg, const struct key_record *like, nsec_t now, size_t *count, struct err *err)
{
	return key_store_purge(arg, like, now, count, err);
}

static int store_purged(void *arg, const struct key_record *like, struct err *err)
{
	return key_store_purged(arg, like, err);
}

static int store_log(void *arg, const struct key_event *e, struct err *err)
{
	return key_store_log(arg, e, err);
}

struct authority_memory store_memory(struct key_store *s)
{
	return (struct authority_memory){ s, store_put, store_find, store_purge, store_purged, store_log };
}
