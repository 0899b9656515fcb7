/*
 * cases_state: what is known of a call, as it lies in memory: written by this program for itself alone. Of another version, or broken, it
 * counts as not there: the journal tells all of it again.
 */
#include "cases_inside.h"

#include <stdlib.h>

#include "otway/model/checksum.h"

struct head {
	char version[32];
	uint32_t sizes[4]; /* of the structs below, in octets */
	struct call_state state;
	struct held_counts counts;
	uint64_t keys_removed, rtcp_unmatched;
	nsec_t first, media_first, media_last, audio_from;
	uint64_t audio_frames;
	uint32_t streams, keys, audio_rate;
	uint8_t audio, first_is_message, files[5];
	uint32_t before_count;
	nsec_t before_at;
};

static void head_of(const struct holding *h, const struct held_call *c, const struct call_state *s, struct head *out)
{
	memset(out, 0, sizeof(*out)); /* padding, too: it is summed */
	snprintf(out->version, sizeof(out->version), "otway case %s", OTWAY_VERSION);
	out->sizes[0] = sizeof(struct head);
	out->sizes[1] = sizeof(struct held_stream);
	out->sizes[2] = sizeof(struct held_format);
	out->sizes[3] = sizeof(struct held_counts);
	out->state = *s;
	out->counts = h->counts;
	out->keys_removed = h->keys_removed;
	out->rtcp_unmatched = c->rtcp_unmatched;
	out->first = c->first;
	out->media_first = c->media_first;
	out->media_last = c->media_last;
	out->audio_from = c->audio_from;
	out->audio_frames = c->audio_frames;
	out->streams = c->stream_count;
	out->keys = h->keys != NULL ? (uint32_t)table_size(h->keys) : 0;
	out->audio_rate = c->audio_rate;
	out->audio = (uint8_t)c->audio;
	out->first_is_message = c->first_is_message;
	memcpy(out->files,
		(uint8_t[]){ c->signalling_file, c->media_file, c->sealed_file, c->other_file, c->before_file }, 5);
	out->before_count = c->before_count;
	out->before_at = c->before_at;
}

static void body_of(const struct holding *h, const struct held_call *c, struct buf *out)
{
	struct bytes key;
	size_t step = 0;

	for (uint32_t i = 0; i < c->stream_count; i++) {
		struct held_stream s = *c->streams[i];

		buf_add(out, &s, sizeof(s));
		buf_add(out, s.formats, s.format_count * sizeof(*s.formats));
		srtp_key_clear(&s.key);
	}
	while (h->keys != NULL && table_next(h->keys, &step, &key) != NULL) {
		uint8_t len = (uint8_t)key.len;

		buf_add(out, &len, 1);
		buf_add(out, key.at, key.len);
	}
}

int call_state_save(struct stage *stage, const char *path, const struct holding *h, const struct held_call *call,
	const struct call_state *s, struct err *err)
{
	char new[CASES_PATH];
	struct head head;
	struct buf all = { 0 };
	uint32_t crc;
	FILE *f;
	int rc = 0;

	head_of(h, call, s, &head);
	buf_add(&all, &head, sizeof(head));
	body_of(h, call, &all);
	crc = all.failed ? 0 : checksum_crc32c(buf_bytes(&all));
	buf_add(&all, &crc, sizeof(crc));
	snprintf(new, sizeof(new), "%.*s.new", CASES_PATH - 5, path);
	stage_remove(stage, new);
	f = all.failed ? NULL : stage_create(stage, new, err);
	if (f == NULL) {
		rc = all.failed ? err_set(err, "out of memory") : -1;
	} else {
		fwrite(all.at, 1, all.len, f);
		rc = stage_close(f, new, err);
	}
	buf_clear(&all);
	return rc == 0 ? stage_rename(stage, new, path, err) : rc;
}

/* The next `len` octets; false: there are not so many. */
static bool get(struct bytes *rest, void *to, size_t len)
{
	if (len > rest->len)
		return false;
	if (len > 0)
		memcpy(to, rest->at, len);
	*rest = bytes_part(*rest, len, rest->len);
	return true;
}

static bool get_stream(struct bytes *rest, struct holding *h, struct held_call *c)
{
	struct held_stream own, *s;
	struct media_packet named;
	bool ok;

	if (!get(rest, &own, sizeof(own)) || own.format_count > HOLDING_FORMATS || own.order != c->stream_count)
		return false;
	named = (struct media_packet){ .flow = own.flow, .ssrc = own.ssrc };
	s = holding_stream_add(h, c, &named);
	if (s == NULL)
		return false;
	own.formats = calloc(own.format_count > 0 ? own.format_count : 1, sizeof(*own.formats));
	ok = own.formats != NULL && get(rest, own.formats, own.format_count * sizeof(*own.formats));
	if (!ok) {
		free(own.formats);
		return false;
	}
	*s = own;
	srtp_key_clear(&own.key);
	return true;
}

static bool get_key(struct bytes *rest, struct holding *h)
{
	uint8_t len, key[64];

	return get(rest, &len, 1) && len <= sizeof(key) && get(rest, key, len) &&
	       table_put(h->keys, (struct bytes){ key, len }, h);
}

static void apply(const struct head *head, struct holding *h, struct held_call *c)
{
	h->counts = head->counts;
	h->keys_removed = head->keys_removed;
	c->rtcp_unmatched = head->rtcp_unmatched;
	c->first = head->first;
	c->first_is_message = head->first_is_message;
	c->media_first = head->media_first;
	c->media_last = head->media_last;
	c->audio_from = head->audio_from;
	c->audio_frames = head->audio_frames;
	c->audio_rate = head->audio_rate;
	c->audio = (enum held_audio)head->audio;
	c->signalling_file = head->files[0];
	c->media_file = head->files[1];
	c->sealed_file = head->files[2];
	c->other_file = head->files[3];
	c->before_file = head->files[4];
	c->before_count = head->before_count;
	c->before_at = head->before_at;
}

static bool same_program(const struct head *head)
{
	struct head own = { 0 };

	snprintf(own.version, sizeof(own.version), "otway case %s", OTWAY_VERSION);
	return memcmp(head->version, own.version, sizeof(own.version)) == 0 && head->sizes[0] == sizeof(struct head) &&
	       head->sizes[1] == sizeof(struct held_stream) && head->sizes[2] == sizeof(struct held_format) &&
	       head->sizes[3] == sizeof(struct held_counts);
}

static bool load(struct bytes all, struct holding *h, struct held_call *c, struct call_state *s)
{
	struct bytes rest = bytes_part(all, 0, all.len >= 4 ? all.len - 4 : 0);
	struct head head;
	uint32_t crc;
	bool ok = true;

	if (all.len < sizeof(head) + sizeof(crc))
		return false;
	memcpy(&crc, all.at + rest.len, sizeof(crc));
	if (checksum_crc32c(rest) != crc || !get(&rest, &head, sizeof(head)) || !same_program(&head))
		return false;
	for (uint32_t i = 0; ok && i < head.streams; i++)
		ok = get_stream(&rest, h, c);
	for (uint32_t i = 0; ok && i < head.keys; i++)
		ok = get_key(&rest, h);
	if (ok) {
		apply(&head, h, c);
		*s = head.state;
	}
	return ok;
}

int call_state_load(struct stage *stage, const char *path, struct holding *h, struct call_state *s, struct err *err)
{
	struct buf all = { 0 };
	FILE *f = stage_read(stage, path, NULL);
	uint8_t octets[8192];
	size_t n;
	int rc;

	if (f == NULL)
		return 0;
	while ((n = fread(octets, 1, sizeof(octets), f)) > 0)
		buf_add(&all, octets, n);
	fclose(f);
	rc = all.failed ? err_set(err, "out of memory") : load(buf_bytes(&all), h, h->calls[0], s);
	buf_clear(&all);
	return rc;
}
