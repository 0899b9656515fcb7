/*
 * veth: a network of one cable: an interface "mirror" that is listened on, and "wire", its other end, that frames are sent from. In a
 * network namespace of its own, where nothing is ever sent by itself.
 */
#ifndef OTWAY_TESTS_VETH_H
#define OTWAY_TESTS_VETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: not root, or this kernel has no veth: nothing of it can be tested here. */
bool veth_possible(void);

/* A new namespace with both ends up: set-up of a cmocka test. */
int veth_setup(void **state);

/* Until the kernel has seen that both ends of an interface's cable are up, which it does in its own time. */
void veth_wait(const char *interface);

/* Runs a command by the shell, which must succeed; what it prints is thrown away. */
void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A socket that sends frames from an interface; and hears what comes in there, and nothing of what it sends. */
int veth_socket(const char *interface);

/*
 * A UDP packet in a frame of `len` octets (at least 60), numbered, of a flow or the opposite direction of it. The number is said again
 * by veth_number; -1: it is none of these.
 */
#define VETH_MAX 1514
void veth_frame(uint8_t *out, size_t len, uint32_t number, unsigned flow, bool back);
int64_t veth_number(const uint8_t *frame, size_t len);

/* One by one, of 224 octets; one that the other end had no room for is sent again. Returns how many were sent, those too. */
uint32_t veth_send(int fd, uint32_t first, uint32_t count, unsigned flow, bool back);

#endif
