/* kms_explain_capture: key management out of a capture: of a=key-mgmt (RFC 4567), and at MIKEY's own port (RFC 3830 7). */
#include "kms_explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"
#include "otway/capture.h"
#include "otway/decap.h"
#include "otway/sip.h"

#define MIKEY_PORT 2269

struct walk {
	struct cli *c;
	struct capture *capture;
	struct decap *decap;
	struct sip *sip;
	long found;
};

typedef bool explain_fn(const struct cli *c, const struct explain_place *place, struct bytes octets);

static void explain_base64(struct walk *w, const struct explain_place *place, struct bytes base64, explain_fn *explain)
{
	uint8_t *octets = malloc(base64.len + 1);
	long len = octets != NULL ? text_unbase64(base64, octets, base64.len) : -1;

	/* What is no base64 is shown as the empty message that it is. */
	explain(w->c, place, (struct bytes){ octets, len > 0 ? (size_t)len : 0 });
	w->found++;
	free(octets);
}

static void explain_message(struct walk *w, const struct sip_message *m)
{
	struct explain_place place = { .at = m->at };
	struct bytes before[2] = { { NULL, 0 }, { NULL, 0 } };
	char what[64], method[32];

	text_copy(
		m->method_name.len > 0 ? m->method_name : bytes_of(sip_method_text(m->method)), method, sizeof(method));
	if (m->request)
		snprintf(what, sizeof(what), "%s", method);
	else
		snprintf(what, sizeof(what), "%u to %s", m->status, method);
	place.what = what;
	for (size_t i = 0; m->has_sdp && i < m->sdp.line_count; i++) {
		const struct bytes said[2] = { m->sdp.lines[i].key_mgmt, m->sdp.lines[i].otway_rees };

		place.line = (int)i + 1;
		for (size_t p = 0; p < 2; p++) {
			/* One of the session is that of each secure line: it is told once. */
			if (said[p].len > 0 && said[p].at != before[p].at)
				explain_base64(w, &place, said[p], p == 0 ? explain_print : explain_rees);
			before[p] = said[p];
		}
	}
}

static void explain_datagram(struct walk *w, const struct datagram *d)
{
	struct explain_place place = { .at = d->at, .what = "UDP" };
	const struct sip_message *m;

	if (d->proto == IP_PROTO_UDP && (d->flow.src.port == MIKEY_PORT || d->flow.dst.port == MIKEY_PORT)) {
		explain_print(w->c, &place, d->payload);
		w->found++;
		return;
	}
	sip_take(w->sip, d);
	while (sip_next(w->sip, &m))
		explain_message(w, m);
}

static int explain_frames(struct walk *w, struct err *err)
{
	const struct sip_message *m;
	struct datagram d;
	struct frame f;
	int rc;

	while ((rc = capture_next(w->capture, &f, err)) > 0) {
		decap_take(w->decap, &f);
		while (decap_next(w->decap, &d))
			explain_datagram(w, &d);
	}
	sip_end(w->sip);
	while (sip_next(w->sip, &m))
		explain_message(w, m);
	return rc;
}

long explain_capture(struct cli *c, const char *path, struct err *err)
{
	struct walk w = { .c = c };
	long rc = -1;

	if (capture_open_files(&w.capture, &path, 1, false, decap_knows, err) < 0)
		return -1;
	w.decap = decap_new(NULL);
	w.sip = sip_new(NULL);
	if (w.decap == NULL || w.sip == NULL)
		err_set(err, "out of memory");
	else if (explain_frames(&w, err) == 0)
		rc = w.found;
	sip_free(w.sip);
	decap_free(w.decap);
	capture_free(w.capture);
	return rc;
}
