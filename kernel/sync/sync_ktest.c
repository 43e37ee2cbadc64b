/* sync_ktest.c - locks and waits on the running system: exclusion, order, hand-off, records. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <sched/sched.h>
#include <sync/mutex.h>
#include <sync/wait.h>
#include <arch/irqflags.h>
#include <tracing_port.h>

#define WORKERS 6

DEFINE_LOCK_CLASS(kt_spin_class, "ktest.spin", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(kt_mutex_class, "ktest.mutex", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(kt_rw_class, "ktest.rwlock", BB_LK_RWLOCK, 0);
DEFINE_LOCK_CLASS(kt_sem_class, "ktest.sem", BB_LK_SEM, 0);
DEFINE_LOCK_CLASS(kt_done_class, "ktest.done", BB_LK_COMPLETION, 0);

struct shared {
	struct spinlock spin;
	struct mutex mutex;
	struct rwlock rw;
	struct semaphore sem;
	u64 plain;      /* under the lock of the test */
	u32 inside;     /* atomic: how many are in the section */
	u32 max_inside; /* atomic */
	u32 broken;     /* atomic */
	u32 rounds;
};

static void enter(struct shared *s, u32 limit)
{
	u32 n = atomic_add_fetch(&s->inside, 1);

	if (n > limit)
		atomic_fetch_add(&s->broken, 1);
	if (n > atomic_load(&s->max_inside))
		atomic_store(&s->max_inside, n);
}

static void leave(struct shared *s)
{
	atomic_fetch_sub(&s->inside, 1);
}

static void crowd(struct shared *s, void (*fn)(void *))
{
	struct thread *t[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		t[i] = kthread_run("ktest-worker", fn, s);
	for (int i = 0; i < WORKERS; i++) {
		KT_ASSERT(!IS_ERR(t[i]));
		if (!IS_ERR(t[i]))
			kthread_stop(t[i]);
	}
}

static void spin_worker(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < s->rounds; i++) {
		irqflags_t f = spin_lock_irqsave(&s->spin);

		enter(s, 1);
		s->plain++;
		leave(s);
		spin_unlock_irqrestore(&s->spin, f);
	}
}

KTEST(spinlock_excludes)
{
	struct shared s = {.rounds = 5000};

	spin_init(&s.spin, &kt_spin_class);
	crowd(&s, spin_worker);
	KT_EQ(s.plain, WORKERS * 5000);
	KT_EQ(s.broken, 0);
	spin_fini(&s.spin);
}

static void mutex_worker(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < s->rounds; i++) {
		mutex_lock(&s->mutex);
		enter(s, 1);
		s->plain++;
		if (i % 16 == 0)
			sched_yield();
		leave(s);
		mutex_unlock(&s->mutex);
	}
}

KTEST(mutex_excludes_and_hands_off)
{
	struct shared s = {.rounds = 500};

	mutex_init(&s.mutex, &kt_mutex_class);
	crowd(&s, mutex_worker);
	KT_EQ(s.plain, WORKERS * 500);
	KT_EQ(s.broken, 0);
	KT_ASSERT(!mutex_is_locked(&s.mutex));
	mutex_fini(&s.mutex);
}

static void rw_worker(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < s->rounds; i++) {
		if (i % 8 == 0) {
			rw_write_lock(&s->rw);
			enter(s, 1);
			s->plain++;
			leave(s);
			rw_write_unlock(&s->rw);
		} else {
			rw_read_lock(&s->rw);
			enter(s, WORKERS);
			if (i % 32 == 1)
				sched_yield();
			leave(s);
			rw_read_unlock(&s->rw);
		}
	}
}

KTEST(rwlock_writers_exclude)
{
	struct shared s = {.rounds = 400};

	rw_init(&s.rw, &kt_rw_class);
	crowd(&s, rw_worker);
	KT_EQ(s.plain, WORKERS * 50);
	KT_EQ(s.broken, 0);
	KT_EQ(rw_readers(&s.rw), 0);
	rw_fini(&s.rw);
}

static void sem_worker(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < s->rounds; i++) {
		sem_down(&s->sem);
		enter(s, 3);
		if (i % 8 == 0)
			sched_yield();
		leave(s);
		sem_up(&s->sem);
	}
}

KTEST(semaphore_limits)
{
	struct shared s = {.rounds = 300};

	sem_init(&s.sem, 3, &kt_sem_class);
	crowd(&s, sem_worker);
	KT_EQ(s.broken, 0);
	KT_EQ(s.sem.count, 3);
	sem_fini(&s.sem);
}

static void complete_later(void *arg)
{
	thread_sleep_ns(3000000, false);
	complete(arg);
}

KTEST(completion_wakes)
{
	struct completion c;

	for (int i = 0; i < 20; i++) {
		struct thread *t;

		completion_init(&c, &kt_done_class);
		t = kthread_run("ktest-done", complete_later, &c);
		wait_for_completion(&c);
		KT_EQ(c.done, 0);
		completion_fini(&c);
		kthread_stop(t);
	}
}

/* What the black box must show while a lock is held and after. */
KTEST(held_list_follows_locks)
{
	struct bb_task *b = arch_current()->bb;
	struct mutex m, n;
	u32 before = b->nheld;

	mutex_init(&m, &kt_mutex_class);
	mutex_init(&n, &kt_mutex_class);
	mutex_lock(&m);
	mutex_lock(&n);
	KT_EQ(b->nheld, before + 2);
	KT_EQ(b->held[before].lock, (unsigned long)&m.track);
	KT_EQ(b->held[before + 1].lock, (unsigned long)&n.track);
	KT_EQ(m.track.owner, arch_current()->slot + 1);
	mutex_unlock(&m);
	KT_EQ(b->nheld, before + 1);
	KT_EQ(b->held[before].lock, (unsigned long)&n.track);
	mutex_unlock(&n);
	KT_EQ(b->nheld, before);
	KT_EQ(n.track.owner, 0);
	mutex_fini(&m);
	mutex_fini(&n);
}

static void hold_and_wait(void *arg)
{
	struct shared *s = arg;

	mutex_lock(&s->mutex);
	s->plain = 1;
	mutex_unlock(&s->mutex);
}

KTEST(wait_record_names_the_lock)
{
	struct shared s = {0};
	struct thread *t;
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;

	mutex_init(&s.mutex, &kt_mutex_class);
	mutex_lock(&s.mutex);
	t = kthread_run("ktest-waiter", hold_and_wait, &s);
	while (READ_ONCE(t->bb->state) != BB_ST_BLOCKED && time_ns() < limit)
		sched_yield();
	KT_EQ(t->bb->wait.kind, BB_WAIT_MUTEX);
	KT_EQ(t->bb->wait.object, (unsigned long)&s.mutex.track);
	KT_EQ(t->bb->wait.owner, arch_current()->slot + 1);
	mutex_unlock(&s.mutex);
	kthread_stop(t);
	KT_EQ(s.plain, 1);
	mutex_fini(&s.mutex);
}

/* The inner section leaves interrupts masked, and the box's note of since when. */
KTEST(nested_irqs_off)
{
	struct shared s = {0};
	struct spinlock inner;
	irqflags_t f, g;

	spin_init(&s.spin, &kt_spin_class);
	spin_init(&inner, &kt_spin_class);
	f = spin_lock_irqsave(&s.spin);
	g = spin_lock_irqsave(&inner);
	spin_unlock_irqrestore(&inner, g);
	KT_ASSERT(arch_irqs_disabled());
	KT_ASSERT(port_cpu()->irqs_off_since != 0);
	spin_unlock_irqrestore(&s.spin, f);
	KT_ASSERT(!arch_irqs_disabled());
	preempt_disable();
	KT_EQ(port_cpu()->irqs_off_since, 0);
	preempt_enable();
	spin_fini(&inner);
	spin_fini(&s.spin);
}
