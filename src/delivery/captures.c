/* captures: each spool walked by time, each packet into the file it belongs in. */
#include "captures.h"

#include "blot.h"
#include "pcapfile.h"
#include "walk.h"
#include "wire.h"

#define PATH 192

char *captures_name(const struct held_call *c, char out[CALL_NAME])
{
	snprintf(out, CALL_NAME, "call-%04u", c->id);
	return out;
}

int captures_cleaned(
	struct holding *h, bool all, struct bytes packet, struct bytes payload, struct buf *out, struct err *err)
{
	size_t places;

	buf_reset(out);
	if (!buf_add(out, packet.at, packet.len))
		return err_set(err, "out of memory");
	if (payload.len == 0)
		return 0;
	places = blot_message(out->at + (payload.at - packet.at), payload.len, h->keys, all);
	if (places > 0)
		wire_checksum(out->at, packet.at, packet.len);
	h->keys_removed += places;
	return 0;
}

/* A spool of messages into a file. */
static int write_messages(struct holding *h, struct spool *spool, bool all, struct pcapfile *file, struct err *err)
{
	struct walk *walk;
	struct spooled one;
	struct buf clean = { 0 };
	int got = walk_new(&walk, spool, err);

	if (got < 0)
		return -1;
	while ((got = walk_next(walk, &one, err)) > 0) {
		struct spooled_message m;
		struct bytes packet;

		if (!holding_message(&one, &m, &packet)) {
			got = err_set(err, "what was put aside is not whole");
			break;
		}
		got = captures_cleaned(h, all, packet, bytes_part(packet, m.payload_at, m.payload_len), &clean, err);
		if (got < 0 || (got = pcapfile_add(file, one.at, buf_bytes(&clean), err)) < 0)
			break;
	}
	buf_clear(&clean);
	walk_free(walk);
	return got;
}

static int write_signalling(struct holding *h, struct spool *spool, bool all, struct stage *stage, const char *folder,
	const char *name, bool *written, struct err *err)
{
	char path[PATH + 16];
	struct pcapfile *file;
	int rc;

	if (spool_empty(spool))
		return 0;
	if (stage_dir(stage, folder, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s.pcap", folder, name);
	file = pcapfile_new(stage, path);
	if (file == NULL)
		return err_set(err, "out of memory");
	rc = write_messages(h, spool, all, file, err);
	return pcapfile_close(file, written, rc == 0 ? err : NULL) < 0 ? -1 : rc;
}

int captures_other(struct holding *h, struct stage *stage, struct err *err)
{
	char folder[PATH];

	snprintf(folder, sizeof(folder), "%s/other", h->name);
	return write_signalling(
		h, h->other, h->warrant->scope == SCOPE_IRI, stage, folder, "signalling", &h->other_file, err);
}

/* The files that the media of a call goes into. */
struct media_files {
	struct pcapfile *clear, *sealed, *other;
	struct buf packet; /* the one being made */
};

static int write_packet(struct holding *h, struct media_files *files, const struct spooled *one, struct err *err)
{
	struct spooled_media m;
	struct bytes packet, clear;

	if (!holding_media(one, &m, &packet, &clear))
		return err_set(err, "what was put aside is not whole");
	if (m.sort == MEDIA_NEITHER || m.fate == MEDIA_BROKEN) {
		struct bytes payload = bytes_part(packet, m.payload_at, m.payload_len);

		if (captures_cleaned(h, false, packet, payload, &files->packet, err) < 0)
			return -1;
		return pcapfile_add(files->other, one->at, buf_bytes(&files->packet), err);
	}
	if (m.fate != MEDIA_CLEAR)
		return pcapfile_add(files->sealed, one->at, packet, err);
	if (m.clear_len == 0)
		return pcapfile_add(files->clear, one->at, packet, err);
	if (wire_carry(packet, m.payload_at, clear, &files->packet))
		return pcapfile_add(files->clear, one->at, buf_bytes(&files->packet), err);
	if (files->packet.failed)
		return err_set(err, "out of memory");
	h->counts.not_rebuilt++; /* its headers are not plain IP and UDP: at least as it came */
	return pcapfile_add(files->other, one->at, packet, err);
}

static int write_media(struct holding *h, struct held_call *c, struct media_files *files, struct err *err)
{
	struct walk *walk;
	struct spooled one;
	int got = walk_new(&walk, c->media, err);

	if (got < 0)
		return -1;
	while ((got = walk_next(walk, &one, err)) > 0)
		if (write_packet(h, files, &one, err) < 0) {
			got = -1;
			break;
		}
	walk_free(walk);
	return got;
}

static struct pcapfile *media_file(struct stage *stage, const char *folder, const char *name)
{
	char path[PATH + 16];

	snprintf(path, sizeof(path), "%s/%s.pcap", folder, name);
	return pcapfile_new(stage, path);
}

static int write_media_files(
	struct holding *h, struct held_call *c, struct stage *stage, const char *folder, struct err *err)
{
	struct media_files files = { 0 };
	int rc;

	if (spool_empty(c->media))
		return 0;
	if (stage_dir(stage, folder, err) < 0)
		return -1;
	files.clear = media_file(stage, folder, "media");
	files.sealed = media_file(stage, folder, "sealed");
	files.other = media_file(stage, folder, "other");
	if (files.clear == NULL || files.sealed == NULL || files.other == NULL)
		rc = err_set(err, "out of memory");
	else
		rc = write_media(h, c, &files, err);
	if (pcapfile_close(files.clear, &c->media_file, rc == 0 ? err : NULL) < 0)
		rc = -1;
	if (pcapfile_close(files.sealed, &c->sealed_file, rc == 0 ? err : NULL) < 0)
		rc = -1;
	if (pcapfile_close(files.other, &c->other_file, rc == 0 ? err : NULL) < 0)
		rc = -1;
	buf_clear(&files.packet);
	return rc;
}

int captures_call(struct holding *h, struct held_call *c, struct stage *stage, struct err *err)
{
	char folder[PATH], name[CALL_NAME];

	snprintf(folder, sizeof(folder), "%s/%s", h->name, captures_name(c, name));
	if (write_signalling(
		    h, c->signalling, !c->facts.keep_keys, stage, folder, "signalling", &c->signalling_file, err) < 0 ||
		write_signalling(h, c->before, !c->facts.keep_keys, stage, folder, "before", &c->before_file, err) < 0)
		return -1;
	return write_media_files(h, c, stage, folder, err);
}
