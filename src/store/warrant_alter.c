/* warrant_alter: extending and revoking, each in one transaction with its history and its record in the trail. */
#include "inside.h"

/* A change of one warrant that is there: what is to be, and whether anything was to do. */
struct altering {
	struct store *s;
	const char *liid;
	nsec_t until;
	const char *until_entered, *authority, *reason;
	bool fresh;
	struct err *err;
};

static int extend_one(void *arg, const struct warrant_row *there)
{
	struct altering *a = arg;
	struct warrant_row now = *there; /* shares its texts */
	char before[NSEC_TEXT], after[NSEC_TEXT];
	bool later = a->until != there->w.until;
	bool other = a->authority != NULL && strcmp(a->authority, there->w.authority) != 0;
	const struct change_line until = { "until", nsec_text(there->w.until, before), nsec_text(a->until, after) };
	const struct change_line authority = { "authority", there->w.authority, a->authority };
	json_t *fields;

	if (there->revoked != NSEC_NONE)
		return err_code(a->err, EXIT_REFUSED, "the warrant is revoked, which is for good");
	if (a->until < there->w.until)
		return err_code(a->err, EXIT_REFUSED,
			"--until is earlier than the %s it runs to; what shall end early is revoked", before);
	a->fresh = later || other;
	if (!a->fresh)
		return 0;
	now.w.until = a->until;
	if (later)
		now.until_entered = (char *)(uintptr_t)a->until_entered;
	if (other)
		now.w.authority = (char *)(uintptr_t)a->authority;
	fields = json_array();
	if (later)
		json_array_append_new(fields, json_string("until"));
	if (other)
		json_array_append_new(fields, json_string("authority"));
	if (audit_change(a->s, "warrant.extend", &now, fields, a->err) < 0 ||
		(later && write_change(a->s, now.w.number, "extend", &until, a->err) < 0) ||
		(other && write_change(a->s, now.w.number, "extend", &authority, a->err) < 0))
		return -1;
	return store_run(a->s, "UPDATE warrant SET ends = $1, until_entered = $2, authority = $3 WHERE number = $4",
		NULL, NULL, a->err, db_number(now.w.until), db_text(now.until_entered), db_text(now.w.authority),
		db_number(now.w.number));
}

static int revoke_one(void *arg, const struct warrant_row *there)
{
	struct altering *a = arg;
	struct warrant_row now = *there; /* shares its texts */
	char after[NSEC_TEXT];
	struct change_line at = { "revoked", NULL, NULL };
	const struct change_line reason = { "revoked_reason", NULL, a->reason };

	a->fresh = there->revoked == NSEC_NONE;
	if (!a->fresh)
		return 0;
	now.revoked = a->s->at;
	now.revoked_reason = (char *)(uintptr_t)a->reason;
	at.after = nsec_text(now.revoked, after);
	if (audit_change(a->s, "warrant.revoke", &now, json_pack("[s, s]", "revoked", "revoked_reason"), a->err) < 0 ||
		write_change(a->s, now.w.number, "revoke", &at, a->err) < 0 ||
		write_change(a->s, now.w.number, "revoke", &reason, a->err) < 0)
		return -1;
	return store_run(a->s, "UPDATE warrant SET revoked = $1, revoked_reason = $2 WHERE number = $3", NULL, NULL,
		a->err, db_number(now.revoked), db_text(a->reason), db_number(now.w.number));
}

static int alter_work(struct store *s, void *arg, struct err *err)
{
	struct altering *a = arg;

	a->s = s;
	a->err = err;
	return read_warrants(s, a->liid, a->reason != NULL ? revoke_one : extend_one, a, err);
}

static int alter(struct store *s, struct altering *a, bool *fresh, struct err *err)
{
	int rc = store_change(s, alter_work, a, err);

	*fresh = rc == 0 && a->fresh;
	return rc;
}

int store_warrant_extend(struct store *s, const char *liid, nsec_t until, const char *until_entered,
	const char *authority, bool *fresh, struct err *err)
{
	struct altering a = { .liid = liid, .until = until, .until_entered = until_entered, .authority = authority };

	return alter(s, &a, fresh, err);
}

int store_warrant_revoke(struct store *s, const char *liid, const char *reason, bool *fresh, struct err *err)
{
	struct altering a = { .liid = liid, .reason = reason };

	return alter(s, &a, fresh, err);
}
