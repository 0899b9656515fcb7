/* mikey_text: names and lengths that numbers stand for, and timestamps. */
#include "mikey_parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Seconds from 1900 (NTP) to 1970, and those of one NTP era. */
#define NTP_TO_UNIX INT64_C(2208988800)
#define NTP_ERA     (INT64_C(1) << 32)

int mikey_mac_len(uint8_t mac)
{
	static const int lens[] = { 0, 20, 32 };

	return mac < COUNT(lens) ? lens[mac] : -1;
}

int mikey_time_len(uint8_t kind)
{
	static const int lens[] = { 8, 8, 4, 4 };

	return kind < COUNT(lens) ? lens[kind] : -1;
}

int mikey_group_len(uint8_t group)
{
	static const int lens[] = { 1536 / 8, 768 / 8, 1024 / 8 };

	return group < COUNT(lens) ? lens[group] : -1;
}

int mikey_hash_len(uint8_t kind)
{
	static const int lens[] = { 20, 16, 32 };

	return kind < COUNT(lens) ? lens[kind] : -1;
}

const char *mikey_type_text(uint8_t type)
{
	static const char *const names[] = { "PSK", "PSK verification", "PK", "PK verification", "DH init", "DH resp",
		"Error", "DHHMAC init", "DHHMAC resp", "RSA-R I", "RSA-R R", "REQUEST_INIT_PSK", "REQUEST_INIT_PK",
		"REQUEST_RESP", "TRANSFER_INIT", "TRANSFER_RESP", "RESOLVE_INIT_PSK", "RESOLVE_INIT_PK",
		"RESOLVE_RESP" };

	if (type == MIKEY_SAKKE_INIT)
		return "SAKKE";
	return type < COUNT(names) ? names[type] : "?";
}

const char *mikey_payload_text(enum mikey_payload_type type)
{
	static const char *const names[] = { [MIKEY_KEMAC] = "KEMAC",
		[MIKEY_PKE] = "PKE",
		[MIKEY_DH] = "DH",
		[MIKEY_SIGN] = "SIGN",
		[MIKEY_T] = "T",
		[MIKEY_ID] = "ID",
		[MIKEY_CERT] = "CERT",
		[MIKEY_CHASH] = "CHASH",
		[MIKEY_V] = "V",
		[MIKEY_SP] = "SP",
		[MIKEY_RAND] = "RAND",
		[MIKEY_ERR] = "ERR",
		[MIKEY_TR] = "TR",
		[MIKEY_IDR] = "IDR",
		[MIKEY_RANDR] = "RANDR",
		[MIKEY_TP] = "TP",
		[MIKEY_TICKET] = "TICKET",
		[MIKEY_KEY] = "key data",
		[MIKEY_EXT] = "general extension",
		[MIKEY_SAKKE] = "SAKKE" };

	if (type == MIKEY_THDR)
		return "THDR";
	return (size_t)type < COUNT(names) && names[type] != NULL ? names[type] : "?";
}

/* RFC 4330 3: with the first bit set, 1968 to 2036; without, 2036 to 2104. */
nsec_t mikey_time_of(const struct mikey_payload *p)
{
	int64_t seconds, fraction = 0;

	if (p->time.kind == MIKEY_COUNTER || (int)p->time.value.len != mikey_time_len(p->time.kind))
		return NSEC_NONE;
	seconds = be32(p->time.value.at);
	if (seconds < NTP_ERA / 2)
		seconds += NTP_ERA;
	if (p->time.value.len == 8)
		fraction = (int64_t)((uint64_t)be32(p->time.value.at + 4) * (uint64_t)NSEC_PER_SEC >> 32);
	return (seconds - NTP_TO_UNIX) * NSEC_PER_SEC + fraction;
}

void mikey_time_put(nsec_t at, uint8_t out[8])
{
	int64_t seconds = at / NSEC_PER_SEC, left = at % NSEC_PER_SEC;

	if (left < 0) {
		seconds--;
		left += NSEC_PER_SEC;
	}
	put_be32(out, (uint32_t)(seconds + NTP_TO_UNIX));
	put_be32(out + 4, (uint32_t)(((uint64_t)left << 32) / (uint64_t)NSEC_PER_SEC));
}

bool mikey_time_64(const struct mikey_payload *p, uint8_t out[8])
{
	if ((int)p->time.value.len != mikey_time_len(p->time.kind))
		return false;
	memset(out, 0, 8);
	/* RFC 3830 6.6 puts the zeroes before a counter, RFC 6043 6.3 behind NTP-UTC-32. */
	memcpy(p->time.kind == MIKEY_COUNTER ? out + 4 : out, p->time.value.at, p->time.value.len);
	return true;
}
