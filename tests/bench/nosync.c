/*
 * nosync: preloaded, takes the syncing of the disk away from a program, so that its cost can be told. For measuring alone: what is
 * written so is not durable.
 */
#include <unistd.h>

int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}
