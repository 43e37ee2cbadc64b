/* signal.h - Linux signal numbers and the kernel's sigaction, the same on aarch64 and x86-64
 * (asm-generic/signal.h, x86 asm/signal.h; both have sa_restorer). */
#ifndef UAPI_SIGNAL_H
#define UAPI_SIGNAL_H

#include <stdint.h>

enum {
	SIGHUP = 1,
	SIGINT,
	SIGQUIT,
	SIGILL,
	SIGTRAP,
	SIGABRT,
	SIGBUS,
	SIGFPE,
	SIGKILL,
	SIGUSR1,
	SIGSEGV,
	SIGUSR2,
	SIGPIPE,
	SIGALRM,
	SIGTERM,
	SIGSTKFLT,
	SIGCHLD,
	SIGCONT,
	SIGSTOP,
	SIGTSTP,
	SIGTTIN,
	SIGTTOU,
	SIGURG,
	SIGXCPU,
	SIGXFSZ,
	SIGVTALRM,
	SIGPROF,
	SIGWINCH,
	SIGIO,
	SIGPWR,
	SIGSYS
};
#define NSIG         64
#define SIG_BIT(sig) (1ull << ((sig)-1))

#define SIG_DFL      0ull
#define SIG_IGN      1ull
#define SA_NOCLDWAIT 2ull
#define SA_ONSTACK   0x08000000ull

enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };

struct sig_action { /* struct kernel_sigaction: 32 bytes */
	uint64_t handler, flags, restorer, mask;
};

#endif
