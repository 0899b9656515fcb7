/*
 * cases_job: which calls and periods are due, and the processes that see to them, a few at a time: a call of a day takes minutes to be made
 * sound of, and records come all the while.
 */
#include "cases_inside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captures.h"

#define IDLE                                                                                                           \
	(900 * NSEC_PER_SEC) /* a call of which nobody heard the end is finished as it stands, and again if it goes on */
#define AGAIN       (60 * NSEC_PER_SEC) /* at least, between two finishings of a call that goes on after the first */
#define RETRY       NSEC_PER_SEC
#define RETRY_MOST  (60 * NSEC_PER_SEC)
#define BIG         (32 << 20) /* octets of a call that is finished alone */
#define AGAIN_TIMES 20         /* as long as the last one took */

bool call_due(const struct case_call *k)
{
	const struct cases *c = k->period->cases;
	nsec_t settle = c->options.settle;

	if (k->working || (k->finished != NSEC_NONE && case_call_octets(k) == k->final_octets))
		return false;
	if (c->ending || k->run != c->options.run)
		return true;
	if (k->touched == NSEC_NONE)
		return false;
	if (k->finished != NSEC_NONE && c->now - k->finished > AGAIN && c->now - k->finished > k->cost * AGAIN_TIMES)
		return true;
	return c->now - k->touched >= (case_call_over(k) || settle > IDLE ? settle : IDLE);
}

/* What is under way for a period. */
static void under_way(const struct period *p, bool *work, bool *json)
{
	*work = *json = false;
	for (unsigned i = 0; i < JOBS; i++) {
		const struct job *j = &p->cases->jobs[i];

		if (j->pid != 0 && j->work.period == p)
			*(j->work.json ? json : work) = true;
	}
}

static bool is_final(const struct case_call *k)
{
	return k->finished != NSEC_NONE && case_call_octets(k) == k->final_octets && !k->fresh && !k->working;
}

/* Calls that are due: as many as go quickly, or a long one alone. Those that were finished before only when nothing else is under way, since
 * the manifest names them. True: all of the period are final. */
static bool choose_calls(struct period *p, bool busy, struct work *w)
{
	bool all = true;

	for (uint32_t i = 0; i < p->call_count && w->count < WORK_CALLS; i++) {
		struct case_call *k = p->calls[i];
		bool big = case_call_octets(k) > BIG;

		all = all && is_final(k);
		if (!call_due(k) || (busy && k->finished != NSEC_NONE) || (big && w->count > 0))
			continue;
		w->calls[w->count++] = k;
		w->accounts = w->accounts || k->finished != NSEC_NONE;
		if (big)
			return false;
	}
	return all;
}

/* What is to be done for a period; false: nothing now. */
static bool choose(struct period *p, struct work *w)
{
	const struct cases *c = p->cases;
	bool busy, json, all, due = p->accounts_at == NSEC_NONE || c->now >= p->accounts_at || c->ending;

	*w = (struct work){ .period = p };
	if (p->closing || (p->retry_at != NSEC_NONE && c->now < p->retry_at))
		return false;
	under_way(p, &busy, &json);
	all = choose_calls(p, busy, w);
	w->close = all && w->count == 0 && !busy && !json && p->until != NSEC_NONE && p->lost.packets == 0;
	w->accounts = !busy && (w->accounts || w->close || ((w->count > 0 || p->listed) && due));
	return w->count > 0 || w->accounts;
}

/* The process, which is a copy of this one; never returns. */
static void run(struct cases *c, struct work *w, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (getppid() != parent)
		_exit(1);
	_exit(work_do(c, w, NULL) < 0 ? 1 : 0);
}

static void failed(struct period *p)
{
	struct cases *c = p->cases;

	c->counts.failed++;
	p->retry_in = p->retry_in == 0 ? RETRY : p->retry_in * 2 > RETRY_MOST ? RETRY_MOST : p->retry_in * 2;
	p->retry_at = c->now + p->retry_in;
}

/* What grows is let be: what is not in its files yet would get into those that take their place. */
static void let_be(struct growth *g)
{
	growth_free(g);
	g->stopped = true;
}

static void start(struct cases *c, unsigned slot, const struct work *w)
{
	struct job *job = &c->jobs[slot];
	pid_t parent = getpid(), pid;

	if (appends_flush(c->journal, NULL) < 0) { /* it reads what is on the disk */
		failed(w->period);
		return;
	}
	*job = (struct job){ .begun = c->now, .work = *w };
	job->work.slot = slot;
	for (uint32_t i = 0; i < w->count; i++) {
		let_be(&w->calls[i]->growth);
		w->calls[i]->working = true;
	}
	w->period->closing = w->close;
	if (w->close)
		let_be(&w->period->growth);
	pid = fork();
	if (pid == 0)
		run(c, &job->work, parent);
	job->pid = pid;
}

/* What the process found out is read where it left it. */
static void finished(struct cases *c, struct case_call *k, nsec_t cost)
{
	if (call_reload(k, false, NULL) < 0)
		return;
	k->finished = c->now;
	k->cost = cost;
	k->fresh = false;
	table_free(k->seen);
	k->seen = NULL;
	c->counts.finished++;
	cases_tell(c, &(struct cases_note){ false, k->period->warrant.number, k->id, k->period->from });
}

static void end(struct cases *c, struct job *job, bool ok)
{
	struct work *w = &job->work;
	struct period *p = w->period;
	nsec_t cost = c->now - job->begun;

	job->pid = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		w->calls[i]->working = false;
		if (ok)
			finished(c, w->calls[i], cost);
	}
	p->dirty = p->dirty || !w->json || !ok;
	p->closing = false;
	if (!ok) {
		failed(p);
		return;
	}
	p->retry_in = 0;
	p->retry_at = NSEC_NONE;
	p->listed = !w->accounts && (p->listed || w->count > 0);
	if (w->accounts)
		p->accounts_at = c->now + cost * AGAIN_TIMES;
	if (w->close) {
		c->counts.closed++;
		period_free(p);
	}
}

/* Is there no process there (any more)? */
static bool reap(struct cases *c, struct job *job)
{
	int status = 0;
	pid_t got;

	if (job->pid == 0)
		return true;
	got = job->pid > 0 ? waitpid(job->pid, &status, WNOHANG) : -1;
	if (got == 0 || (got < 0 && job->pid > 0 && errno == EINTR))
		return false;
	end(c, job, got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return true;
}

static void start_one(struct cases *c, unsigned slot)
{
	struct work w;

	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (choose(p, &w)) {
			period_last(p);
			start(c, slot, &w);
			return;
		}
}

/* case.json of a period with very many calls; the last slot is for that alone. */
static void start_json(struct cases *c)
{
	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (p->json_wanted && !p->closing) {
			p->json_wanted = p->dirty = false;
			start(c, JOBS - 1, &(struct work){ .period = p, .json = true });
			return;
		}
}

void jobs_due(struct cases *c)
{
	for (unsigned i = 0; i < JOBS - 1; i++)
		if (reap(c, &c->jobs[i]))
			start_one(c, i);
	if (reap(c, &c->jobs[JOBS - 1]))
		start_json(c);
}

static bool all_done(struct cases *c)
{
	bool all = true;

	for (unsigned i = 0; i < JOBS; i++)
		all = reap(c, &c->jobs[i]) && all;
	return all;
}

void jobs_wait(struct cases *c, unsigned span_ms)
{
	for (unsigned waited = 0; waited < span_ms && !all_done(c); waited += 5)
		poll(NULL, 0, 5);
}

void jobs_end(struct cases *c)
{
	for (unsigned i = 0; i < JOBS; i++) {
		struct job *job = &c->jobs[i];

		if (job->pid <= 0)
			continue;
		kill(job->pid, SIGKILL);
		while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
			;
		job->pid = 0;
	}
}
