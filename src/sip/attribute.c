/* attribute: the a= lines of an SDP, each with its clause in the table at the end. */
#include "media_lines.h"

#include "sdes.h"

#include "otway/base/text.h"

/* RFC 3551 6, tables 4 and 5. */
static const struct {
	uint8_t pt;
	const char *name;
	uint32_t clock;
	uint8_t channels;
} fixed[] = {
	{ 0, "PCMU", 8000, 1 },
	{ 3, "GSM", 8000, 1 },
	{ 4, "G723", 8000, 1 },
	{ 5, "DVI4", 8000, 1 },
	{ 6, "DVI4", 16000, 1 },
	{ 7, "LPC", 8000, 1 },
	{ 8, "PCMA", 8000, 1 },
	{ 9, "G722", 8000, 1 },
	{ 10, "L16", 44100, 2 },
	{ 11, "L16", 44100, 1 },
	{ 12, "QCELP", 8000, 1 },
	{ 13, "CN", 8000, 1 },
	{ 14, "MPA", 90000, 1 },
	{ 15, "G728", 8000, 1 },
	{ 16, "DVI4", 11025, 1 },
	{ 17, "DVI4", 22050, 1 },
	{ 18, "G729", 8000, 1 },
	{ 25, "CelB", 90000, 1 },
	{ 26, "JPEG", 90000, 1 },
	{ 28, "nv", 90000, 1 },
	{ 31, "H261", 90000, 1 },
	{ 32, "MPV", 90000, 1 },
	{ 33, "MP2T", 90000, 1 },
	{ 34, "H263", 90000, 1 },
};

void attribute_static_format(struct media_format *f)
{
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (fixed[i].pt != f->pt)
			continue;
		text_copy(bytes_of(fixed[i].name), f->name, sizeof(f->name));
		f->clock = fixed[i].clock;
		f->channels = fixed[i].channels;
	}
}

static struct level *level_of(struct media_walk *w)
{
	return w->on_session ? &w->session : &w->media;
}

/* The format of a payload type that begins `value`; *rest: behind it. NULL: the m-line does not offer it. */
static struct media_format *format_of(struct media_walk *w, struct bytes value, struct bytes *rest)
{
	uint64_t pt;

	if (!text_number(text_word(value, rest), 127, &pt))
		return NULL;
	for (size_t i = 0; i < w->line->format_count; i++)
		if (w->line->formats[i].pt == pt)
			return &w->line->formats[i];
	return NULL;
}

/* "96 opus/48000/2" */
static void read_rtpmap(struct media_walk *w, struct bytes value)
{
	struct bytes rest, name, clock, channels;
	struct media_format *f = format_of(w, value, &rest);
	uint64_t number;

	if (f == NULL)
		return;
	name = text_cut(text_word(rest, NULL), '/', &rest);
	clock = text_cut(rest, '/', &channels);
	text_copy(name, f->name, sizeof(f->name));
	f->clock = text_number(clock, UINT32_MAX, &number) ? (uint32_t)number : 0;
	f->channels = text_number(channels, UINT8_MAX, &number) && number > 0 ? (uint8_t)number : 1;
}

static void read_fmtp(struct media_walk *w, struct bytes value)
{
	struct bytes rest;
	struct media_format *f = format_of(w, value, &rest);

	if (f != NULL)
		text_copy(text_trim(rest), f->fmtp, sizeof(f->fmtp));
}

static void read_crypto(struct media_walk *w, struct bytes value)
{
	struct media_line *line = w->line;

	if (line->crypto_count == MEDIA_CRYPTOS)
		w->out->left_out++;
	else if (sdes_parse(value, &line->cryptos[line->crypto_count]))
		line->crypto_count++;
	else
		memset(&line->cryptos[line->crypto_count], 0, sizeof(line->cryptos[0]));
}

/* Is it a message of MIKEY-TICKET (RFC 6043 6.1.1: data types 11 to 18)? The type is its second octet. */
static bool is_ticket(struct bytes base64)
{
	uint8_t head[3];

	return text_unbase64(bytes_part(base64, 0, 4), head, sizeof(head)) == 3 && head[1] >= 11 && head[1] <= 18;
}

/* There is one of a protocol at a level (RFC 4567 3.1). Of several the first stands, but none that carries keys itself before a
 * ticket: whoever adds a line on the way changes nothing. */
static void read_key_mgmt(struct media_walk *w, struct bytes value)
{
	struct bytes data, protocol = text_word(value, &data);
	struct level *l = level_of(w);

	if (text_is(protocol, "mikey") && (!l->mikey || (!l->ticket && is_ticket(text_trim(data))))) {
		l->mikey = true;
		l->key_mgmt = text_trim(data);
		l->ticket = is_ticket(l->key_mgmt);
	} else if (text_is(protocol, "otway-rees") && l->otway_rees.len == 0) {
		l->otway_rees = text_trim(data);
	}
}

static void read_fingerprint(struct media_walk *w, struct bytes value)
{
	(void)value;
	level_of(w)->dtls = true;
}

static void read_zrtp(struct media_walk *w, struct bytes value)
{
	(void)value;
	level_of(w)->zrtp = true;
}

/* "53020" or "53020 IN IP4 126.16.64.4" */
static void read_rtcp(struct media_walk *w, struct bytes value)
{
	struct bytes rest, port = text_word(value, &rest);
	struct addr host = { 0 };
	uint64_t number;

	if (!text_number(port, UINT16_MAX, &number))
		return;
	text_word(rest, &rest);
	text_word(rest, &rest);
	if (!addr_parse(text_trim(rest), &host))
		memset(&host, 0, sizeof(host));
	w->media.rtcp_said = true;
	w->media.rtcp = host;
	w->media.rtcp.port = (uint16_t)number;
}

static void read_rtcp_mux(struct media_walk *w, struct bytes value)
{
	(void)value;
	w->media.rtcp_mux = true;
}

static void read_rtcp_mux_only(struct media_walk *w, struct bytes value)
{
	(void)value;
	w->media.rtcp_mux = w->media.rtcp_only_mux = true;
}

static void set_flow(struct media_walk *w, enum media_flow flow)
{
	level_of(w)->flow_said = true;
	level_of(w)->flow = flow;
}

static void read_sendrecv(struct media_walk *w, struct bytes value)
{
	(void)value;
	set_flow(w, MEDIA_SENDRECV);
}

static void read_sendonly(struct media_walk *w, struct bytes value)
{
	(void)value;
	set_flow(w, MEDIA_SENDONLY);
}

static void read_recvonly(struct media_walk *w, struct bytes value)
{
	(void)value;
	set_flow(w, MEDIA_RECVONLY);
}

static void read_inactive(struct media_walk *w, struct bytes value)
{
	(void)value;
	set_flow(w, MEDIA_INACTIVE);
}

static void read_mid(struct media_walk *w, struct bytes value)
{
	w->media.mid = text_trim(value);
}

static void read_group(struct media_walk *w, struct bytes value)
{
	struct bytes mids, semantics = text_word(value, &mids);

	if (text_is(semantics, "BUNDLE") && w->bundle_count < BUNDLES_MAX)
		w->bundles[w->bundle_count++] = mids;
}

static void add_candidate(struct media_walk *w, const struct addr *a)
{
	struct media_line *line = w->line;

	for (size_t i = 0; i < line->candidate_count; i++)
		if (addr_equal(&line->candidates[i], a))
			return;
	if (line->candidate_count == MEDIA_CANDIDATES)
		w->out->left_out++;
	else
		line->candidates[line->candidate_count++] = *a;
}

/* "1 1 UDP 2130706431 10.0.1.1 8998 typ host" */
static void read_candidate(struct media_walk *w, struct bytes value)
{
	struct bytes word[6], rest = value;
	struct addr a = { 0 };
	uint64_t port;

	for (size_t i = 0; i < 6; i++)
		word[i] = text_word(rest, &rest);
	if (!text_is(word[1], "1") || !text_is(word[2], "UDP") || !addr_parse(word[4], &a) ||
		!text_number(word[5], UINT16_MAX, &port) || port == 0)
		return;
	a.port = (uint16_t)port;
	add_candidate(w, &a);
}

static void read_ssrc(struct media_walk *w, struct bytes value)
{
	struct media_line *line = w->line;
	uint64_t ssrc;

	if (!text_number(text_word(value, NULL), UINT32_MAX, &ssrc))
		return;
	for (size_t i = 0; i < line->ssrc_count; i++)
		if (line->ssrcs[i] == ssrc)
			return;
	if (line->ssrc_count == MEDIA_SSRCS)
		w->out->left_out++;
	else
		line->ssrcs[line->ssrc_count++] = (uint32_t)ssrc;
}

enum place { ANYWHERE, ON_SESSION, ON_MEDIA };

static const struct {
	const char *name;
	enum place place;
	void (*read)(struct media_walk *w, struct bytes value);
} attributes[] = {
	{ "candidate", ON_MEDIA, read_candidate },         /* RFC 8839 5.1 */
	{ "crypto", ON_MEDIA, read_crypto },               /* RFC 4568 4 */
	{ "fingerprint", ANYWHERE, read_fingerprint },     /* RFC 8122 5 */
	{ "fmtp", ON_MEDIA, read_fmtp },                   /* RFC 8866 6.15 */
	{ "group", ON_SESSION, read_group },               /* RFC 8843, RFC 5888 5 */
	{ "inactive", ANYWHERE, read_inactive },           /* RFC 8866 6.7 */
	{ "key-mgmt", ANYWHERE, read_key_mgmt },           /* RFC 4567 3.1 */
	{ "mid", ON_MEDIA, read_mid },                     /* RFC 5888 4 */
	{ "recvonly", ANYWHERE, read_recvonly },           /* RFC 8866 6.7 */
	{ "rtcp", ON_MEDIA, read_rtcp },                   /* RFC 3605 2.1 */
	{ "rtcp-mux", ON_MEDIA, read_rtcp_mux },           /* RFC 5761 5.1.1 */
	{ "rtcp-mux-only", ON_MEDIA, read_rtcp_mux_only }, /* RFC 8858 3 */
	{ "rtpmap", ON_MEDIA, read_rtpmap },               /* RFC 8866 6.6 */
	{ "sendonly", ANYWHERE, read_sendonly },           /* RFC 8866 6.7 */
	{ "sendrecv", ANYWHERE, read_sendrecv },           /* RFC 8866 6.7 */
	{ "ssrc", ON_MEDIA, read_ssrc },                   /* RFC 5576 4.1 */
	{ "zrtp-hash", ANYWHERE, read_zrtp },              /* RFC 6189 8 */
};

void attribute_read(struct media_walk *w, struct bytes attribute)
{
	struct bytes value, name = text_trim(text_cut(attribute, ':', &value));

	if (text_is(name, "acap")) { /* RFC 5939 3.4.1: an attribute that may yet be chosen */
		text_word(value, &value);
		name = text_trim(text_cut(value, ':', &value));
	}
	if (!w->on_session && w->line == NULL)
		return; /* of an m-line that was left out */
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].place != ANYWHERE && (attributes[i].place == ON_SESSION) != w->on_session)
			continue;
		if (text_is(name, attributes[i].name)) {
			attributes[i].read(w, text_trim(value));
			return;
		}
	}
}
