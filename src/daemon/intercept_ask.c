/* intercept_ask: keys that are wanted, until they are answered: whoever asks may die, and the next one is asked again. */
#include "intercept.h"

#include <stdlib.h>

struct asked {
	struct asked *next;
	bool unsent; /* there was no room for it */
	struct key_wanted wanted;
};

static bool send_wanted(struct intercept *it, const struct key_wanted *w)
{
	msg_put_key_wanted(&it->octets, w);
	return send_to(it, ROLE_KEYS, 0, MSG_KEY_WANTED);
}

void intercept_ask_wanted(struct intercept *it, const struct key_wanted *w)
{
	struct asked *a = calloc(1, sizeof(*a));
	bool sent = send_wanted(it, w);

	if (a != NULL && key_wanted_copy(w, &a->wanted)) {
		a->unsent = !sent;
		a->next = it->asked;
		it->asked = a;
	} else {
		free(a);
	}
}

static void drop(struct asked **at)
{
	struct asked *gone = *at;

	*at = gone->next;
	key_wanted_clear(&gone->wanted);
	free(gone);
}

bool intercept_ask_answered(struct intercept *it, const struct key_answer *answer)
{
	for (struct asked **at = &it->asked; *at != NULL; at = &(*at)->next)
		if ((*at)->wanted.number == answer->number && (*at)->wanted.call == answer->call &&
			(*at)->wanted.line == answer->line) {
			drop(at);
			return true;
		}
	return false;
}

void intercept_ask_over(struct intercept *it, uint32_t call)
{
	for (struct asked **at = &it->asked; *at != NULL;)
		if ((*at)->wanted.call == call)
			drop(at);
		else
			at = &(*at)->next;
	msg_put_call(&it->octets, call);
	send_to(it, ROLE_KEYS, 0, MSG_CALL_OVER);
}

void intercept_ask_again(struct intercept *it)
{
	for (struct asked *a = it->asked; a != NULL; a = a->next)
		a->unsent = true;
	intercept_ask_unsent(it);
}

void intercept_ask_unsent(struct intercept *it)
{
	for (struct asked *a = it->asked; a != NULL; a = a->next)
		if (a->unsent) {
			if (!send_wanted(it, &a->wanted))
				return; /* still none */
			a->unsent = false;
		}
}

void intercept_ask_free(struct intercept *it)
{
	while (it->asked != NULL)
		drop(&it->asked);
}
