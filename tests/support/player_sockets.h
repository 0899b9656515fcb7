/* player_sockets: UDP sockets of `player` by address, each in the network namespace that its host lives in. */
#ifndef TESTS_PLAYER_SOCKETS_H
#define TESTS_PLAYER_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct place {
	char *text; /* ADDRESS:PORT */
	struct sockaddr_storage address;
	socklen_t len;
	int fd;
	uint32_t next; /* of the same hash, from 1; 0: none */
};

struct host {
	char address[INET6_ADDRSTRLEN], netns[64];
};

struct sockets {
	struct place *places;
	size_t count, room;
	struct host hosts[4096];
	size_t host_count;
	uint32_t first[65536];
};

void die(const char *what);

void sockets_host(struct sockets *s, const char *address, const char *netns);
size_t sockets_find(struct sockets *s, const char *text); /* one of the same address, or a new one */

/* Opens all of them: bound, and deaf: what comes in is thrown away at once. */
void sockets_open(struct sockets *s);
bool sockets_send(struct sockets *s, size_t src, size_t dst, const uint8_t *octets, size_t len);
void sockets_close(struct sockets *s);

#endif
