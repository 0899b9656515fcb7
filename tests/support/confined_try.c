/* confined_try: a confined program that tries what its one letter of input says, and answers when it could. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/delivery/confined.h"

static void try(char what)
{
	switch (what) {
	case 'o':
		open("/", O_RDONLY);
		break;
	case 'm':
		mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		break;
	case 'w':
		if (write(STDERR_FILENO, "x", 1) < 0)
			break;
		break;
	case 'f':
		fork();
		break;
	case 's':
		socket(AF_INET, SOCK_DGRAM, 0);
		break;
	default:
		break;
	}
}

int main(void)
{
	char what;

	if (!confined_begin() || !confined_read(STDIN_FILENO, &what, 1))
		return 1;
	try(what);
	confined_write(STDIN_FILENO, bytes_of("echo"));
	_exit(0);
}
