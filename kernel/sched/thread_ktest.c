/* thread_ktest.c - birth and death of threads: what an entry of the task table says from the first
 * moment, and that nothing of a thread stays behind. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <arch/cpu.h>
#include <tracing/tracker.h>
#include "sched_private.h"

#define LONG_NAME "a name that is much longer than an entry has room for"

static void nothing(void *arg)
{
}

static u32 entries_used(void)
{
	u32 n = 0;

	for (u32 i = 0; i < track_tables.ntasks; i++)
		n += READ_ONCE(track_tables.tasks[i].state) != BB_ST_NONE;
	return n;
}

KTEST(an_entry_says_who_it_is)
{
	u64 before = arch_ticks();
	struct thread *t = thread_create(LONG_NAME, nothing, NULL, 0, 7);
	struct bb_task *b;

	KT_ASSERT(!IS_ERR(t));
	b = t->bb;
	KT_ASSERT(b == &track_tables.tasks[t->slot]);
	KT_EQ(b->state, BB_ST_NEW);
	KT_EQ(b->ident_seq % 2, 0);
	KT_EQ(strlen(b->name), BB_NAME_LEN - 1);
	KT_ASSERT(!strncmp(b->name, LONG_NAME, BB_NAME_LEN - 1));
	KT_ASSERT(b->tid >= 2 && b->pid == 0 && b->ppid == 7);
	KT_EQ(b->flags, BB_TASK_KTHREAD);
	KT_EQ(b->stack_base, t->kstack_base);
	KT_EQ(b->stack_top - b->stack_base, KSTACK_SIZE);
	KT_ASSERT(!kstack_is_guard(b->stack_base) && !kstack_is_guard(b->stack_top - 1));
	KT_ASSERT(b->start_ticks >= before && b->start_ticks <= arch_ticks());
	KT_EQ(b->since, b->start_ticks);
	KT_EQ(b->syscall, -1);
	KT_EQ(b->prio, 120);
	KT_EQ(t->hold.owner, t->slot + 1);

	thread_set_name(t, "short");
	KT_EQ(strcmp(b->name, "short"), 0);
	for (unsigned int i = 5; i < BB_NAME_LEN; i++)
		KT_EQ(b->name[i], 0);
	KT_EQ(b->ident_seq % 2, 0);
	thread_put(t);
}

/* A process's first thread has its number; its entry is not a kernel thread's. */
KTEST(a_process_has_its_own_number)
{
	u32 pid = tid_alloc();
	struct thread *t = thread_create("ktest-proc", nothing, NULL, pid, 1);

	KT_ASSERT(!IS_ERR(t));
	KT_EQ(t->bb->tid, pid);
	KT_EQ(t->bb->pid, pid);
	KT_EQ(t->bb->flags & BB_TASK_KTHREAD, 0);
	thread_put(t);
}

/* The last reference clears the entry, in the order that a reader of a dump relies on: its number
 * of changes goes on, and the slot is not given away again at once. */
KTEST(the_last_reference_clears_the_entry)
{
	struct thread *t = thread_create("ktest-gone", nothing, NULL, 0, 0), *next;
	struct bb_task *b;
	u32 seq, slot;

	KT_ASSERT(!IS_ERR(t));
	b = t->bb;
	slot = t->slot;
	seq = b->ident_seq;
	thread_get(t);
	thread_put(t);
	KT_EQ(b->state, BB_ST_NEW);
	KT_EQ(b->ident_seq, seq);
	thread_put(t);
	KT_EQ(b->state, BB_ST_NONE);
	KT_ASSERT(b->ident_seq > seq && b->ident_seq % 2 == 0);
	KT_EQ(b->sched_seq % 2, 0);
	KT_EQ(b->tid | b->stack_base | b->stack_top | b->switch_sp | (u64)b->name[0], 0);
	next = thread_create("ktest-next", nothing, NULL, 0, 0);
	KT_ASSERT(!IS_ERR(next) && next->slot != slot && next->slot != 0);
	thread_put(next);
}

KTEST(numbers_are_new)
{
	u32 last = tid_alloc();

	for (int i = 0; i < 100; i++) {
		u32 n = tid_alloc();

		KT_ASSERT(n > last); /* nobody has made 2^30 of them yet */
		last = n;
	}
}

/* Threads that end by themselves, or are stopped, leave no entry and no stack. */
KTEST(the_dead_leave_nothing)
{
	u32 used = 0;
	u64 total, before = 0, left, limit;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 60; i++) {
			struct thread *t = i % 2 ? kthread_run("ktest-dead", nothing, NULL)
						 : thread_create("ktest-dead", nothing, NULL, 0, 0);

			KT_ASSERT(!IS_ERR(t));
			if (i % 2)
				kthread_stop(t);
			else
				thread_run(t);
		}
		limit = time_ns() + 3 * NSEC_PER_SEC;
		do {
			thread_sleep_ns(5000000, false);
			mm_stats(&total, &left);
		} while (round && (entries_used() > used || left + 128 < before) &&
			 time_ns() < limit);
		if (!round) {
			thread_sleep_ns(100000000, false);
			used = entries_used();
			mm_stats(&total, &before);
		}
	}
	KT_ASSERT(entries_used() <= used);
	KT_ASSERT(left + 128 >= before); /* 60 stacks are more than that */
}

struct napper {
	bool asleep, over; /* atomic */
};

static void nap(void *arg)
{
	struct napper *n = arg;

	thread_sleep_ns(40000000, false);
	atomic_store_release(&n->over, true);
	while (!kthread_should_stop())
		sched_yield();
}

/* What the box says of a sleeper: that it waits for a time, and afterwards for nothing. */
KTEST(a_sleep_is_seen)
{
	struct napper n = {0};
	struct thread *t = kthread_run("ktest-nap", nap, &n);
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;

	KT_ASSERT(!IS_ERR(t));
	while (READ_ONCE(t->bb->state) != BB_ST_BLOCKED && time_ns() < limit)
		sched_yield();
	KT_EQ(t->bb->wait.kind, BB_WAIT_TIMER);
	KT_EQ(t->bb->wait.object, (unsigned long)&t->park_timer);
	while (!atomic_load_acquire(&n.over) && time_ns() < limit)
		sched_yield();
	KT_EQ(t->bb->wait.kind, 0);
	kthread_stop(t);
}
