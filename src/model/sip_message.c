/* sip_message: names of headers and methods. */
#include "otway/model/sip_message.h"

const char *sip_header_text(enum sip_header h)
{
	static const char *const texts[SIP_HEADERS] = {
		[SIP_HEADER_REQUEST_URI] = "Request-URI",
		[SIP_HEADER_TO] = "To",
		[SIP_HEADER_FROM] = "From",
		[SIP_HEADER_PAI] = "P-Asserted-Identity",
		[SIP_HEADER_PPI] = "P-Preferred-Identity",
		[SIP_HEADER_RPID] = "Remote-Party-ID",
		[SIP_HEADER_PCPID] = "P-Called-Party-ID",
		[SIP_HEADER_SERVED_USER] = "P-Served-User",
		[SIP_HEADER_DIVERSION] = "Diversion",
		[SIP_HEADER_HISTORY] = "History-Info",
		[SIP_HEADER_CONTACT] = "Contact",
		[SIP_HEADER_ASSOCIATED] = "P-Associated-URI",
		[SIP_HEADER_REFER_TO] = "Refer-To",
		[SIP_HEADER_REFERRED_BY] = "Referred-By",
	};

	return texts[h];
}

const char *sip_method_text(enum sip_method m)
{
	static const char *const texts[] = {
		"",
		"INVITE",
		"ACK",
		"BYE",
		"CANCEL",
		"PRACK",
		"UPDATE",
		"REFER",
		"INFO",
		"REGISTER",
		"MESSAGE",
		"SUBSCRIBE",
		"NOTIFY",
		"PUBLISH",
		"OPTIONS",
		"OTHER",
	};

	return texts[m];
}

const struct sip_party *sip_party_of(const struct sip_message *m, enum sip_header h)
{
	for (size_t i = 0; i < m->party_count; i++)
		if (m->parties[i].header == h)
			return &m->parties[i];
	return NULL;
}
