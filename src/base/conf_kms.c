/* conf_kms: the settings of a KMS. The schema is their list. */
#include "otway/base/conf_kms.h"

#include <stdlib.h>

#include "conf_load.h"
#include "otway/base/file.h"
#include "otway/base/secret.h"

#define STRING_MAX 4096
#define LIST_MAX   100000

static const cyaml_schema_value_t entry = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, STRING_MAX) };

#define TEXT(of, name) CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER, of, name, 1, STRING_MAX)
#define MAY(of, name)  CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, of, name, 1, STRING_MAX)
#define LIST(of, name)                                                                                                 \
	CYAML_FIELD_SEQUENCE(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, of, name, &entry, 0, LIST_MAX)

static const cyaml_schema_field_t user_fields[] = {
	TEXT(struct conf_kms_user, identity),
	TEXT(struct conf_kms_user, psk),
	LIST(struct conf_kms_user, answerers),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t user = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_kms_user, user_fields) };

static const cyaml_schema_field_t partner_fields[] = {
	TEXT(struct conf_kms_partner, client),
	LIST(struct conf_kms_partner, homes),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t partner = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct conf_kms_partner, partner_fields) };

static const cyaml_schema_field_t fields[] = {
	TEXT(struct conf_kms, identity),
	TEXT(struct conf_kms, listen),
	TEXT(struct conf_kms, ca),
	TEXT(struct conf_kms, cert),
	TEXT(struct conf_kms, key),
	LIST(struct conf_kms, li_clients),
	CYAML_FIELD_SEQUENCE("li_partners", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf_kms, li_partners,
		&partner, 0, LIST_MAX),
	TEXT(struct conf_kms, store),
	TEXT(struct conf_kms, store_key),
	MAY(struct conf_kms, keep),
	MAY(struct conf_kms, ticket_life),
	CYAML_FIELD_BOOL("no_forking", CYAML_FLAG_OPTIONAL, struct conf_kms, no_forking),
	LIST(struct conf_kms, answerers),
	CYAML_FIELD_SEQUENCE(
		"users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf_kms, users, &user, 0, LIST_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf_kms, fields) };

int conf_kms_read(const char *path, struct conf_kms *out, struct err *err)
{
	struct conf_kms *loaded = NULL;
	struct buf text = { 0 };
	int rc = -1;

	*out = (struct conf_kms){ 0 };
	if (file_private(path, err) == 0 && conf_load(path, &schema, (void **)&loaded, &text, err) == 0) {
		if (loaded == NULL) {
			err_code(err, EXIT_USAGE,
				"%s: empty; identity, listen, ca, cert, key, store and store_key are needed", path);
		} else {
			*out = *loaded; /* the caller's from here on */
			*loaded = (struct conf_kms){ 0 };
			rc = 0;
		}
	}
	conf_unload(&schema, loaded);
	buf_clear(&text);
	return rc < 0 ? err_in(err, "reading the configuration of the KMS") : 0;
}

static void list_free(char **all, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(all[i]);
	free(all);
}

void conf_kms_clear(struct conf_kms *c)
{
	char *const texts[] = { c->identity, c->listen, c->ca, c->cert, c->key, c->store, c->store_key, c->keep,
		c->ticket_life };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	list_free(c->li_clients, c->li_clients_count);
	for (unsigned i = 0; i < c->li_partners_count; i++) {
		free(c->li_partners[i].client);
		list_free(c->li_partners[i].homes, c->li_partners[i].homes_count);
	}
	free(c->li_partners);
	list_free(c->answerers, c->answerers_count);
	for (unsigned i = 0; i < c->users_count; i++) {
		struct conf_kms_user *u = &c->users[i];

		free(u->identity);
		if (u->psk != NULL)
			secret_free(u->psk, strlen(u->psk));
		list_free(u->answerers, u->answerers_count);
	}
	free(c->users);
	*c = (struct conf_kms){ 0 };
}
