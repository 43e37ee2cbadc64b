/* regs_test.c - every vector register in its full width, and the control registers, belong to one
 * thread: across preemption, system calls, fork on both sides, and not across exec. The registers
 * are filled, held for a while and stored by one piece of assembly, so no compiler is in between.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include "tap.h"

#define BYTES 512u /* 32 registers of 16 bytes, or 16 of 32 */

struct bank {
	unsigned char v[BYTES];
	uint64_t control;
} __attribute__((aligned(64)));

#ifdef __aarch64__

#define ALL "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

static uint64_t control_of(unsigned int n)
{
	return (uint64_t)(n & 3) << 22; /* FPCR: rounding mode */
}

static uint64_t control_now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, fpcr" : "=r"(v));
	return v;
}

static void control_set(uint64_t v)
{
	__asm__ volatile("msr fpcr, %0" : : "r"(v));
}

/* Fills the registers from `from`, computes, makes a system call, computes, stores them in `to`. */
static long hold(const struct bank *from, struct bank *to, unsigned long rounds, long call)
{
	register long x8 __asm__("x8") = call;
	register long x0 __asm__("x0") = SIGCHLD;
	register long x1 __asm__("x1") = 0;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	unsigned long n = rounds, m = rounds;

	__asm__ volatile(
		".irp i," ALL "\n ldr q\\i, [%[from], #16*\\i]\n .endr\n"
		"1: subs %[n], %[n], #1\n b.ne 1b\n"
		"svc #0\n"
		"2: subs %[m], %[m], #1\n b.ne 2b\n"
		".irp i," ALL "\n str q\\i, [%[to], #16*\\i]\n .endr\n"
		: [n] "+r"(n), [m] "+r"(m), "+r"(x0)
		: [from] "r"(from->v), [to] "r"(to->v), "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
		: "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
		  "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
		  "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
	return x0;
}

#else

#define ALL "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"

static uint64_t control_of(unsigned int n)
{
	/* MXCSR and the x87 control word: rounding */
	return (0x1f80 | (uint64_t)(n & 3) << 13) << 16 | 0x37f | (n & 3) << 10;
}

static uint64_t control_now(void)
{
	uint32_t mxcsr;
	uint16_t cw;

	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(mxcsr), "=m"(cw));
	return (uint64_t)(mxcsr & ~0x3fu) << 16 | cw;
}

static void control_set(uint64_t v)
{
	uint32_t mxcsr = (uint32_t)(v >> 16);
	uint16_t cw = (uint16_t)v;

	__asm__ volatile("ldmxcsr %0\n fldcw %1" : : "m"(mxcsr), "m"(cw));
}

static int has_avx(void)
{
	static int known = -1;
	uint32_t a, b, c, d;

	if (known < 0) {
		__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
		known = (c >> 27 & 3) == 3; /* there, and the kernel saves it */
	}
	return known;
}

#define HOLD(load, store)                                                                          \
	__asm__ volatile(".irp i," ALL "\n " load "\n .endr\n"                                     \
			 "1: dec %%r14\n jnz 1b\n"                                                 \
			 "syscall\n"                                                               \
			 "2: dec %%r15\n jnz 2b\n"                                                 \
			 ".irp i," ALL "\n " store "\n .endr\n"                                    \
			 : "+a"(rax), "+r"(n), "+r"(m)                                             \
			 : "r"(in), "r"(out), "D"((long)SIGCHLD), "S"(0l), "d"(0l), "r"(r10),      \
			   "r"(r8)                                                                 \
			 : "memory", "cc", "rcx", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",   \
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",      \
			   "xmm13", "xmm14", "xmm15")

static long hold(const struct bank *from, struct bank *to, unsigned long rounds, long call)
{
	register const unsigned char *in __asm__("r12") = from->v;
	register unsigned char *out __asm__("r13") = to->v;
	register unsigned long n __asm__("r14") = rounds;
	register unsigned long m __asm__("r15") = rounds;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long rax = call;

	if (has_avx()) {
		HOLD("vmovups 32*\\i(%%r12), %%ymm\\i", "vmovups %%ymm\\i, 32*\\i(%%r13)");
		__asm__ volatile("vzeroupper");
	} else {
		memcpy(to->v, from->v, BYTES); /* the upper halves do not exist */
		HOLD("movups 32*\\i(%%r12), %%xmm\\i", "movups %%xmm\\i, 32*\\i(%%r13)");
	}
	return rax;
}

#endif

static void fill(struct bank *b, unsigned int seed)
{
	for (unsigned int i = 0; i < BYTES; i++)
		b->v[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
	b->control = control_of(seed);
}

static int same(const struct bank *a, const struct bank *b)
{
	return memcmp(a->v, b->v, BYTES) == 0;
}

/* Holds its own values for a while, again and again: 0 if they were always there. */
static int keep(unsigned int seed, double seconds)
{
	double end = now_s() + seconds;
	struct bank want, got;
	int rounds = 0;

	do {
		fill(&want, seed + (unsigned int)rounds);
		memset(&got, 0, sizeof(got));
		control_set(want.control);
		hold(&want, &got, 300000, rounds & 1 ? SYS_sched_yield : SYS_getppid);
		got.control = control_now();
		control_set(control_of(0));
		if (!same(&want, &got))
			return 1;
		if (got.control != want.control)
			return 2;
		rounds++;
	} while (now_s() < end);
	return 0;
}

static void test_fork(void)
{
	struct bank want, got;
	int bad = 0, status = -1;

	for (unsigned int i = 0; i < 20; i++) {
		long pid;

		fill(&want, i);
		control_set(want.control);
		pid = hold(&want, &got, 20000, SYS_clone);
		got.control = control_now();
		control_set(control_of(0));
		bad += !same(&want, &got) || got.control != want.control;
		if (pid == 0) {
			struct bank other;

			fill(&other, i + 100); /* nothing that the parent ever sees */
			hold(&other, &got, 1000, SYS_getppid);
			_exit(bad);
		}
		bad += pid < 0 || waitpid((pid_t)pid, &status, 0) != pid || status != 0;
	}
	ok(bad == 0, "parent and child both go on with the same registers");
}

static int run_fresh(void)
{
	char *argv[] = {(char *)"regs_test", (char *)"fresh", NULL};
	struct bank b;

	fill(&b, 3);
	control_set(b.control);
	test_exec(test_path("regs_test"), argv);
	return 127;
}

int main(int argc, char **argv)
{
	pid_t pids[8];
	int bad = 0, status;

	if (argc == 2 && strcmp(argv[1], "fresh") == 0)
		return control_now() != control_of(0);
	fflush(stdout);
	for (unsigned int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(keep(i * 1000 + i, 1.0));
	}
	for (int i = 0; i < 8; i++)
		bad += pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0;
	ok(bad == 0, "eight processes with registers of their own, %d disturbed", bad);
	test_fork();
	status = in_child(run_fresh);
	ok(status == 0, "a new program starts with the default rounding (0x%x)",
	   (unsigned int)status);
	return tap_end();
}
