/* counter_words: what each counter means, in a few words, and what a user is told when something was lost by it. */
#include "otway/model/counter.h"

#include <string.h>

static const struct counter_words words[] = {
	{ "frames", "frames read", NULL },
	{ "frames_cut", "frames that the snapshot length cut",
		"frames were cut by the snapshot length of the capture: capture whole frames (tcpdump -s 0)" },
	{ "capture_cut", "captures whose last frame is not whole", "captures end in the middle of a frame" },
	{ "datagrams", "UDP datagrams, TCP and SCTP segments found", NULL },
	{ "truncated", "datagrams and segments that are not whole, or whose header is not",
		"packets are not whole: signalling in them may miss headers, and media in them cannot be opened" },
	{ "not_ip", "frames of a kind that bears no IP", NULL },
	{ "not_transport", "IP packets that are neither UDP, TCP nor SCTP", NULL },
	{ "unknown_layer", "frames with a header of an unknown kind",
		"frames are of a kind that cannot be taken apart" },
	{ "broken", "packets that contradict themselves", "packets contradict themselves in their headers" },
	{ "too_deep", "frames with more headers than decap.depth",
		"frames have more headers than the configuration takes off (decap: depth)" },
	{ "wrapped", "packets in a tunnel that the configuration leaves alone",
		"packets are in tunnels that the configuration leaves alone (decap: leave)" },
	{ "not_tunnel", "datagrams on a tunnel's port that are no such tunnel, or not readable as one", NULL },
	{ "vlan_tags", "VLAN and kindred tags taken off", NULL },
	{ "fragments", "IP fragments", NULL },
	{ "esp_sealed", "ESP packets that are encrypted", "ESP packets are encrypted: what is in them cannot be seen" },
	{ "hep_tcp", "TCP segments that begin with HEP",
		"segments are HEP over TCP, which is not unwrapped: let the probe send HEP over UDP" },
	{ "held", "packets kept until more was known, fragments too", NULL },
	{ "vxlan", "VXLAN taken off", NULL },
	{ "geneve", "Geneve taken off", NULL },
	{ "gtpu", "GTP-U taken off", NULL },
	{ "tzsp", "TZSP taken off", NULL },
	{ "hep", "HEP taken off", NULL },
	{ "l2tp", "L2TP taken off", NULL },
	{ "esp", "ESP without encryption taken off", NULL },
	{ "mpls", "MPLS taken off", NULL },
	{ "pppoe", "PPPoE taken off", NULL },
	{ "gre", "GRE taken off", NULL },
	{ "erspan", "ERSPAN taken off", NULL },
	{ "ipip", "IP in IP taken off", NULL },
	{ "fragments_rejoined", "packets rejoined from fragments", NULL },
	{ "fragments_overlapping", "fragments that overlap with other octets; the first stand",
		"fragments overlap and differ: what came first was taken" },
	{ "fragments_twice", "fragments that came again", NULL },
	{ "fragments_evicted", "packets given up since too many were incomplete",
		"packets in fragments were given up, since too many were incomplete at once" },
	{ "fragments_expired", "packets given up after 30 s without all fragments",
		"packets were given up, since some of their fragments did not come within 30 s" },
	{ "fragments_incomplete", "packets that still lack fragments at the end",
		"packets still lack fragments at the end of the captures" },
	{ "fragments_sip_lost", "packets given up or incomplete that begin as SIP",
		"SIP messages were lost because a fragment of them is missing: is the capture filter by port? "
		"Fragments but the first "
		"have none" },
	{ "esp_undecided", "ESP packets held until known to be unencrypted, and never so",
		"ESP packets may or may not be encrypted: too few came to tell" },
	{ "sip", "SIP messages", NULL },
	{ "sip_bad", "SIP messages that break the rules, or cannot be followed",
		"SIP messages break the rules of SIP; what could be read of them was used" },
	{ "sdp", "SIP messages that describe media", NULL },
	{ "sdp_bad", "SIP messages with an SDP that breaks the rules",
		"SDP bodies break the rules of SDP; their media may be missed" },
	{ "sip_other_port", "SIP on ports where the configuration does not look for it",
		"SIP messages or segments are on ports that the configuration does not list (sip: ports), and were "
		"passed over" },
	{ "tcp_segments", "TCP segments and SCTP chunks of SIP connections", NULL },
	{ "tcp_retransmitted", "TCP segments and SCTP chunks of SIP connections that came again", NULL },
	{ "tcp_overlaps", "TCP segments and SCTP chunks of SIP connections that overlap others", NULL },
	{ "tcp_gaps", "holes in connections of SIP, whose segments were not captured",
		"holes are in TCP or SCTP connections of SIP: messages were lost there, since segments were not "
		"captured" },
	{ "tcp_resync", "places lost in a stream of SIP, and found again",
		"times the place in a TCP connection of SIP was lost, until the next message began" },
	{ "tcp_refused", "messages with a length that cannot be believed",
		"SIP messages have a length that cannot be believed" },
	{ "tcp_too_long", "messages longer than is kept", "SIP messages over TCP are longer than 65,000 octets" },
	{ "tcp_cut", "messages whose end never came",
		"SIP messages over TCP or SCTP are not whole, since their end never came" },
	{ "tcp_evicted", "connections given up for others",
		"TCP connections of SIP were given up, since there were too many at once" },
	{ "sip_tcp", "SIP messages over TCP", NULL },
	{ "websocket", "SIP messages over WebSocket", NULL },
	{ "sctp", "SIP messages over SCTP", NULL },
	{ "websocket_unpacked", "SIP messages over WebSocket that came compressed, and were read", NULL },
	{ "websocket_packed", "messages over WebSocket that came compressed, and cannot be read",
		"messages over WebSocket are compressed with what was not captured: their connections were joined "
		"late" },
	{ "sip_tls", "segments of SIP over TLS",
		"segments are SIP over TLS: it is encrypted, and never guessed at; mirror a place where it is not" },
	{ "tcp_other", "TCP segments of connections that carry no SIP", NULL },
	{ "matched", "SIP messages that name a target", NULL },
	{ "undecided", "messages kept for 2 s, should they belong to a call of a target", NULL },
	{ "undecided_evicted", "messages given up before those 2 s were over",
		"messages of calls in their set-up were given up within 2 s, since there "
		"were too many" },
	{ "calls", "calls under warrant", NULL },
	{ "legs", "legs of calls under warrant", NULL },
	{ "events", "messages of targets outside calls", NULL },
	{ "sip_duplicates", "SIP messages that a mirror showed twice", NULL },
	{ "sdes_mismatches", "answers whose a=crypto does not fit the offer",
		"answers have an a=crypto that does not fit the offer" },
	{ "calls_dropped", "calls and messages given up since there was no room",
		"calls or messages of calls under warrant were given up "
		"for lack of room" },
	{ "rtp", "RTP packets of calls under warrant", NULL },
	{ "rtcp", "RTCP packets of calls under warrant", NULL },
	{ "decrypted", "RTP and RTCP packets that a key opened", NULL },
	{ "clear", "RTP and RTCP packets that were never encrypted", NULL },
	{ "sealed", "RTP and RTCP packets that no key opened",
		"packets of calls under warrant could not be opened; each set-up says why" },
	{ "duplicates", "media packets that a mirror showed twice", NULL },
	{ "forged", "packets of a stream that nobody authenticated, beside one that is",
		"packets are of sources that never authenticate beside one that does" },
	{ "not_rtp", "packets at places of media that are neither RTP nor RTCP",
		"packets at places of media are neither RTP nor RTCP" },
	{ "learned", "streams to or from an address that nobody announced", NULL },
	{ "udp_tunnel", "UDP datagrams that look like a tunnel on a port of none", NULL },
	{ "udp_dtls", "DTLS records: keys of DTLS-SRTP, as a rule", NULL },
	{ "udp_rtp", "RTP that, when it came, was of no call under warrant", NULL },
	{ "udp_rtcp", "RTCP that, when it came, was of no call under warrant", NULL },
	{ "udp_stun", "STUN", NULL },
	{ "udp_other", "UDP datagrams of any other kind", NULL },
};

const struct counter_words *counter_words(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

const struct counter_words *counter_words_at(size_t i)
{
	return i < sizeof(words) / sizeof(words[0]) ? &words[i] : NULL;
}
