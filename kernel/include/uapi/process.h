/* process.h - clone flags, wait options, prctl, limits, reboot: Linux UAPI linux/sched.h, wait.h,
 * prctl.h, resource.h, reboot.h. The same on aarch64 and x86-64. */
#ifndef UAPI_PROCESS_H
#define UAPI_PROCESS_H

#include <stdint.h>

#define CSIGNAL              0xffull
#define CLONE_VM             0x100ull
#define CLONE_VFORK          0x4000ull
#define CLONE_SETTLS         0x80000ull
#define CLONE_PARENT_SETTID  0x100000ull
#define CLONE_CHILD_CLEARTID 0x200000ull
#define CLONE_DETACHED       0x400000ull /* ignored since Linux 2.6.2 */
#define CLONE_CHILD_SETTID   0x1000000ull

#define WNOHANG    1
#define WUNTRACED  2
#define WCONTINUED 8
#define WNOTHREAD  0x20000000
#define WALL       0x40000000
#define WCLONE     0x80000000

enum { PR_SET_NAME = 15, PR_GET_NAME = 16 };
#define PR_NAME_LEN 16

enum {
	RLIMIT_CPU,
	RLIMIT_FSIZE,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_CORE,
	RLIMIT_RSS,
	RLIMIT_NPROC,
	RLIMIT_NOFILE,
	RLIMIT_MEMLOCK,
	RLIMIT_AS,
	RLIMIT_LOCKS,
	RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE,
	RLIMIT_NICE,
	RLIMIT_RTPRIO,
	RLIMIT_RTTIME,
	RLIM_NLIMITS
};
#define RLIM_INFINITY (~0ull)
struct rlimit64 {
	uint64_t cur, max;
};

#define REBOOT_MAGIC1    0xfee1deadu
#define REBOOT_MAGIC2    672274793u
#define REBOOT_HALT      0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu

struct user_timespec {
	int64_t sec, nsec;
};
struct user_timeval {
	int64_t sec, usec;
};
struct user_rusage { /* 144 bytes */
	struct user_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock;
	int64_t msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
struct user_tms {
	int64_t utime, stime, cutime, cstime;
};
#define USER_HZ 100u

struct user_sysinfo { /* 112 bytes on 64-bit machines */
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint32_t pad2;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
	uint32_t pad3;
};
struct user_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
struct user_iovec {
	uint64_t base, len;
};
#define IOV_MAX 1024
_Static_assert(sizeof(struct user_rusage) == 144, "Linux struct rusage");
_Static_assert(sizeof(struct user_sysinfo) == 112, "Linux struct sysinfo");

enum {
	CLOCK_REALTIME,
	CLOCK_MONOTONIC,
	CLOCK_PROCESS_CPUTIME_ID,
	CLOCK_THREAD_CPUTIME_ID,
	CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE,
	CLOCK_BOOTTIME
};
#define TIMER_ABSTIME 1

struct user_dirent64 { /* followed by the name */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
} __attribute__((packed));

#endif
