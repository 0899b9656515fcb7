/* cases_accounts: report and manifest of a period, as it stands; and its last files, when it is closed. */
#include "cases_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

#include "captures.h"
#include "manifest.h"
#include "report.h"

enum { LADDERS = 200 }; /* calls whose signalling the page shows */

/* The signalling of calls that are not of this work, for the page. */
static int show_signalling(struct work *w, struct err *err)
{
	for (uint32_t i = 0; i < w->period->call_count && i < LADDERS; i++) {
		struct case_call *k = w->period->calls[i];
		struct held_call *told = k->call;
		struct holding *own = k->holding;
		uint64_t end;
		int rc = 0;

		if (own->spools != NULL)
			continue; /* it is one of this work */
		k->holding = NULL;
		rc = call_renew(k, w->spools) ? call_replay(&(struct replay){ k, 0, false }, "say", 0, &end, err)
					      : err_set(err, "out of memory");
		if (rc == 0)
			told->signalling = k->call->signalling;
		holding_free(k->holding);
		k->holding = own;
		k->call = told;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* other/signalling.pcap, in the order of time and with only those keys removed that were used. */
static int finish_events(struct cases *c, struct work *w, struct holding *h, struct err *err)
{
	struct period *p = w->period;
	char path[CASES_PATH], to[CASES_PATH], name[HOLDING_NAME];
	struct journal *j = NULL;
	enum journal_type type;
	struct bytes body;
	struct holding *full = holding_new(&p->warrant, w->spools);
	int got = full == NULL ? err_set(err, "out of memory")
			       : journal_open(&j, c->stage, period_path(p, "events", path), 0, err);

	while (got >= 0 && (got = journal_next(j, &type, &body, err)) > 0) {
		struct datagram d;
		struct record r;

		if (type == JOURNAL_RECORD && msg_get_record(body, &r, &d, &c->room))
			got = holding_take(full, &r, err);
	}
	journal_free(j);
	if (got < 0)
		return -1;
	h->other = full->other;
	h->spools = w->spools;
	h->keys = w->keys;
	memcpy(name, h->name, sizeof(name));
	memcpy(h->name, "new", 4);
	got = captures_other(h, w->stage, err);
	memcpy(h->name, name, sizeof(name));
	snprintf(path, sizeof(path), "%.100s/new/other/signalling.pcap", w->dir);
	grown_path(p, "other", GROWN_SIGNALLING, to);
	if (got < 0 || !h->other_file)
		return got;
	return append_parents(c->stage, to, err) < 0 ? -1 : stage_rename(c->stage, path, to, err);
}

/* Files that will change yet stay out of the manifest, so that what it says is true at any moment. */
static bool grows(void *arg, const char *path)
{
	const struct work *w = arg;
	char folder[CALL_NAME];

	if (path[0] == '.' || strcmp(path, "MANIFEST.sha256") == 0)
		return true;
	if (w->close)
		return false;
	if (strcmp(path, "case.json") == 0 || strncmp(path, "other/", 6) == 0)
		return true;
	for (uint32_t i = 0; i < w->period->call_count; i++) {
		const struct held_call *call = w->period->calls[i]->call;

		captures_name(call, folder);
		if (call->growing && strncmp(path, folder, strlen(folder)) == 0 && path[strlen(folder)] == '/')
			return true;
	}
	return false;
}

/* What is final was hashed when it was made. */
static const uint8_t *hashed(void *arg, const char *path)
{
	const struct work *w = arg;
	const char *slash = strchr(path, '/');
	uint64_t id;

	if (strncmp(path, "call-", 5) != 0 || slash == NULL ||
		!text_number((struct bytes){ (const uint8_t *)path + 5, (size_t)(slash - path) - 5 },
			w->period->call_count, &id) ||
		id == 0)
		return NULL;
	for (unsigned i = 0; i < CALL_FILES; i++) {
		const struct call_state *s = &w->period->calls[id - 1]->state;

		if (s->final && (s->files & 1 << i) != 0 && strcmp(slash + 1, call_file_names[i]) == 0)
			return s->sha256[i];
	}
	return NULL;
}

/* A file that was made under a name with a dot in front gets its own. */
static int place(struct cases *c, const struct period *p, const char *name, struct err *err)
{
	char from[CASES_PATH], to[CASES_PATH];

	snprintf(from, sizeof(from), "%s/.%s", p->name, name);
	snprintf(to, sizeof(to), "%s/%s", p->name, name);
	return stage_rename(c->stage, from, to, err);
}

static void remove_new(struct cases *c, const struct period *p, const char *name)
{
	char path[CASES_PATH];

	snprintf(path, sizeof(path), "%s/.%s", p->name, name);
	stage_remove(c->stage, path);
}

static int write_all(struct cases *c, struct work *w, struct view *v, struct err *err)
{
	struct period *p = w->period;
	const struct manifest_choice choice = { grows, hashed, w };
	char path[CASES_PATH];

	snprintf(path, sizeof(path), "%s/report.html", p->name);
	if (append_parents(c->stage, path, err) < 0)
		return -1;
	if (w->close && view_json(v, c->stage, err) < 0)
		return -1;
	remove_new(c, p, "report.html");
	if (report_write(&v->holding, &v->run, c->stage, ".report.html", err) < 0 ||
		place(c, p, "report.html", err) < 0)
		return -1;
	remove_new(c, p, "MANIFEST.sha256");
	if (manifest_write(c->stage, p->name, ".MANIFEST.sha256", &choice, err) < 0)
		return -1;
	if (w->close && syncfs(stage_fd(c->stage)) < 0)
		return err_set(err, "cannot write: %s", strerror(errno));
	return place(c, p, "MANIFEST.sha256", err);
}

int work_accounts(struct cases *c, struct work *w, struct err *err)
{
	struct view v;
	int rc = view_make(&v, w->period) ? show_signalling(w, err) : err_set(err, "out of memory");

	if (rc == 0 && w->close)
		rc = finish_events(c, w, &v.holding, err);
	if (rc == 0)
		rc = write_all(c, w, &v, err);
	view_clear(&v);
	return rc;
}
