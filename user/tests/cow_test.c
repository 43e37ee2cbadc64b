/* cow_test.c - copy on write: parent and child see their own pages, also over generations and when
 * many write at once. */
#include <sys/mman.h>
#include "tap.h"

#define PAGES 128
static unsigned char *area;

static int all_are(unsigned char v)
{
	for (int i = 0; i < PAGES * 4096; i += 512)
		if (area[i] != v)
			return 0;
	return 1;
}

static void fill(unsigned char v)
{
	for (int i = 0; i < PAGES * 4096; i += 512)
		area[i] = v;
}

static int child_fills(void)
{
	if (!all_are(1))
		return 1;
	fill(2);
	return all_are(2) ? 0 : 2;
}

static int child_only_reads(void)
{
	sleep_ms(30);
	return all_are(1) ? 0 : 1;
}

static int generations(void)
{
	for (unsigned char g = 10; g < 16; g++) {
		pid_t pid;
		int status;

		fill(g);
		pid = fork();
		if (pid != 0)
			return waitpid(pid, &status, 0) == pid && status == 0 && all_are(g) ? 0 : 1;
	}
	return 0;
}

int main(void)
{
	pid_t pids[6];
	int bad = 0, status;

	area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!ok(area != MAP_FAILED, "memory"))
		return tap_end();
	fill(1);
	ok(in_child(child_fills) == 0, "the child sees 1 and writes 2");
	ok(all_are(1), "the parent still sees 1");
	fflush(stdout);
	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(child_only_reads());
	}
	fill(3);
	for (int i = 0; i < 6; i++)
		bad += pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0;
	ok(bad == 0, "six children still see 1 while the parent wrote 3");
	ok(all_are(3), "the parent sees 3");
	fill(1);
	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(child_fills());
	}
	for (bad = 0;
	     bad < 6 && pids[bad] > 0 && waitpid(pids[bad], &status, 0) == pids[bad] && !status;)
		bad++;
	ok(bad == 6, "six children write at once");
	ok(all_are(1), "the parent saw none of it");
	ok(in_child(generations) == 0, "six generations");
	return tap_end();
}
