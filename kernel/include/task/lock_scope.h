/* task/lock_scope.h - the compile-time gate against leaving the kernel with a lock held.
 *
 * Model: lock_scope_t is one byte at file scope. A block that holds a sleeping lock starts with
 * MUTEX_GUARD_SCOPE, which declares a larger type of the same name for the rest of that block.
 * Every call that leaves the kernel and never returns is written ENTER_USER_CHECKED(call); inside a
 * guarded block it does not compile. What the gate cannot see - the lock taken in one function, the
 * call in another - the exit stub finds at run time. tests/unit/lock_scope_bad.c must not compile.
 */
#ifndef TASK_LOCK_SCOPE_H
#define TASK_LOCK_SCOPE_H

#include <lib/compiler.h>

typedef char lock_scope_t[1];

#define MUTEX_GUARD_SCOPE                                                                          \
	_Pragma("clang diagnostic push") _Pragma(                                                  \
		"clang diagnostic ignored \"-Wshadow\"") typedef char lock_scope_t[2] __unused;    \
	_Pragma("clang diagnostic pop") _Static_assert(sizeof(lock_scope_t) == 2, "guarded block")

/* Notes the caller's address as the place where this thread leaves the kernel: what a report shows
 * if a lock turns out to be held. Current thread. */
void __noinline task_leaving_here(void);
/* The caller's address, for the same purpose in a trace record. */
unsigned long __noinline task_here(void);

#define ENTER_USER_CHECKED(call)                                                                   \
	do {                                                                                       \
		_Static_assert(sizeof(lock_scope_t) == 1,                                          \
			       "leaves the kernel inside a block that holds a lock");              \
		task_leaving_here();                                                               \
		call;                                                                              \
	} while (0)

#endif
