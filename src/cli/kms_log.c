/* kms_log: what the reference KMS has done for whom. */
#include "inside.h"

#include <stdio.h>

#include "cmd_kms.h"
#include "otway/base/conf_kms.h"
#include "otway/key_store.h"

static int print_event(void *arg, uint64_t number, const struct key_event *e)
{
	const struct cli *c = arg;
	char at[NSEC_TEXT];

	if (c->json)
		output_json(json_pack("{s:I, s:o, s:s, s:s, s:s?, s:s?, s:s?}", "number", (json_int_t)number, "at",
			output_time(e->at), "act", e->act, "peer", e->peer, "request", e->request, "warrant",
			e->warrant, "outcome", e->outcome));
	else
		printf("%llu\t%s\t%s\t%s\t%s\t%s\t%s\n", (unsigned long long)number, nsec_text(e->at, at), e->act,
			e->peer, e->request != NULL ? e->request : "-", e->warrant != NULL ? e->warrant : "-",
			e->outcome != NULL ? e->outcome : "-");
	return 0;
}

int kms_log(struct cli *c, struct err *err)
{
	struct conf_kms conf;
	struct key_store *keys = NULL;
	uint64_t count;
	int rc = -1;

	if (conf_kms_read(c->operands[0], &conf, err) == 0 &&
		key_store_open(&keys, conf.store, conf.store_key, err) == 0 &&
		key_store_log_verify(keys, &count, err) == 0)
		rc = key_store_log_each(keys, print_event, c, err);
	key_store_free(keys);
	conf_kms_clear(&conf);
	return rc == 0 ? EXIT_DONE : cli_no_file(err);
}
