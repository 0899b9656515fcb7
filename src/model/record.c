/* record: the words that records use. */
#include "otway/model/record.h"

const char *seal_reason_text(enum seal_reason r)
{
	static const char *const texts[SEAL_REASONS] = {
		[SEAL_NO_KEY] = "no-key",
		[SEAL_AUTH_FAILED] = "auth-failed",
		[SEAL_DTLS_SRTP] = "dtls-srtp",
		[SEAL_SUITE_UNSUPPORTED] = "suite-unsupported",
		[SEAL_SETUP_NOT_SEEN] = "setup-not-seen",
		[SEAL_TRUNCATED] = "truncated",
		[SEAL_KMS_REFUSED] = "kms-refused",
		[SEAL_KMS_NO_AGREEMENT] = "kms-no-agreement",
		[SEAL_KMS_UNKNOWN] = "kms-unknown",
		[SEAL_KMS_UNREACHABLE] = "kms-unreachable",
		[SEAL_KEY_PURGED] = "key-purged",
		[SEAL_KEY_MISMATCH] = "key-mismatch",
	};

	return (unsigned int)r < SEAL_REASONS ? texts[r] : NULL;
}

const char *call_outcome_text(enum call_outcome o)
{
	static const char *const texts[] = {
		[CALL_INCOMPLETE] = "incomplete",
		[CALL_ANSWERED] = "answered",
		[CALL_CANCELLED] = "cancelled",
		[CALL_REFUSED] = "refused",
		[CALL_UNANSWERED] = "unanswered",
	};

	return texts[o];
}

const char *hit_side_text(enum hit_side s)
{
	static const char *const texts[] = {
		[HIT_FROM_TARGET] = "from-target",
		[HIT_TO_TARGET] = "to-target",
		[HIT_DIVERTING] = "diverting",
	};

	return texts[s];
}
