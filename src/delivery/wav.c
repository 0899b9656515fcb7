/* wav: each addition reads what is there, adds and writes it back; silence is left as a hole in the file. */
#include "wav.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAME = 4, CHUNK = 4096 }; /* octets of a frame, frames handled at once */

struct wav {
	struct stage *stage;
	FILE *file;
	char *path;
	uint32_t rate;
	int64_t frames;
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

/* What is in the file from a frame on; zeroes beyond its end. */
static int read_back(struct wav *w, int64_t at, size_t len, struct err *err)
{
	size_t got = 0;

	memset(w->chunk, 0, len);
	while (at < w->frames && got < len) {
		ssize_t n =
			pread(fileno(w->file), w->chunk + got, len - got, (off_t)(WAV_HEAD + at * FRAME) + (off_t)got);

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
		size_t some = count < CHUNK ? count : CHUNK;

		if (read_back(w, at, some * FRAME, err) < 0)
			return -1;
		for (size_t i = 0; i < some; i++)
			mix(w->chunk + i * FRAME + (side == WAV_RIGHT ? 2 : 0), samples[i]);
		if (write_at(w, (uint64_t)WAV_HEAD + (uint64_t)at * FRAME, w->chunk, some * FRAME, err) < 0)
			return -1;
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
	rc = write_at(w, 0, head, sizeof(head), err);
	if (stage_close(w->file, w->path, rc == 0 ? err : NULL) < 0)
		rc = -1;
	free(w->path);
	free(w);
	return rc;
}
