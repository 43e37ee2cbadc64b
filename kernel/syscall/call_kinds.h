/* call_kinds.h - the rows of syscalls.def in C. Of an argument's kind: its type (T_) and how the
 * box shows it (S_). Who includes syscalls.def defines before that SYSCALL_ROW(name, n, params,
 * args, shows...) params  (int fd, void __user *buf, size_t n)            of the handler args
 * ((int)a[0], (void __user *)a[1], (size_t)a[2])   from `const u64 *a`, narrowed shows   {"fd",
 * BB_DEC}, {"buf", BB_UPTR}, {"n", BB_UDEC}
 */
#ifndef SYSCALL_CALL_KINDS_H
#define SYSCALL_CALL_KINDS_H

#include <lib/compiler.h>
#include <lib/types.h>
#include <tracing/blackbox.h>

/* clang-format off */
#define T_FD     int
#define T_INT    int
#define T_UINT   unsigned int
#define T_PID    s32
#define T_SIZE   size_t
#define T_OFF    loff_t
#define T_MODE   u32
#define T_FLAGS  unsigned int
#define T_LFLAGS unsigned long
#define T_ADDR   unsigned long
#define T_PTR    void __user *
#define T_CPTR   const void __user *
#define T_STR    const char __user *

#define S_FD     BB_INT
#define S_INT    BB_INT
#define S_UINT   BB_UDEC
#define S_PID    BB_INT
#define S_SIZE   BB_UDEC
#define S_OFF    BB_DEC
#define S_MODE   BB_OCT
#define S_FLAGS  BB_HEX
#define S_LFLAGS BB_HEX
#define S_ADDR   BB_UPTR
#define S_PTR    BB_UPTR
#define S_CPTR   BB_UPTR
#define S_STR    BB_UPTR

#define P_(k, v) T_##k v
#define A_(k, i) (T_##k)a[i]
#define W_(k, v) {#v, S_##k, 0}

#define SYSCALL0(n) SYSCALL_ROW(n, 0, (void), ())
#define SYSCALL1(n, k0, v0) SYSCALL_ROW(n, 1, (P_(k0, v0)), (A_(k0, 0)), W_(k0, v0))
#define SYSCALL2(n, k0, v0, k1, v1) \
	SYSCALL_ROW(n, 2, (P_(k0, v0), P_(k1, v1)), (A_(k0, 0), A_(k1, 1)), W_(k0, v0), W_(k1, v1))
#define SYSCALL3(n, k0, v0, k1, v1, k2, v2) \
	SYSCALL_ROW(n, 3, (P_(k0, v0), P_(k1, v1), P_(k2, v2)), (A_(k0, 0), A_(k1, 1), A_(k2, 2)), \
		    W_(k0, v0), W_(k1, v1), W_(k2, v2))
#define SYSCALL4(n, k0, v0, k1, v1, k2, v2, k3, v3) \
	SYSCALL_ROW(n, 4, (P_(k0, v0), P_(k1, v1), P_(k2, v2), P_(k3, v3)), \
		    (A_(k0, 0), A_(k1, 1), A_(k2, 2), A_(k3, 3)), \
		    W_(k0, v0), W_(k1, v1), W_(k2, v2), W_(k3, v3))
#define SYSCALL5(n, k0, v0, k1, v1, k2, v2, k3, v3, k4, v4) \
	SYSCALL_ROW(n, 5, (P_(k0, v0), P_(k1, v1), P_(k2, v2), P_(k3, v3), P_(k4, v4)), \
		    (A_(k0, 0), A_(k1, 1), A_(k2, 2), A_(k3, 3), A_(k4, 4)), \
		    W_(k0, v0), W_(k1, v1), W_(k2, v2), W_(k3, v3), W_(k4, v4))
#define SYSCALL6(n, k0, v0, k1, v1, k2, v2, k3, v3, k4, v4, k5, v5) \
	SYSCALL_ROW(n, 6, (P_(k0, v0), P_(k1, v1), P_(k2, v2), P_(k3, v3), P_(k4, v4), P_(k5, v5)), \
		    (A_(k0, 0), A_(k1, 1), A_(k2, 2), A_(k3, 3), A_(k4, 4), A_(k5, 5)), \
		    W_(k0, v0), W_(k1, v1), W_(k2, v2), W_(k3, v3), W_(k4, v4), W_(k5, v5))
/* clang-format on */

#endif
