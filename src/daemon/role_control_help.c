/*
 * role_control_help: what each number of the live system means, in a sentence: those of its processes here, those of the stages in
 * counter_words.
 */
#include "role_control.h"

#include "otway/model/counter.h"

static const struct help {
	const char *family, *text;
} all[] = {
	/* every role */
	{ "messages_refused_total", "messages that a role got and does not take, or not from whom they came" },
	{ "queue_octets", "octets of messages that the roles they are for have not taken yet" },
	{ "role_restarts_total", "times that a role was started again" },
	{ "role_up_since_seconds", "when a role was ready last, in seconds since 1970" },

	/* control */
	{ "store_right", "1 when the store answers and is the one last seen, else 0" },
	{ "lease_left_seconds", "seconds for which the table of warrants holds if the store is not found right again" },
	{ "warrants_in_force", "warrants in force now" },
	{ "warrants_pending", "warrants that begin later" },
	{ "warrants_with_calls", "warrants that have calls under way" },
	{ "calls_under_warrant", "calls under way, once for each warrant that they are under" },
	{ "audit_written_total", "records that were written into the audit trail" },
	{ "audit_failed_total", "records that could not be written into the audit trail" },
	{ "audit_dropped_total", "records of the audit trail that were given up since too many waited" },
	{ "audit_waiting", "records that wait to be written into the audit trail" },
	{ "told_refused_total", "counts and alarms that control could not read, or had no room for" },
	{ "alarm_store", "1 while the store is away, silent, or not the one last seen" },
	{ "alarm_lease", "alarms of a store that is away for longer than the lease: nothing is intercepted" },
	{ "alarm_disk", "1 while case folders cannot be written" },
	{ "alarm_interface", "alarms of mirror ports that are down, away, or not fit" },
	{ "alarm_drops", "alarms of packets that were dropped" },
	{ "alarm_kms", "KMSs that refuse keys, do not answer, or cannot be asked" },
	{ "alarm_clock", "processes that saw the clock jump" },
	{ "alarm_role", "roles that keep dying, or miss what the process before them knew" },
	{ "alarm_audit", "alarms of an audit trail that cannot be written" },
	{ "alarm_config", "1 while a configuration that was to be loaded is not right and the old one holds" },
	{ "alarm_room", "alarms of a process that keeps or leaves more than there is room for" },

	/* intercept */
	{ "interface_frames_total", "frames taken from a mirror port" },
	{ "interface_octets_total", "octets of frames taken from a mirror port" },
	{ "interface_dropped_total", "frames that the kernel dropped since the ring was full" },
	{ "interface_missed_total", "frames that the network card or its driver dropped" },
	{ "interface_up", "1 while a mirror port is there and up, else 0" },
	{ "queue_lost_total", "messages of packets that found no room toward another role, told of as a gap" },
	{ "undecided", "messages kept for 2 s, should they belong to a call of a target" },
	{ "setups", "set-ups of calls under no warrant that are kept, should interception begin during the call" },
	{ "setups_octets", "octets of set-ups that are kept, should interception begin during the call" },
	{ "setups_too_large_total", "set-ups that were not kept whole since they were too large" },
	{ "setups_evicted_total", "set-ups that were given up for newer ones since there was no room" },
	{ "held_elsewhere_total", "packets that wait for a key with delivery, since memory for them was full" },
	{ "held_lost_total", "packets that waited for a key beyond memory, and were lost" },
	{ "hold_evicted_total", "packets that stayed sealed since there was no room for them until their key came" },
	{ "held_octets", "octets of packets that wait for keys, in memory (intercept) or on the disk (delivery)" },

	/* keys */
	{ "waiting", "keys that are wanted and not answered yet (keys), octets that wait to be written (delivery)" },
	{ "wanted_total", "keys that were wanted of KMSs" },
	{ "asked_total", "requests that were sent to KMSs" },
	{ "answered_total", "wanted keys that came" },
	{ "refused_total", "wanted keys that did not come, whatever the reason" },
	{ "retried_total", "requests that were sent to a KMS again" },
	{ "circuit_opened_total", "times that a KMS was left alone for a while since it did not answer" },
	{ "dropped_total", "wanted keys that were given up: their call is over, or too many were wanted" },
	{ "mismatches_total", "answers of KMSs that contradict what signalling says of the keys" },
	{ "answers_kept", "calls whose keys are kept until they are over" },
	{ "checkpoints", "pieces of state that intercepts left for those that follow them" },
	{ "checkpoint_octets", "octets of state that intercepts left for those that follow them" },
	{ "checkpoints_refused_total", "pieces of state that were not kept since there was no room" },

	/* delivery */
	{ "records_total", "records that came for case folders" },
	{ "records_again_total", "records that had come already, as after a restart" },
	{ "records_refused_total", "records of a warrant that is not in the table, or from after its revocation" },
	{ "records_lost_total", "records that had no room while the disk was full, told of as a gap" },
	{ "calls_open", "calls that are not over yet (intercept), or not finished (delivery)" },
	{ "calls_finished_total", "times that the final files of a call were made" },
	{ "finish_failed_total", "times that final files could not be made, and will be tried again" },
	{ "folders_open", "case folders that grow" },
	{ "folders_closed_total", "case folders that were closed" },
	{ "held", "packets that wait for keys" },
	{ "gaps_total", "gaps that were told of" },
	{ "messages_broken_total", "messages to delivery that could not be read" },
	{ "held_lost_back_total", "packets that waited for a key and had no room on their way back" },
};

static const char *of_stage(const char *family)
{
	size_t len = strlen(family);
	char name[BOARD_NAME + 16];
	const struct counter_words *words;

	if (len > 6 && strcmp(family + len - 6, "_total") == 0)
		len -= 6;
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, family, len);
	name[len] = '\0';
	words = counter_words(name);
	return words != NULL ? words->meaning : NULL;
}

const char *control_help(const char *family)
{
	const char *text;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].family, family) == 0)
			return all[i].text;
	text = of_stage(family);
	return text != NULL ? text : "a count of a role, by the name that it gives it";
}
