/* warrant_words: the options of `warrant add` into a row, and a row into text and JSON. */
#include "warrant_words.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

#define AUTHORITY_MAX 1000
#define TARGET_MAX    1000
#define NAME_OCTETS   100

/* "now" is the present whatever else a span counts from. */
static int read_time(const char *option, const char *text, nsec_t base, nsec_t now, nsec_t *out, struct err *err)
{
	if (nsec_parse(text, strcmp(text, "now") == 0 ? now : base, out, err) < 0)
		return err_in(err, "--%s", option);
	return 0;
}

int warrant_words_until(const char *text, nsec_t from, nsec_t now, nsec_t *out, struct err *err)
{
	if (read_time("until", text, from, now, out, err) < 0)
		return -1;
	return *out > from ? 0 : err_code(err, EXIT_USAGE, "--until must be later than --from");
}

static int read_times(const struct cli *c, nsec_t now, struct warrant_row *r, struct err *err)
{
	const char *from = args_text(c, "from"), *until = args_text(c, "until");

	if (read_time("from", from, now, now, &r->w.from, err) < 0 ||
		warrant_words_until(until, r->w.from, now, &r->w.until, err) < 0)
		return -1;
	r->from_entered = strdup(from);
	r->until_entered = strdup(until);
	return r->from_entered != NULL && r->until_entered != NULL ? 0 : err_set(err, "out of memory");
}

static int hash_file(const char *path, uint8_t out[SHA256_LEN], struct err *err)
{
	struct sha256 *h = sha256_new();
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	uint8_t block[65536];
	ssize_t n = 0;

	if (h == NULL)
		rc = err_set(err, "out of memory");
	else if (fd < 0)
		rc = err_set(err, "--document: %s: %s", path, strerror(errno));
	while (rc == 0 && (n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno != EINTR)
			rc = err_set(err, "--document: %s: %s", path, strerror(errno));
		else if (n > 0)
			sha256_add(h, (struct bytes){ block, (size_t)n });
	}
	if (rc == 0)
		sha256_value(h, out);
	if (fd >= 0)
		close(fd);
	sha256_free(h);
	return rc;
}

static int read_document(const struct cli *c, struct warrant_row *r, struct err *err)
{
	const char *path = args_text(c, "document");

	if (path == NULL)
		return 0;
	if (hash_file(path, r->document_sha256, err) < 0)
		return -1;
	r->document = cli_clean(cli_base_name(path));
	return r->document != NULL ? 0 : err_set(err, "out of memory");
}

static int read_policy(const struct cli *c, struct warrant *w, struct err *err)
{
	const char *scope = args_text(c, "scope"), *diverted = args_text(c, "diverted");

	w->scope = SCOPE_ALL;
	w->diverted = DIVERTED_CONTENT;
	w->trust_from = args_given(c, "trust-from");
	if (scope != NULL && !warrant_scope_parse(scope, &w->scope))
		return err_code(err, EXIT_USAGE, "--scope is one of iri, cc, all");
	if (diverted != NULL && !warrant_diverted_parse(diverted, &w->diverted))
		return err_code(err, EXIT_USAGE, "--diverted is one of report, content");
	return 0;
}

static int read_targets(const struct cli *c, struct warrant *w, struct err *err)
{
	size_t count;
	const char **uris = args_all(c, "target", &count);
	int rc = 0;

	w->targets = calloc(count + 1, sizeof(*w->targets));
	if (uris == NULL || w->targets == NULL)
		rc = err_set(err, "out of memory");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = cli_check_text("--target", uris[i], TARGET_MAX, err);
		w->targets[i].uri = strdup(uris[i]);
		if (w->targets[i].uri == NULL)
			rc = err_set(err, "out of memory");
		w->target_count++;
	}
	free(uris);
	return rc;
}

int warrant_words_read(const struct cli *c, nsec_t now, struct warrant_row *out, struct err *err)
{
	const char *liid = args_text(c, "liid"), *agency = args_text(c, "agency"),
		   *authority = args_text(c, "authority");

	*out = (struct warrant_row){ .revoked = NSEC_NONE };
	if (!warrant_liid_valid(liid))
		return err_code(err, EXIT_USAGE, "--liid takes 1 to 25 printable ASCII octets");
	snprintf(out->w.liid, sizeof(out->w.liid), "%s", liid);
	if (cli_check_text("--agency", agency, NAME_OCTETS, err) < 0 ||
		cli_check_text("--authority", authority, AUTHORITY_MAX, err) < 0 || read_targets(c, &out->w, err) < 0 ||
		read_policy(c, &out->w, err) < 0 || read_times(c, now, out, err) < 0 || read_document(c, out, err) < 0)
		return -1;
	out->w.agency = strdup(agency);
	out->w.authority = strdup(authority);
	return out->w.agency != NULL && out->w.authority != NULL ? 0 : err_set(err, "out of memory");
}

int warrant_words_targets(struct warrant_row *r, struct err *err)
{
	for (size_t i = 0; i < r->w.target_count; i++) {
		struct target *t = &r->w.targets[i];

		if (identity_target(bytes_of(t->uri), &t->id, err) < 0)
			return r->w.target_count > 1 ? err_in(err, "--target number %zu", i + 1) : -1;
	}
	return 0;
}

static json_t *document_json(const struct warrant_row *r)
{
	if (r->document == NULL)
		return json_null();
	return json_pack("{s:s, s:o}", "file", r->document, "sha256", output_hash(r->document_sha256));
}

json_t *warrant_words_json(const struct warrant_row *r, nsec_t now)
{
	json_t *targets = json_array();

	for (size_t i = 0; i < r->w.target_count; i++)
		json_array_append_new(targets, json_string(r->w.targets[i].uri));
	return json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:s?}", "number",
		(int)r->w.number, "liid", r->w.liid, "agency", r->w.agency, "state", warrant_state(r, now), "targets",
		targets, "from", output_time(r->w.from), "until", output_time(r->w.until), "scope",
		warrant_scope_text(r->w.scope), "diverted", warrant_diverted_text(r->w.diverted), "trust_from",
		r->w.trust_from, "authority", r->w.authority, "document", document_json(r), "added",
		output_time(r->added), "revoked", output_time(r->revoked), "revoked_reason", r->revoked_reason);
}

void warrant_words_print(const struct warrant_row *r, nsec_t now)
{
	char from[NSEC_TEXT], until[NSEC_TEXT], added[NSEC_TEXT], revoked[NSEC_TEXT], hash[SHA256_HEX];

	printf("warrant    %" PRIu32 "\nliid       %s\nagency     %s\nstate      %s\n", r->w.number, r->w.liid,
		r->w.agency, warrant_state(r, now));
	for (size_t i = 0; i < r->w.target_count; i++)
		printf("target     %s\n", r->w.targets[i].uri);
	printf("from       %s\nuntil      %s\nauthority  %s\nscope      %s\ndiverted   %s\ntrust-from %s\n",
		nsec_text(r->w.from, from), nsec_text(r->w.until, until), r->w.authority,
		warrant_scope_text(r->w.scope), warrant_diverted_text(r->w.diverted), r->w.trust_from ? "yes" : "no");
	if (r->document != NULL)
		printf("document   %s (SHA-256 %s)\n", r->document,
			text_hex((struct bytes){ r->document_sha256, SHA256_LEN }, hash));
	printf("added      %s\n", nsec_text(r->added, added));
	if (r->revoked != NSEC_NONE)
		printf("revoked    %s: %s\n", nsec_text(r->revoked, revoked), r->revoked_reason);
}
