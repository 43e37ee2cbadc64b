/* vdso_test.c - the vDSO: found as C libraries find it, right in every clock, never behind or ahead
 * of the system call, private to who writes it. */
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include "tap.h"

#ifdef __x86_64__
#define PREFIX  "__vdso_"
#define VERSION "LINUX_2.6"
#else
#define PREFIX  "__kernel_"
#define VERSION "LINUX_2.6.39"
#endif

static struct {
	const char *base;
	const Elf64_Sym *syms;
	const char *strings;
	const uint16_t *versions;
	const Elf64_Verdef *defs;
	uint32_t nsyms;
} so;

static int load(unsigned long ehdr)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)ehdr;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *dyn = NULL;

	if (!ehdr || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return 0;
	ph = (const Elf64_Phdr *)(ehdr + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !so.base)
			so.base = (const char *)(ehdr + ph[i].p_offset - ph[i].p_vaddr);
		else if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(ehdr + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *p = so.base + dyn->d_un.d_ptr;

		if (dyn->d_tag == DT_SYMTAB)
			so.syms = p;
		else if (dyn->d_tag == DT_STRTAB)
			so.strings = p;
		else if (dyn->d_tag == DT_VERSYM)
			so.versions = p;
		else if (dyn->d_tag == DT_VERDEF)
			so.defs = p;
		else if (dyn->d_tag == DT_HASH)
			so.nsyms = ((const uint32_t *)p)[1];
	}
	return so.syms && so.strings && so.versions && so.defs && so.nsyms;
}

static const char *version_of(uint32_t sym)
{
	const Elf64_Verdef *d = so.defs;

	while (d->vd_ndx != (so.versions[sym] & 0x7fff)) {
		if (!d->vd_next)
			return "";
		d = (const Elf64_Verdef *)((const char *)d + d->vd_next);
	}
	return so.strings + ((const Elf64_Verdaux *)((const char *)d + d->vd_aux))->vda_name;
}

static void *find(const char *name)
{
	for (uint32_t i = 1; i < so.nsyms; i++)
		if (!strcmp(so.strings + so.syms[i].st_name, name) &&
		    !strcmp(version_of(i), VERSION))
			return (void *)(so.base + so.syms[i].st_value);
	return NULL;
}

static long long ns_of(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

/* Between two system calls the vDSO's time lies between theirs. Coarse clocks may lag on Linux. */
static void compare(int (*get)(clockid_t, struct timespec *), clockid_t clock, const char *name)
{
	struct timespec a, v, b;
	int bad = 0;

	for (int i = 0; i < 1000; i++) {
		if (syscall(SYS_clock_gettime, clock, &a) || get(clock, &v) ||
		    syscall(SYS_clock_gettime, clock, &b))
			bad++;
		else if (ns_of(&a) > ns_of(&v) || ns_of(&v) > ns_of(&b) || v.tv_nsec < 0 ||
			 v.tv_nsec > 999999999)
			bad++;
	}
	ok(bad == 0, "%s: %d of 1000 out of order", name, bad);
}

static unsigned long image;

static int write_own_copy(void)
{
	if (mprotect((void *)image, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
		((volatile unsigned char *)image)[9] = 0x5a; /* e_ident padding */
	return 0;
}

int main(void)
{
	int (*get)(clockid_t, struct timespec *), (*res)(clockid_t, struct timespec *);
	int (*day)(struct timeval *, void *);
	struct timespec t, s;
	struct timeval tv;
	time_t before;

	image = getauxval(AT_SYSINFO_EHDR);
	if (!image && wrapped()) {
		ok(1, "the vDSO # SKIP qemu-user shows none");
		return tap_end();
	}
	if (!ok(load(image), "AT_SYSINFO_EHDR is an ELF image with symbols and versions"))
		return tap_end();
	get = (int (*)(clockid_t, struct timespec *))find(PREFIX "clock_gettime");
	res = (int (*)(clockid_t, struct timespec *))find(PREFIX "clock_getres");
	day = (int (*)(struct timeval *, void *))find(PREFIX "gettimeofday");
	ok(get && res && day, "clock_gettime, clock_getres, gettimeofday of " VERSION);
	if (!get || !res || !day)
		return tap_end();
	compare(get, CLOCK_REALTIME, "realtime");
	compare(get, CLOCK_MONOTONIC, "monotonic");
	compare(get, CLOCK_MONOTONIC_RAW, "monotonic raw");
	compare(get, CLOCK_BOOTTIME, "boottime");
	compare(get, CLOCK_PROCESS_CPUTIME_ID, "process CPU time, by the system call");
	ok(get(CLOCK_REALTIME_COARSE, &t) == 0 && get(CLOCK_MONOTONIC_COARSE, &s) == 0 &&
		   ns_of(&t) > ns_of(&s),
	   "coarse clocks");
	ok(get(77, &t) == -EINVAL, "an unknown clock is -EINVAL");
	ok(res(CLOCK_MONOTONIC, &t) == 0 && syscall(SYS_clock_getres, CLOCK_MONOTONIC, &s) == 0 &&
		   ns_of(&t) == ns_of(&s) && res(CLOCK_REALTIME, NULL) == 0,
	   "resolution as the system call has it");
	before = time(NULL);
	ok(day(&tv, NULL) == 0 && tv.tv_sec >= before && tv.tv_sec <= time(NULL) + 1 &&
		   tv.tv_usec >= 0 && tv.tv_usec < 1000000,
	   "gettimeofday");
#ifdef __x86_64__
	time_t (*now)(time_t *) = (time_t(*)(time_t *))find(PREFIX "time"), at = 0;
	ok(now && now(&at) == at && at >= before && at <= before + 60, "time");
#else
	const uint32_t *code = find("__kernel_rt_sigreturn");
	ok(code && code[0] == 0xd2801168 && code[1] == 0xd4000001,
	   "rt_sigreturn: mov x8, #139; svc #0");
#endif
	in_child(write_own_copy); /* some kernels refuse it */
	ok(((volatile unsigned char *)image)[9] != 0x5a,
	   "what a process writes into its copy nobody else sees");
	return tap_end();
}
