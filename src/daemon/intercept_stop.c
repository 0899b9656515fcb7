/* intercept_stop: the end in good order: signals of all fronts first, then calls, then media. */
#include "intercept.h"

#define STOP_WAIT (2 * NSEC_PER_SEC) /* for the others */

static void say_over(struct intercept *it, uint32_t to)
{
	msg_put_time(&it->octets, NSEC_EVER);
	send_to(it, ROLE_INTERCEPT, to, MSG_MARK);
}

static bool all_over(const struct intercept *it)
{
	for (uint32_t i = 1; i < it->fronts; i++)
		if (!it->over[i])
			return false;
	return true;
}

/* At the end: signals of all, then calls, then media; nobody waits for one that has died. */
void stop_try(struct intercept *it)
{
	bool late = loop_now() >= it->stop_until;

	if (it->back != NULL && !it->back_over && (all_over(it) || late)) {
		front_drain(it);
		back_end(it->back, nsec_now());
		front_drain(it);
		it->back_over = true;
		for (uint32_t i = 1; i < it->fronts; i++)
			say_over(it, i);
	}
	if ((!it->back_over && !late) || it->front_over)
		return;
	it->front_over = true;
	front_end(it->front);
	front_drain(it);
	lost_told(it, true);
	crew_stop(it->crew, EXIT_DONE);
}

void stop_begin(void *role)
{
	struct intercept *it = role;

	if (it->stopping)
		return;
	it->resume_until = loop_now();
	resume_try(it);
	front_read_all(it);
	for (size_t i = 0; i < it->interface_count; i++) {
		loop_watch_free(it->interfaces[i].watch);
		it->interfaces[i].watch = NULL;
	}
	it->stopping = true;
	it->stop_until = loop_now() + STOP_WAIT;
	front_end_signals(it->front);
	front_drain(it);
	if (it->back == NULL)
		say_over(it, 0);
	stop_try(it);
}

/* As one that died, but nothing that was said is lost: no call ends. */
void stop_renew(struct intercept *it)
{
	crew_send(it->crew, ROLE_SUPERVISE, 0, MSG_RENEW, (struct bytes){ NULL, 0 });
	front_read_all(it);
	leave_states(it);
	lost_told(it, true);
	crew_stop(it->crew, EXIT_DONE);
}
