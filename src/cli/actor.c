/*
 * actor: who acts. The kernel's login uid stays the same through su and sudo, and nothing in the environment is believed.
 */
#include "inside.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

#define LOGIN_UNSET UINT32_MAX /* proc(5): nobody has logged in to this session */

static uid_t login_uid(void)
{
	struct buf text = { 0 };
	uint64_t uid = LOGIN_UNSET;

	if (file_read("/proc/self/loginuid", 64, &text, NULL) < 0 ||
		!text_number(text_trim(buf_bytes(&text)), UINT32_MAX, &uid))
		uid = LOGIN_UNSET;
	buf_clear(&text);
	return uid != LOGIN_UNSET ? (uid_t)uid : getuid();
}

void actor_name(char *out, size_t size)
{
	uid_t uid = login_uid();
	const struct passwd *user = getpwuid(uid);

	if (user != NULL && user->pw_name[0] != '\0')
		snprintf(out, size, "%s", user->pw_name);
	else
		snprintf(out, size, "uid %lu", (unsigned long)uid);
}

bool actor_user(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *p;
	uint64_t number;

	if (text_number(bytes_of(user), UINT32_MAX - 1, &number)) {
		p = getpwuid((uid_t)number);
		*uid = (uid_t)number;
		*gid = p != NULL ? p->pw_gid : (gid_t)number;
		return true;
	}
	p = getpwnam(user);
	if (p == NULL)
		return false;
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return true;
}
