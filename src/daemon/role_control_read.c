/*
 * role_control_read: what the store holds, for those who need it: warrants in use, none of which reaches back to before it was entered, those
 * that ended or were revoked not long ago, and agreements; and which store that was.
 */
#include "role_control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

struct reading {
	struct keeper_table *table;
	nsec_t ended_after;
	struct err *err;
};

static int take_warrant(void *arg, const struct warrant_row *r)
{
	struct reading *to = arg;
	struct warrant w = r->w; /* borrowed but for its times */

	w.revoked = r->revoked != NSEC_NONE;
	if (w.revoked && r->revoked < w.until)
		w.until = r->revoked;
	if (w.until <= to->ended_after)
		return 0;
	if (w.from < r->added)
		w.from = r->added;
	return warrant_add(&to->table->warrants, &w) ? 0 : err_set(to->err, "out of memory");
}

/* All that a reader of it gets, one after the other. */
static bool each_message(
	const struct keeper_table *t, bool (*fn)(void *arg, enum msg_type type, struct bytes body), void *arg)
{
	struct buf body = { 0 };
	bool ok = true;

	for (size_t i = 0; ok && i < t->warrants.count; i++) {
		buf_reset(&body);
		ok = msg_put_warrant(&body, &t->warrants.all[i], true, true, true) &&
		     fn(arg, MSG_WARRANT, buf_bytes(&body));
	}
	for (size_t i = 0; ok && i < t->agreements.count; i++) {
		buf_reset(&body);
		ok = msg_put_agreement(&body, &t->agreements.all[i]) && fn(arg, MSG_AGREEMENT, buf_bytes(&body));
	}
	buf_clear(&body);
	return ok;
}

static bool hash_one(void *arg, enum msg_type type, struct bytes body)
{
	uint8_t head[6];

	put_be16(head, (uint16_t)type);
	put_be32(head + 2, (uint32_t)body.len);
	sha256_add(arg, (struct bytes){ head, sizeof(head) });
	sha256_add(arg, body);
	return true;
}

static int hash(struct keeper_table *t, struct err *err)
{
	struct sha256 *h = sha256_new();
	bool ok = h != NULL && each_message(t, hash_one, h);

	if (ok)
		sha256_value(h, t->hash);
	sha256_free(h);
	return ok ? 0 : err_set(err, "a warrant or an agreement that is too long for a message, or out of memory");
}

int keeper_read(struct store *s, nsec_t ended_after, struct keeper_table *out, struct err *err)
{
	struct reading to = { out, ended_after, err };

	*out = (struct keeper_table){ 0 };
	if (store_warrant_each(s, NULL, take_warrant, &to, err) == 0 && store_kms_all(s, &out->agreements, err) == 0 &&
		hash(out, err) == 0)
		return 0;
	keeper_table_clear(out);
	return -1;
}

static bool send_one(void *arg, enum msg_type type, struct bytes body)
{
	return port_send(arg, type, body);
}

bool keeper_send(struct port *to, const struct keeper_table *t, const struct msg_lease *lease)
{
	struct buf end = { 0 };
	bool ok = msg_put_lease(&end, lease) && port_send(to, MSG_TABLE_BEGIN, (struct bytes){ NULL, 0 }) &&
		  each_message(t, send_one, to) && port_send(to, MSG_TABLE_END, buf_bytes(&end));

	buf_clear(&end);
	return ok;
}

void keeper_table_clear(struct keeper_table *t)
{
	warrant_set_clear(&t->warrants);
	kms_agreements_clear(&t->agreements);
}

/* "RUN ID NUMBER HASH\n": one line of the same length always, so that what is written is never half of two. */
#define MEMORY_LEN (10 + 1 + 32 + 1 + 20 + 1 + 64 + 1)

void keeper_remember(int fd, uint32_t run, const struct keeper_memory *m)
{
	char hex[SHA256_HEX], line[MEMORY_LEN + 1];

	if (fd < 0)
		return;
	text_hex((struct bytes){ m->head.hash, SHA256_LEN }, hex);
	snprintf(line, sizeof(line), "%010" PRIu32 " %-32s %020" PRIu64 " %s\n", run, m->id, m->head.number, hex);
	if (pwrite(fd, line, MEMORY_LEN, 0) != MEMORY_LEN)
		return; /* then the next control takes the store as it finds it, as the first one did */
}

void keeper_recall(int fd, uint32_t run, struct keeper_memory *m)
{
	char line[MEMORY_LEN + 1] = "";
	struct bytes rest = { (const uint8_t *)line, MEMORY_LEN }, id, hash_hex;
	uint64_t of = 0, number = 0;

	*m = (struct keeper_memory){ 0 };
	if (fd < 0 || pread(fd, line, MEMORY_LEN, 0) != MEMORY_LEN)
		return;
	rest = text_trim(rest);
	if (!text_number(text_word(rest, &rest), UINT32_MAX, &of) || of != run)
		return;
	id = text_word(rest, &rest);
	if (!text_number(text_word(rest, &rest), INT64_MAX, &number))
		return;
	hash_hex = text_word(rest, &rest);
	if (id.len != sizeof(m->id) - 1 || text_unhex(hash_hex, m->head.hash, SHA256_LEN) != SHA256_LEN)
		return;
	text_copy(id, m->id, sizeof(m->id));
	m->head.number = number;
}
