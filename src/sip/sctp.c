/* sctp: chunk headers, each length checked against what is there. */
#include "sctp.h"

#define CHUNK_HEADER 4
#define DATA_HEADER  16
#define INIT_HEADER  20

bool sctp_chunk(struct bytes *rest, struct bytes *chunk)
{
	size_t len = rest->len >= CHUNK_HEADER ? be16(rest->at + 2) : 0;

	if (len < CHUNK_HEADER || len > rest->len)
		return false;
	*chunk = bytes_part(*rest, 0, len);
	*rest = bytes_part(*rest, (len + 3) & ~(size_t)3, SIZE_MAX);
	return true;
}

bool sctp_data(struct bytes chunk, struct sctp_data *out)
{
	if (chunk.len < DATA_HEADER || chunk.at[0] != SCTP_DATA)
		return false;
	*out = (struct sctp_data){
		.ends = (chunk.at[1] & 1) != 0,
		.begins = (chunk.at[1] & 2) != 0,
		.unordered = (chunk.at[1] & 4) != 0,
		.tsn = be32(chunk.at + 4),
		.octets = bytes_part(chunk, DATA_HEADER, SIZE_MAX),
	};
	memcpy(out->label, chunk.at + 8, sizeof(out->label));
	return true;
}

bool sctp_first_tsn(struct bytes chunk, uint32_t *tsn)
{
	if (chunk.len < INIT_HEADER || (chunk.at[0] != SCTP_INIT && chunk.at[0] != SCTP_INIT_ACK))
		return false;
	*tsn = be32(chunk.at + 16);
	return true;
}
