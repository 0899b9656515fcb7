/*
 * cases_child: the final files of calls, made out of the journal as folder_finish makes them out of records, then put in the place of those
 * that grew. Runs in a process of its own, which may die at any moment: all that counts happens by renaming.
 */
#include "cases_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/file.h"

#include "audio.h"
#include "captures.h"
#include "decoder.h"
#include "manifest.h"
#include "tally.h"

const char *const call_file_names[CALL_FILES] = { "signalling.pcap", "media.pcap", "sealed.pcap", "other.pcap",
	"audio.wav", "before.pcap" };

static int begin(struct cases *c, struct work *w, struct err *err)
{
	char name[16], *path = NULL;
	int rc;

	snprintf(name, sizeof(name), "work-%u", w->slot);
	period_path(w->period, name, w->dir);
	if (asprintf(&path, "%s/%s", c->dir, w->dir) < 0)
		return err_set(err, "out of memory");
	file_remove_tree(path, NULL); /* of one that died */
	rc = stage_dir(c->stage, w->dir, err);
	if (rc == 0)
		rc = stage_at(&w->stage, path, err);
	free(path);
	if (rc < 0 || stage_dir(w->stage, "new", err) < 0)
		return -1;
	w->spools = spools_new(w->stage);
	w->keys = table_new();
	return w->spools == NULL || w->keys == NULL ? err_set(err, "out of memory") : 0;
}

/* What opened something in one call goes out of the signalling of all, as in a folder of decrypt. */
static int gather_keys(struct work *w, const struct holding *h, struct err *err)
{
	struct bytes key;
	size_t step = 0;

	while (h->keys != NULL && table_next(h->keys, &step, &key) != NULL)
		if (!table_put(w->keys, key, w))
			return err_set(err, "out of memory");
	return 0;
}

/* Its records taken in anew, and put aside this time. */
static int take_in(struct case_call *k, struct work *w, struct call_state *s, struct err *err)
{
	if (!call_renew(k, w->spools))
		return err_set(err, "out of memory");
	memcpy(k->holding->name, "new", 4);
	if (call_replay(&(struct replay){ k, 0, false }, "say", 0, &s->say, err) < 0 ||
		call_replay(&(struct replay){ k, 0, false }, "media", 0, &s->media, err) < 0)
		return -1;
	k->call->growing = false;
	s->final = true;
	return gather_keys(w, k->holding, err);
}

/* Its files, as decrypt's. */
static int make(struct case_call *k, struct work *w, struct decoder **decoder, struct err *err)
{
	struct holding *h = k->holding;
	struct table *own = h->keys;
	int rc;

	h->keys = w->keys;
	h->decoder = *decoder;
	rc = captures_call(h, k->call, w->stage, err) < 0 || tally_call(h, k->call, err) < 0 ||
			     audio_call(h, k->call, w->stage, err) < 0
		     ? -1
		     : 0;
	*decoder = h->decoder;
	h->decoder = NULL;
	h->keys = own;
	return rc;
}

/* Each file to its place; one that was there while it grew and is not needed goes. */
static int put_in_place(struct cases *c, const struct work *w, const struct case_call *k, struct err *err)
{
	char from[2 * CASES_PATH], to[CASES_PATH], folder[CALL_NAME];
	struct stat st;

	captures_name(k->call, folder);
	for (size_t i = 0; i < CALL_FILES; i++) {
		snprintf(from, sizeof(from), "%s/new/%s/%s", w->dir, folder, call_file_names[i]);
		snprintf(to, sizeof(to), "%s/%s/%s", w->period->name, folder, call_file_names[i]);
		if (fstatat(stage_fd(c->stage), from, &st, AT_SYMLINK_NOFOLLOW) < 0)
			stage_remove(c->stage, to);
		else if (append_parents(c->stage, to, err) < 0 || stage_rename(c->stage, from, to, err) < 0)
			return -1;
	}
	return 0;
}

/* For manifests: the files will not be read again for each. */
static int hash_files(const struct work *w, const struct case_call *k, struct call_state *s, struct err *err)
{
	char path[CASES_PATH], folder[CALL_NAME];
	struct stat st;

	captures_name(k->call, folder);
	for (unsigned i = 0; i < CALL_FILES; i++) {
		snprintf(path, sizeof(path), "new/%s/%s", folder, call_file_names[i]);
		if (fstatat(stage_fd(w->stage), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (manifest_hash(w->stage, path, s->sha256[i], err) < 0)
			return -1;
		s->files |= (uint8_t)(1 << i);
	}
	return 0;
}

static int finish_calls(struct cases *c, struct work *w, struct call_state *states, struct err *err)
{
	struct decoder *decoder = NULL;
	int rc = 0;

	for (uint32_t i = 0; i < w->period->call_count; i++)
		if (gather_keys(w, w->period->calls[i]->holding, err) < 0)
			return -1;
	for (uint32_t i = 0; rc == 0 && i < w->count; i++)
		rc = take_in(w->calls[i], w, &states[i], err);
	for (uint32_t i = 0; rc == 0 && i < w->count; i++)
		rc = make(w->calls[i], w, &decoder, err) < 0 ? -1 : hash_files(w, w->calls[i], &states[i], err);
	decoder_free(decoder);
	if (rc == 0 && w->count > 0 && syncfs(stage_fd(c->stage)) < 0)
		rc = err_set(err, "cannot write: %s", strerror(errno));
	for (uint32_t i = 0; rc == 0 && i < w->count; i++) {
		char path[CASES_PATH];

		rc = put_in_place(c, w, w->calls[i], err);
		call_files(w->calls[i], "state", path);
		if (rc == 0)
			rc = call_state_save(c->stage, path, w->calls[i]->holding, w->calls[i]->call, &states[i], err);
		w->calls[i]->state = states[i];
	}
	return rc;
}

/* Overwritten, since keys that stand in signalling are in it. */
static void wipe(const struct stage *stage, const char *path)
{
	static const uint8_t zeroes[4096];
	int fd = openat(stage_fd(stage), path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeroes))
			if (pwrite(fd, zeroes, sizeof(zeroes), at) < 0)
				break;
	fdatasync(fd);
	close(fd);
}

void journal_remove(struct period *p)
{
	struct cases *c = p->cases;
	char path[CASES_PATH], *whole = NULL;

	/* Without this file it is none: whoever dies behind this line leaves nothing that could be taken up again. */
	stage_remove(c->stage, period_path(p, "period", path));
	wipe(c->stage, period_path(p, "events", path));
	for (uint32_t i = 0; i < p->call_count; i++) {
		call_files(p->calls[i], "say", path);
		wipe(c->stage, path);
	}
	if (asprintf(&whole, "%s/.journal/%08u", c->dir, p->number) >= 0)
		file_remove_tree(whole, NULL);
	free(whole);
}

static int write_json(struct cases *c, struct period *p, struct err *err)
{
	struct view v;
	int rc = view_make(&v, p) ? view_json(&v, c->stage, err) : err_set(err, "out of memory");

	view_clear(&v);
	return rc;
}

int work_do(struct cases *c, struct work *w, struct err *err)
{
	struct call_state *states;
	int rc;

	if (w->json)
		return write_json(c, w->period, err);
	states = calloc(w->count > 0 ? w->count : 1, sizeof(*states));
	rc = states == NULL ? err_set(err, "out of memory") : begin(c, w, err);
	if (rc == 0)
		rc = finish_calls(c, w, states, err);
	if (rc == 0 && w->accounts)
		rc = work_accounts(c, w, err);
	if (rc == 0 && w->close)
		journal_remove(w->period);
	free(states);
	return rc;
}
