/* host.h - what tests ask of the hosted kernel. */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <lib/types.h>
#include <tracing/blackbox.h>

/* Builds the black box for n CPUs and registers all lock classes. Once, before host_run(). */
void host_init(unsigned int n);
/* Runs fn(arg) on CPUs 0 to n-1, each a thread of this process, and waits until all have returned.
 * A thread that parks sleeps until it is unparked. */
void host_run(unsigned int n, void (*fn)(void *arg), void *arg);
/* As host_run, but comes back after ms milliseconds even if some do not return; the number of those
 * that did. They stay as they are: the process must not call host_run() again. */
unsigned int host_run_for(unsigned int n, unsigned int ms, void (*fn)(void *arg), void *arg);
/* For a test of one thread: builds the box for one CPU, and the caller is the thread on it. Whoever
 * would sleep, would sleep for ever: that ends the program, and so does a finding of the tracker.
 */
void host_single(void);
/* Marks the CPU's thread for death: ends its killable waits, as thread_kill() does. It stays
 * marked. */
void host_kill(unsigned int cpu);
/* Findings of the tracker since host_init(), and the verdict of the last one. */
unsigned int host_reports(u32 *verdict);
/* Locks that the CPUs' threads hold now, all together. */
unsigned int host_locks_held(void);

/* All messages since host_log_clear(); also on stderr unless quiet. */
extern char host_log[65536];
extern bool host_quiet;
void host_log_clear(void);
/* Where a panic continues, NULL: it ends the program; and what it said. */
extern jmp_buf *host_panic;
extern char host_panic_text[160];
void host_console_init(void); /* by host_init() */

#endif
