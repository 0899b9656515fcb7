/*
 * media_desc: an SDP (RFC 8866) line by line into what its m-lines say. Not by libosip2, whose SDP parser refuses what
 * the field sends (lines out of order, without s= or t=) and in version 5.3.0 reads past the end of its text.
 */
#include "parts.h"
#include "media_lines.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"

/* "IN IP4 192.0.2.1", a TTL behind "/" passed over. False: no address of ours (a name, another network). */
static bool read_connection(struct bytes value, struct addr *out)
{
	struct bytes rest, network = text_word(value, &rest), family = text_word(rest, &rest);

	return text_is(network, "IN") && (text_is(family, "IP4") || text_is(family, "IP6")) &&
	       addr_parse(text_cut(text_word(rest, NULL), '/', NULL), out);
}

static void take_connection(struct media_walk *w, struct bytes value)
{
	static const uint8_t nowhere[sizeof(((struct addr *)0)->ip)];
	struct level *l = w->on_session ? &w->session : &w->media;
	struct addr host;

	if (l->host_said)
		return;
	l->host_said = true;
	if (!read_connection(value, &host)) {
		w->bad = w->bad || text_trim(value).len == 0;
		return;
	}
	host.port = 0;
	if (memcmp(host.ip, nowhere, sizeof(nowhere)) == 0)
		l->held = true;
	else
		l->host = w->last_host = host;
}

static bool bundled(const struct media_walk *w)
{
	for (size_t i = 0; i < w->bundle_count && w->media.mid.len > 0; i++) {
		struct bytes rest = w->bundles[i], mid;

		for (mid = text_word(rest, &rest); mid.len > 0; mid = text_word(rest, &rest))
			if (bytes_equal(mid, w->media.mid))
				return true;
	}
	return false;
}

/* Where RTP and RTCP of the line go: its own c=, else the session's, else that of the line before. */
static void settle_addresses(struct media_walk *w)
{
	const struct level *l = w->media.host_said ? &w->media : &w->session;
	struct media_line *line = w->line;

	line->rtp = l->host;
	if (!w->media.host_said && !w->session.host_said)
		line->rtp = w->last_host;
	line->rtp.port = line->rtp.family != 0 ? w->port : 0;
	line->rtcp_mux = w->media.rtcp_mux;
	if (w->media.rtcp_said && w->media.rtcp.family == 0) {
		line->rtcp = line->rtp;
		line->rtcp.port = w->media.rtcp.port;
	} else if (w->media.rtcp_said) {
		line->rtcp = w->media.rtcp;
	} else if (line->rtp.port != 0 && line->rtp.port != UINT16_MAX) {
		line->rtcp = line->rtp;
		line->rtcp.port++;
	}
	if (w->media.rtcp_only_mux || line->rtcp.family == 0 || line->rtcp.port == 0)
		memset(&line->rtcp, 0, sizeof(line->rtcp));
}

static void settle_flow(struct media_walk *w)
{
	const struct level *l = w->media.host_said ? &w->media : &w->session;
	enum media_flow flow = w->media.flow_said ? w->media.flow : w->session.flow;

	if (l->held && flow == MEDIA_SENDRECV)
		flow = MEDIA_SENDONLY;
	else if (l->held && flow == MEDIA_RECVONLY)
		flow = MEDIA_INACTIVE;
	w->line->flow = flow;
}

/* A line's own message counts; that of the session is for the lines that are encrypted and have none, or none that is a ticket
 * where it is one. */
static void settle_key_mgmt(struct media_walk *w)
{
	struct media_line *line = w->line;

	line->mikey_of_session =
		w->session.mikey && line->secure && (!w->media.mikey || (w->session.ticket && !w->media.ticket));
	line->mikey = w->media.mikey || line->mikey_of_session;
	if (line->mikey)
		line->key_mgmt = line->mikey_of_session ? w->session.key_mgmt : w->media.key_mgmt;
	line->otway_rees_of_session = w->media.otway_rees.len == 0 && w->session.otway_rees.len > 0 && line->secure;
	line->otway_rees = line->otway_rees_of_session ? w->session.otway_rees : w->media.otway_rees;
}

/* The m-line is read: what the session says holds where it says nothing itself. */
static void settle(struct media_walk *w)
{
	struct media_line *line = w->line;

	if (line == NULL)
		return;
	settle_addresses(w);
	settle_flow(w);
	text_copy(w->media.mid, line->mid, sizeof(line->mid));
	line->bundled = bundled(w);
	line->dtls = line->dtls || w->media.dtls || w->session.dtls;
	line->zrtp = w->media.zrtp || w->session.zrtp;
	settle_key_mgmt(w);
	w->line = NULL;
}

/* True when `text` holds `part`, but for case. */
static bool holds(struct bytes text, const char *part)
{
	for (size_t i = 0; i < text.len; i++)
		if (text_begins(bytes_part(text, i, text.len), part))
			return true;
	return false;
}

static void read_formats(struct media_walk *w, struct bytes rest)
{
	struct media_line *line = w->line;
	struct bytes word;
	uint64_t pt;

	for (word = text_word(rest, &rest); word.len > 0; word = text_word(rest, &rest)) {
		if (!text_number(word, 127, &pt))
			continue; /* of another protocol than RTP */
		if (line->format_count == MEDIA_FORMATS) {
			w->out->left_out++;
			return;
		}
		line->formats[line->format_count] = (struct media_format){ .pt = (uint8_t)pt, .channels = 1 };
		attribute_static_format(&line->formats[line->format_count++]);
	}
}

/* "audio 49170/2 RTP/SAVP 0 8 101" */
static void take_media(struct media_walk *w, struct bytes value)
{
	struct bytes rest, kind = text_word(value, &rest), port = text_word(rest, &rest),
			   profile = text_word(rest, &rest);
	uint64_t number;

	settle(w);
	w->on_session = false;
	memset(&w->media, 0, sizeof(w->media));
	if (w->out->line_count == MEDIA_LINES) {
		w->out->left_out++;
		return;
	}
	w->line = &w->out->lines[w->out->line_count++];
	memset(w->line, 0, sizeof(*w->line));
	if (text_number(text_cut(port, '/', NULL), UINT16_MAX, &number))
		w->port = (uint16_t)number;
	else
		w->port = 0;
	w->bad = w->bad || (w->port == 0 && !text_is(port, "0")) || text_word(rest, NULL).len == 0;
	text_copy(kind, w->line->kind, sizeof(w->line->kind));
	text_copy(profile, w->line->profile, sizeof(w->line->profile));
	w->line->secure = holds(profile, "SAVP");
	w->line->dtls = holds(profile, "TLS");
	read_formats(w, rest);
}

static void take_line(struct media_walk *w, struct bytes line)
{
	struct bytes value = bytes_part(line, 2, line.len);

	if (line.len < 2 || line.at[1] != '=') {
		w->bad = w->bad || line.len > 0;
		return;
	}
	if (line.at[0] == 'm')
		take_media(w, value);
	else if (line.at[0] == 'c')
		take_connection(w, value);
	else if (line.at[0] == 'a')
		attribute_read(w, value);
}

bool media_desc_read(struct bytes sdp, bool cut, struct media_desc *out)
{
	struct media_walk w = { .out = out, .on_session = true, .bad = !text_begins(sdp, "v=0") };

	out->line_count = 0;
	out->left_out = 0;
	while (sdp.len > 0) {
		bool ended;
		struct bytes line = line_next(&sdp, &ended);

		if (ended || !cut)
			take_line(&w, line);
	}
	settle(&w);
	return !w.bad;
}

void media_desc_clear(struct media_desc *d)
{
	secret_wipe(d->lines, d->line_count * sizeof(d->lines[0]));
	d->line_count = 0;
	d->left_out = 0;
}
