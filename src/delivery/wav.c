/* wav: a window of the file is held, added to and written back; silence that nothing touches is left as a hole. */
#include "wav.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAME = 4, CHUNK = 16384 }; /* octets of a frame, frames held at once */

struct wav {
	struct stage *stage;
	FILE *file;
	char *path;
	uint32_t rate;
	int64_t frames;
	int64_t window; /* the first frame of the window; frames of the file, CHUNK of them, as they will be */
	bool held, changed;
	uint8_t chunk[CHUNK * FRAME];
};

int wav_new(struct wav **out, struct stage *stage, const char *path, uint32_t rate, struct err *err)
{
	struct wav *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_set(err, "out of memory");
	w->stage = stage;
	w->rate = rate;
	w->path = strdup(path);
	w->file = w->path != NULL ? stage_create(stage, path, err) : NULL;
	if (w->file == NULL) {
		free(w->path);
		free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void wav_drop(struct wav *w)
{
	if (w == NULL)
		return;
	fclose(w->file);
	stage_remove(w->stage, w->path);
	free(w->path);
	free(w);
}

uint64_t wav_frames(const struct wav *w)
{
	return (uint64_t)w->frames;
}

static int write_at(struct wav *w, uint64_t offset, const uint8_t *octets, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = pwrite(fileno(w->file), octets, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stage_failed(w->path, err);
		octets += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* The window into the file, as far as there is anything to it. */
static int write_back(struct wav *w, struct err *err)
{
	int64_t frames = w->frames - w->window < CHUNK ? w->frames - w->window : CHUNK;

	if (!w->changed || frames <= 0)
		return 0;
	w->changed = false;
	return write_at(w, (uint64_t)(WAV_HEAD + w->window * FRAME), w->chunk, (size_t)frames * FRAME, err);
}

/* Moves the window to where a frame lies; zeroes beyond the file's end. */
static int move_to(struct wav *w, int64_t frame, struct err *err)
{
	int64_t window = frame / CHUNK * CHUNK;
	size_t got = 0;

	if (w->held && w->window == window)
		return 0;
	if (write_back(w, err) < 0)
		return -1;
	w->held = true;
	w->window = window;
	memset(w->chunk, 0, sizeof(w->chunk));
	while (window < w->frames && got < sizeof(w->chunk)) {
		ssize_t n = pread(fileno(w->file), w->chunk + got, sizeof(w->chunk) - got,
			(off_t)(WAV_HEAD + window * FRAME) + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stage_failed(w->path, err);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return 0;
}

static void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put_le32(uint8_t *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16(p + 2, (uint16_t)(v >> 16));
}

/* One sample onto another, held within 16 bits. */
static void mix(uint8_t *at, int16_t sample)
{
	int32_t sum = (int16_t)(uint16_t)(at[0] | at[1] << 8) + sample;

	sum = sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum;
	put_le16(at, (uint16_t)sum);
}

int wav_add(struct wav *w, enum wav_side side, int64_t at, const int16_t *samples, size_t count, struct err *err)
{
	if (at < 0 || at + (int64_t)count > WAV_FRAMES_MAX)
		return 1;
	while (count > 0) {
		size_t from, some;

		if (move_to(w, at, err) < 0)
			return -1;
		from = (size_t)(at - w->window);
		some = count < CHUNK - from ? count : CHUNK - from;
		for (size_t i = 0; i < some; i++)
			mix(w->chunk + (from + i) * FRAME + (side == WAV_RIGHT ? 2 : 0), samples[i]);
		w->changed = true;
		at += (int64_t)some;
		samples += some;
		count -= some;
		if (at > w->frames)
			w->frames = at;
	}
	return 0;
}

/* RIFF, "fmt " of 16 octets for PCM, "data". */
static void make_head(const struct wav *w, uint8_t head[WAV_HEAD])
{
	uint32_t octets = (uint32_t)(w->frames * FRAME);

	memcpy(head, "RIFF....WAVEfmt ", 16);
	put_le32(head + 4, octets + WAV_HEAD - 8);
	put_le32(head + 16, 16);
	put_le16(head + 20, 1);
	put_le16(head + 22, 2);
	put_le32(head + 24, w->rate);
	put_le32(head + 28, w->rate * FRAME);
	put_le16(head + 32, FRAME);
	put_le16(head + 34, 16);
	memcpy(head + 36, "data", 4);
	put_le32(head + 40, octets);
}

int wav_close(struct wav *w, struct err *err)
{
	uint8_t head[WAV_HEAD];
	int rc;

	make_head(w, head);
	rc = write_back(w, err);
	if (rc == 0)
		rc = write_at(w, 0, head, sizeof(head), err);
	if (stage_close(w->file, w->path, rc == 0 ? err : NULL) < 0)
		rc = -1;
	free(w->path);
	free(w);
	return rc;
}
