/* kms_explain: `otway kms explain`: a MIKEY message in hex or base64, a file that holds one, or a capture. */
#include "kms_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd_kms.h"
#include "otway/base/file.h"
#include "otway/base/text.h"

#define FILE_MAX (1 << 18)

/* Behind "a=key-mgmt:mikey", where somebody copied the whole line. */
static struct bytes without_attribute(struct bytes text)
{
	static const char *const starts[] = { "a=key-mgmt:", "key-mgmt:", "mikey " };

	text = text_trim(text);
	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (text_begins(text, starts[i]))
			text = text_trim(bytes_part(text, strlen(starts[i]), SIZE_MAX));
	return text;
}

/* Hex or base64; a message begins with its version, 01, so that neither can be taken for the other. -1: neither. */
static long read_text(struct bytes text, uint8_t *out, size_t max)
{
	long len;

	text = without_attribute(text);
	len = text.len > 1 && text.at[0] == '0' ? text_unhex(text, out, max) : -1;
	return len > 0 ? len : text_unbase64(text, out, max);
}

/* Octets as they are, or as text. False: no message, as err says. */
static bool explain_octets(const struct cli *c, struct bytes in, struct err *err)
{
	const struct explain_place nowhere = { .at = NSEC_NONE };
	uint8_t *octets = malloc(in.len + 1);
	long len;
	bool done;

	if (octets == NULL)
		return err_set(err, "out of memory") == 0;
	len = in.len > 0 && in.at[0] == 1 ? -1 : read_text(in, octets, in.len);
	if (len >= 0)
		in = (struct bytes){ octets, (size_t)len };
	else if (in.len == 0 || in.at[0] != 1)
		err_set(err, "neither a file that is there nor a MIKEY message in hex or base64");
	done = (len >= 0 || (in.len > 0 && in.at[0] == 1)) && explain_print(c, &nowhere, in);
	if (!done && err->text[0] == '\0')
		err_set(err, "not a MIKEY message");
	free(octets);
	return done;
}

static int explain_file(struct cli *c, const char *path, struct err *err)
{
	struct err no_capture = { .text = "" };
	struct buf text = { 0 };
	long found = explain_capture(c, path, &no_capture);
	int rc = EXIT_DONE;

	if (found < 0) {
		err->text[0] = '\0';
		if (file_read(path, FILE_MAX, &text, err) < 0 || !explain_octets(c, buf_bytes(&text), err))
			rc = -1;
		buf_clear(&text);
	} else if (found == 0) {
		output_say(c, "no key management in this capture");
	}
	return rc;
}

int kms_explain(struct cli *c, struct err *err)
{
	const char *what = c->operands[0];

	if (strcmp(what, "-") == 0)
		return explain_capture(c, what, err) < 0 ? -1 : EXIT_DONE;
	if (access(what, F_OK) == 0)
		return explain_file(c, what, err);
	err->text[0] = '\0';
	return explain_octets(c, bytes_of(what), err) ? EXIT_DONE : -1;
}
