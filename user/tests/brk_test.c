/* brk_test.c - the program break moves, its memory is zero, shrinking gives it back. */
#include <sys/syscall.h>
#include "tap.h"

static char *at;

static int touch(void)
{
	return *(volatile char *)at & 0;
}

int main(void)
{
	char *start = (char *)syscall(SYS_brk, 0), *end;
	int zero = 1, status;

	ok(start != NULL, "brk(0) tells the break");
	end = (char *)syscall(SYS_brk, start + 100000);
	ok(end == start + 100000, "it grows by 100000");
	for (int i = 0; i < 100000; i++)
		zero &= start[i] == 0;
	ok(zero, "the new memory is zero");
	memset(start, 'x', 100000);
	end = (char *)syscall(SYS_brk, start);
	ok(end == start, "it shrinks");
	at = (char *)(((unsigned long)start + 4095) & ~4095ul) + 8192;
	status = in_child(touch);
	/* qemu-user keeps the pages of a shrunk break mapped. */
	ok(wrapped() || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV),
	   "what it gave back is gone");
	end = (char *)syscall(SYS_brk, start + 20000);
	zero = 1;
	for (char *c = (char *)(((unsigned long)start + 4095) & ~4095ul); c < start + 20000; c++)
		zero &= *c == 0;
	ok(end == start + 20000 && zero, "grown again it is zero again");
	ok((char *)syscall(SYS_brk, 1) == end, "an impossible break changes nothing");
	return tap_end();
}
