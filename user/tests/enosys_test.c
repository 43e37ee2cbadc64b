/* enosys_test.c - numbers that no kernel has say ENOSYS and harm nobody. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include "tap.h"

int main(void)
{
	static const long numbers[] = {463 + 500, 999, 1023, 1024, 4096, 65535, 0x3fffffff};
	int good = 0, n = (int)(sizeof(numbers) / sizeof(numbers[0]));
	pid_t me = getpid();

	for (int i = 0; i < n; i++) {
		errno = 0;
		if (syscall(numbers[i], 1, 2, 3, 4, 5, 6) == -1 && errno == ENOSYS)
			good++;
		else
			printf("#   %ld: errno %d\n", numbers[i], errno);
	}
	ok(good == n, "%d of %d unknown numbers: ENOSYS", good, n);
	ok(getpid() == me, "and the program goes on");
	return tap_end();
}
