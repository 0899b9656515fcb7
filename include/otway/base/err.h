/*
 * err: why something of the control plane failed, told once, from the outside in:
 * "opening the warrant store: schema is version 7, this program knows 6".
 */
#ifndef OTWAY_BASE_ERR_H
#define OTWAY_BASE_ERR_H

/* The exit codes of the program, which are also the kinds of failure. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_REFUSED = 4,     /* by policy */
	EXIT_PARTLY = 5,      /* an intercepted stream stayed sealed */
	EXIT_UNREACHABLE = 6, /* a peer could not be reached */
	EXIT_INTEGRITY = 7    /* an integrity check failed */
};

struct err {
	enum exit_code code; /* EXIT_FAILED unless said otherwise */
	char text[1024];     /* one sentence, no newline, no identity, no secret */
};

/* Fills err (which may be NULL) and returns -1, so that `return err_set(err, …)` reads well. */
int err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_code(struct err *err, enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "what: " before the text that is there; the code stays. Returns -1. */
int err_in(struct err *err, const char *what, ...) __attribute__((format(printf, 2, 3)));

#endif
