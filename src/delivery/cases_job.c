/*
 * cases_job: which calls and periods are due, and the process that sees to them, one at a time: a call of a day takes minutes to be made
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
#define AGAIN_TIMES 20 /* as long as the last one took */

struct job {
	pid_t pid;
	nsec_t begun;
	struct work work;
};

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

/* What is to be done for a period; false: nothing now. */
static bool choose(struct period *p, struct work *w)
{
	const struct cases *c = p->cases;
	bool all = true;

	*w = (struct work){ .period = p };
	if (p->closing || (p->retry_at != NSEC_NONE && c->now < p->retry_at))
		return false;
	for (uint32_t i = 0; i < p->call_count && w->count < WORK_CALLS; i++) {
		struct case_call *k = p->calls[i];

		if (call_due(k))
			w->calls[w->count++] = k;
		all = all && k->finished != NSEC_NONE && case_call_octets(k) == k->final_octets && !k->fresh;
	}
	w->close = all && w->count == 0 && p->until != NSEC_NONE && p->lost.packets == 0;
	return w->count > 0 || w->close;
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

static void start(struct cases *c, const struct work *w)
{
	struct job *job = calloc(1, sizeof(*job));
	pid_t parent = getpid();

	if (job == NULL || appends_flush(c->journal, NULL) < 0) { /* it reads what is on the disk */
		free(job);
		failed(w->period);
		return;
	}
	*job = (struct job){ .begun = c->now, .work = *w };
	for (uint32_t i = 0; i < w->count; i++) {
		growth_free(&w->calls[i]->growth); /* what did not get into a file that goes */
		w->calls[i]->growth.stopped = true;
		w->calls[i]->working = true;
	}
	w->period->closing = w->close;
	if (w->close) {
		growth_free(&w->period->growth);
		w->period->growth.stopped = true;
	}
	job->pid = fork();
	if (job->pid == 0)
		run(c, &job->work, parent);
	c->job = job;
}

/* What the process found out is read where it left it. */
static void finished(struct cases *c, struct case_call *k)
{
	if (call_reload(k, false, NULL) < 0)
		return;
	k->finished = c->now;
	k->cost = c->now - c->job->begun;
	k->fresh = false;
	c->counts.finished++;
	cases_tell(c, &(struct cases_note){ false, k->period->warrant.number, k->id, k->period->from });
}

static void end(struct cases *c, bool ok)
{
	struct job *job = c->job;
	struct period *p = job->work.period;

	for (uint32_t i = 0; i < job->work.count; i++) {
		job->work.calls[i]->working = false;
		if (ok)
			finished(c, job->work.calls[i]);
	}
	p->closing = false;
	p->dirty = true;
	if (!ok) {
		failed(p);
	} else {
		p->retry_in = 0;
		p->retry_at = NSEC_NONE;
	}
	if (ok && job->work.close) {
		c->counts.closed++;
		period_free(p);
	}
	free(job);
	c->job = NULL;
}

/* Is there no process (any more)? */
static bool reap(struct cases *c)
{
	int status = 0;
	pid_t got;

	if (c->job == NULL)
		return true;
	got = c->job->pid > 0 ? waitpid(c->job->pid, &status, WNOHANG) : -1;
	if (got == 0 || (got < 0 && c->job->pid > 0 && errno == EINTR))
		return false;
	end(c, got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return true;
}

void jobs_due(struct cases *c)
{
	struct work w;

	if (!reap(c))
		return;
	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (choose(p, &w)) {
			period_last(p);
			start(c, &w);
			return;
		}
}

bool job_wait(struct cases *c, unsigned span_ms)
{
	for (unsigned waited = 0; !reap(c); waited += 5) {
		if (waited >= span_ms)
			return false;
		poll(NULL, 0, 5);
	}
	return true;
}

void job_end(struct cases *c)
{
	if (c->job == NULL)
		return;
	if (c->job->pid > 0) {
		kill(c->job->pid, SIGKILL);
		while (waitpid(c->job->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(c->job);
	c->job = NULL;
}
