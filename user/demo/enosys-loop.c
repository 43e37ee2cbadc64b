/* enosys-loop.c - a program that does not take no for an answer: it asks again and again for a
 * system call that this kernel does not have. `enosys-loop once` asks once, as any libc does, and
 * then computes as long. Neither ends by itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int asks_in_vain(void)
{
	return syscall(SYS_add_key, 0, 0, 0, 0, 0) < 0 && errno == ENOSYS;
}

int main(int argc, char **argv)
{
	int once = argc > 1 && strcmp(argv[1], "once") == 0;

	printf("enosys-loop begins\n");
	fflush(stdout);
	while (asks_in_vain() && !once)
		;
	while (once)
		;
	printf("enosys-loop: there is such a call\n");
	return 0;
}
