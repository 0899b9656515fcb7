/*
 * http: client and server speak on loopback, each with real certificates of two CAs that do not know each other. The folder
 * of certificates is the argument (made by support/certs.py).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *certs;

struct files {
	char ca[512], cert[512], key[512];
	struct tls_files tls;
};

static struct tls_files *files_of(struct files *f, const char *ca, const char *authority, const char *person)
{
	snprintf(f->ca, sizeof(f->ca), "%s/%s.ca.pem", certs, ca);
	snprintf(f->cert, sizeof(f->cert), "%s/%s.%s.pem", certs, authority, person);
	snprintf(f->key, sizeof(f->key), "%s/%s.%s.key", certs, authority, person);
	f->tls = (struct tls_files){ f->ca, f->cert, f->key };
	return &f->tls;
}

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	unsigned served, replies, wanted, status;
	bool trusted, silent;
	char seen[256], body[256];
	char url[64];
};

static void serve(void *arg, const struct http_request *in, struct http_answer *out)
{
	struct scene *s = arg;

	s->served++;
	snprintf(s->seen, sizeof(s->seen), "%s %s?%s %s from %s: %.*s", in->method, in->path, in->query, in->type,
		in->peer, (int)in->body.len, (const char *)in->body.at);
	out->status = 200;
	out->type = "text/plain";
	buf_printf(&out->body, "answer %u", s->served);
}

static void replied(void *arg, const struct http_reply *r)
{
	struct scene *s = arg;

	s->replies++;
	s->status = r->status;
	s->trusted = r->trusted;
	snprintf(s->body, sizeof(s->body), "%.*s", (int)r->body.len, (const char *)r->body.at);
	if (s->replies == s->wanted)
		loop_stop(s->loop);
}

static void serve_at(struct scene *s, const char *where, const char *authority, const char *person)
{
	struct files f;
	struct err err;

	assert_int_equal(http_server_new(&s->server, s->loop, where, files_of(&f, authority, authority, person), 4096,
				 serve, s, &err),
		0);
	snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u/base/", http_server_port(s->server));
}

static void begin(struct scene *s, const char *authority, const char *person)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop_new();
	assert_non_null(s->loop);
	serve_at(s, "127.0.0.1:0", authority, person);
}

static void client_as(struct scene *s, const char *ca, const char *authority, const char *person)
{
	struct files f;
	struct err err;

	assert_int_equal(http_client_new(&s->client, s->loop, s->url, files_of(&f, ca, authority, person), &err), 0);
}

static void client_of(struct scene *s, const char *ca, const char *authority)
{
	client_as(s, ca, authority, "li");
}

static void post(struct scene *s, unsigned count, nsec_t timeout)
{
	s->replies = 0;
	s->wanted = count;
	s->status = 999;
	for (unsigned i = 0; i < count; i++)
		assert_true(http_post(s->client, "/keys?x=1", "application/json", bytes_of("{}"), timeout, replied, s));
	loop_run(s->loop, loop_now() + 20 * NSEC_PER_SEC);
	assert_int_equal(s->replies, count);
}

static void end(struct scene *s)
{
	http_client_free(s->client);
	http_server_free(s->server);
	loop_free(s->loop);
}

static void a_request_gets_its_answer(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "one", "kms");
	client_of(&s, "one", "one");
	post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.status, 200);
	assert_true(s.trusted);
	assert_string_equal(s.seen, "POST /base/keys?x=1 application/json from li: {}");
	assert_string_equal(s.body, "answer 1");
	end(&s);
}

static void many_requests_at_once_and_one_after_the_other(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "one", "kms");
	client_of(&s, "one", "one");
	post(&s, 100, NSEC_PER_SEC * 15);
	for (int i = 0; i < 20; i++)
		post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.served, 120);
	assert_int_equal(s.status, 200);
	end(&s);
}

static void a_server_of_another_ca_is_told_nothing(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "other", "kms");
	client_of(&s, "one", "other");
	post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.status, 0);
	assert_false(s.trusted);
	assert_int_equal(s.served, 0);
	end(&s);
}

static void a_certificate_for_another_name_is_not_believed(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "one", "elsewhere");
	client_of(&s, "one", "one");
	post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.status, 0);
	assert_false(s.trusted);
	assert_int_equal(s.served, 0);
	end(&s);
}

static void a_client_of_another_ca_is_refused_by_the_server(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "one", "kms");
	client_of(&s, "one", "other");
	post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.status, 0);
	assert_true(s.trusted); /* it was the server who broke off */
	assert_int_equal(s.served, 0);
	end(&s);
}

/* Which of two names a CA has looked at, nobody knows. */
static void a_client_without_one_name_is_nobody(void **state)
{
	static const char *const persons[] = { "unnamed", "double" };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&s, "one", "kms");
		client_as(&s, "one", "one", persons[i]);
		post(&s, 1, NSEC_PER_SEC * 10);
		assert_int_equal(s.status, 403);
		assert_int_equal(s.served, 0);
		end(&s);
	}
}

/* A connection to the server that says nothing. */
static int silent_guest(const struct scene *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(s->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void who_says_nothing_is_hung_up_on(void **state)
{
	const struct guest_limits limits = { 8, NSEC_PER_SEC / 5, NSEC_PER_SEC * 60 };
	struct scene s;
	char heard;
	int fd;

	(void)state;
	begin(&s, "one", "kms");
	http_server_limit(s.server, &limits);
	fd = silent_guest(&s);
	loop_run(s.loop, loop_now() + 3 * NSEC_PER_SEC);
	assert_int_equal(recv(fd, &heard, 1, MSG_DONTWAIT), 0);
	close(fd);
	end(&s);
}

static void so_many_come_in_at_once_and_the_others_wait(void **state)
{
	const struct guest_limits limits = { 2, NSEC_PER_SEC, NSEC_PER_SEC * 60 };
	struct scene s;
	int fds[2];
	nsec_t began = loop_now();

	(void)state;
	begin(&s, "one", "kms");
	http_server_limit(s.server, &limits);
	for (int i = 0; i < 2; i++)
		fds[i] = silent_guest(&s);
	loop_run(s.loop, loop_now() + NSEC_PER_SEC / 10);
	client_of(&s, "one", "one");
	post(&s, 1, NSEC_PER_SEC * 10);
	assert_int_equal(s.status, 200);
	assert_true(loop_now() - began >= limits.handshake);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	end(&s);
}

/* A body of a thousand octets, ten a second, over TLS with a good certificate. */
static void say_slowly(const struct scene *s)
{
	char line[2048];

	snprintf(line, sizeof(line),
		"{ printf 'POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1000\\r\\n\\r\\n';"
		" for i in $(seq 100); do printf x || exit; sleep 0.1; done; } 2>/dev/null |"
		" exec openssl s_client -quiet -connect 127.0.0.1:%u -CAfile %s/one.ca.pem -cert %s/one.li.pem -key "
		"%s/one.li.key"
		" >/dev/null 2>&1",
		http_server_port(s->server), certs, certs, certs);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

static void who_says_it_slowly_is_hung_up_on(void **state)
{
	const struct guest_limits limits = { 8, NSEC_PER_SEC * 30, NSEC_PER_SEC };
	struct scene s;
	nsec_t began = loop_now();
	pid_t pid;
	int status;

	(void)state;
	begin(&s, "one", "kms");
	http_server_limit(s.server, &limits);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		say_slowly(&s);
	while (waitpid(pid, &status, WNOHANG) == 0 && loop_now() - began < 8 * NSEC_PER_SEC)
		loop_run(s.loop, loop_now() + NSEC_PER_SEC / 10);
	assert_true(loop_now() - began >= limits.silence);
	assert_true(loop_now() - began < 8 * NSEC_PER_SEC);
	assert_int_equal(s.served, 0);
	end(&s);
}

/* A socket that listens on loopback; nothing is ever accepted from it, the kernel lets connections in. */
static int plain_listener(unsigned *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void who_never_answers_is_given_up(void **state)
{
	struct scene s;
	unsigned port;
	int fd = plain_listener(&port);
	nsec_t began;

	(void)state;
	begin(&s, "one", "kms");
	snprintf(s.url, sizeof(s.url), "https://127.0.0.1:%u", port);
	client_of(&s, "one", "one");
	began = loop_now();
	post(&s, 3, NSEC_PER_SEC / 5);
	assert_true(loop_now() - began >= NSEC_PER_SEC / 6); /* the loop counts from the beginning of its turn */
	assert_int_equal(s.status, 0);
	assert_true(s.trusted);
	close(fd);
	end(&s);
}

static void nobody_there_is_no_answer(void **state)
{
	struct scene s;
	unsigned port;

	(void)state;
	begin(&s, "one", "kms");
	close(plain_listener(&port));
	snprintf(s.url, sizeof(s.url), "https://127.0.0.1:%u", port);
	client_of(&s, "one", "one");
	post(&s, 1, NSEC_PER_SEC * 5);
	assert_int_equal(s.status, 0);
	assert_true(s.trusted);
	end(&s);
}

static void garbage_instead_of_tls_is_no_answer(void **state)
{
	struct scene s;
	unsigned port;
	int fd = plain_listener(&port);

	(void)state;
	begin(&s, "one", "kms");
	snprintf(s.url, sizeof(s.url), "https://127.0.0.1:%u", port);
	client_of(&s, "one", "one");
	if (fork() == 0) {
		static const char junk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
		int peer = accept(fd, NULL, NULL);
		char heard[4096];

		if (read(peer, heard, sizeof(heard)) > 0 && write(peer, junk, sizeof(junk) - 1) > 0)
			usleep(300000);
		_exit(0);
	}
	post(&s, 1, NSEC_PER_SEC * 5);
	assert_int_equal(s.status, 0);
	close(fd);
	end(&s);
}

static void a_server_that_comes_back_is_found_again(void **state)
{
	struct scene s;
	char where[64];

	(void)state;
	begin(&s, "one", "kms");
	client_of(&s, "one", "one");
	post(&s, 1, NSEC_PER_SEC * 5);
	snprintf(where, sizeof(where), "127.0.0.1:%u", http_server_port(s.server));
	http_server_free(s.server);
	s.server = NULL;
	post(&s, 1, NSEC_PER_SEC * 5);
	assert_int_equal(s.status, 0);
	serve_at(&s, where, "one", "kms");
	post(&s, 1, NSEC_PER_SEC * 5);
	assert_int_equal(s.status, 200);
	end(&s);
}

static void a_body_that_is_too_long_is_refused(void **state)
{
	struct scene s;
	static uint8_t big[65536];

	(void)state;
	begin(&s, "one", "kms");
	client_of(&s, "one", "one");
	s.wanted = 1;
	assert_true(http_post(
		s.client, "/keys", "text/plain", (struct bytes){ big, sizeof(big) }, NSEC_PER_SEC * 5, replied, &s));
	loop_run(s.loop, loop_now() + 10 * NSEC_PER_SEC);
	assert_int_equal(s.replies, 1);
	assert_int_not_equal(s.status, 200);
	assert_int_equal(s.served, 0);
	end(&s);
}

static void what_is_under_way_ends_with_the_client(void **state)
{
	struct scene s;
	unsigned port;
	int fd = plain_listener(&port);

	(void)state;
	begin(&s, "one", "kms");
	snprintf(s.url, sizeof(s.url), "https://127.0.0.1:%u", port);
	client_of(&s, "one", "one");
	s.status = 999;
	assert_true(http_post(s.client, "/keys", "text/plain", bytes_of("x"), NSEC_PER_SEC * 5, replied, &s));
	loop_run(s.loop, loop_now() + NSEC_PER_SEC / 10);
	http_client_free(s.client);
	s.client = NULL;
	assert_int_equal(s.replies, 1);
	assert_int_equal(s.status, 0);
	close(fd);
	end(&s);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
	struct scene s;
	struct files f;
	struct err err;
	struct http_client *client = NULL;

	(void)state;
	begin(&s, "one", "kms");
	files_of(&f, "one", "one", "elsewhere");
	assert_int_equal(chmod(f.key, 0644), 0);
	assert_int_equal(http_client_new(&client, s.loop, s.url, &f.tls, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	assert_int_equal(chmod(f.key, 0600), 0);
	end(&s);
}

static void a_key_that_is_not_the_certificates_is_named(void **state)
{
	struct scene s;
	struct files f, g;
	struct err err;
	struct http_client *client = NULL;

	(void)state;
	begin(&s, "one", "kms");
	files_of(&f, "one", "one", "li");
	files_of(&g, "one", "one", "kms");
	f.tls.key = g.tls.key;
	assert_int_equal(http_client_new(&client, s.loop, s.url, &f.tls, &err), -1);
	assert_non_null(strstr(err.text, "is not that of the certificate"));
	f.tls.key = f.key;
	f.tls.ca = g.tls.key;
	assert_int_equal(http_client_new(&client, s.loop, s.url, &f.tls, &err), -1);
	assert_non_null(strstr(err.text, "no CA certificate"));
	end(&s);
}

static void only_https_with_a_host_is_a_url(void **state)
{
	static const char *const wrong[] = { "http://127.0.0.1/", "https://", "https://:443", "https://user@host/",
		"https://h:99999", "https://h/?q", "https://[::1", "https://h:x", "ftp://h" };
	struct scene s;
	struct files f;
	struct err err;

	(void)state;
	begin(&s, "one", "kms");
	files_of(&f, "one", "one", "li");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct http_client *client = NULL;

		assert_int_equal(http_client_new(&client, s.loop, wrong[i], &f.tls, &err), -1);
		assert_int_equal(err.code, EXIT_USAGE);
	}
	end(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_gets_its_answer),
		cmocka_unit_test(many_requests_at_once_and_one_after_the_other),
		cmocka_unit_test(a_server_of_another_ca_is_told_nothing),
		cmocka_unit_test(a_certificate_for_another_name_is_not_believed),
		cmocka_unit_test(a_client_of_another_ca_is_refused_by_the_server),
		cmocka_unit_test(a_client_without_one_name_is_nobody),
		cmocka_unit_test(who_says_nothing_is_hung_up_on),
		cmocka_unit_test(so_many_come_in_at_once_and_the_others_wait),
		cmocka_unit_test(who_says_it_slowly_is_hung_up_on),
		cmocka_unit_test(who_never_answers_is_given_up),
		cmocka_unit_test(nobody_there_is_no_answer),
		cmocka_unit_test(garbage_instead_of_tls_is_no_answer),
		cmocka_unit_test(a_server_that_comes_back_is_found_again),
		cmocka_unit_test(a_body_that_is_too_long_is_refused),
		cmocka_unit_test(what_is_under_way_ends_with_the_client),
		cmocka_unit_test(a_key_that_others_may_read_is_refused),
		cmocka_unit_test(a_key_that_is_not_the_certificates_is_named),
		cmocka_unit_test(only_https_with_a_host_is_a_url),
	};

	certs = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
