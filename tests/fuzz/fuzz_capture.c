/* capture: a file of any kind. Whatever it is, frames come out in order of nothing but the file, and it comes to an end. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "otway/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *c = NULL;
	struct frame f;
	char path[64];
	const char *name = path;
	uint64_t frames = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_open_files(&c, &name, 1, false, NULL, NULL) == 0)
		while (capture_next(c, &f, NULL) == 1) {
			if (f.bytes.len > size || f.wire_len < f.bytes.len || ++frames > size)
				abort();
			for (size_t i = 0; i < f.bytes.len; i++) /* every octet is there to be read */
				(void)((const volatile uint8_t *)f.bytes.at)[i];
		}
	capture_free(c);
	close(fd);
	return 0;
}
