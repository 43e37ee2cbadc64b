/* sched_ktest.h - what the scheduler's tests share. */
#ifndef SCHED_KTEST_H
#define SCHED_KTEST_H

#include <lib/types.h>

/* A kernel thread's function: sleeps whenever it is left alone. In sched_ktest.c. */
void park_until_stopped(void *arg);

#endif
