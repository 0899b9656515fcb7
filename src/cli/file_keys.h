/*
 * file_keys: the file of --keys: keys that came another way than in signalling.
 */
#ifndef OTWAY_CLI_FILE_KEYS_H
#define OTWAY_CLI_FILE_KEYS_H

#include "otway/base/crypto.h"
#include "otway/base/err.h"
#include "otway/model/step.h"

struct file_key {
	struct key_given key;
	char *call_id; /* NULL: of any call */
};

struct file_keys {
	struct file_key *all;
	size_t count;
	uint8_t sha256[SHA256_LEN]; /* of the file */
};

/*
 * Reads a JSON array of {"suite","inline"} with any of "call_id", "src", "dst", "ssrc", "mki". A file that others may read is
 * EXIT_REFUSED; anything malformed EXIT_USAGE, named by index (from 0) and field, never by value.
 * "inline": base64 of key and salt; "inline:" before it and "|lifetime|MKI:length" behind it, as in a=crypto, may stay.
 * "ssrc": "0x89abcdef" or a number. "mki": hex digits, or VALUE:LENGTH as in a=crypto. "src", "dst": ADDR or ADDR:PORT.
 */
int file_keys_read(const char *path, struct file_keys *out, struct err *err);
void file_keys_clear(struct file_keys *k); /* wipes */

#endif
