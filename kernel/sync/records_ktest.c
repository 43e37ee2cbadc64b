/* records_ktest.c - what the black box says of a lock, on every way into it: free or contended,
 * taken by a task that then looks at its own record; of who waits for it, meanwhile; and in which
 * order those who wait get it. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <sched/sched.h>
#include <sync/mutex.h>
#include <sync/wait.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <tracing_port.h>

DEFINE_LOCK_CLASS(rec_spin_class, "ktest.rec.spin", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(rec_mutex_class, "ktest.rec.mutex", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(rec_rw_class, "ktest.rec.rw", BB_LK_RWLOCK, 0);
DEFINE_LOCK_CLASS(rec_sem_class, "ktest.rec.sem", BB_LK_SEM, 0);
DEFINE_LOCK_CLASS(rec_done_class, "ktest.rec.done", BB_LK_COMPLETION, 0);

#define MS 1000000ull

struct locks {
	struct spinlock spin;
	struct mutex mutex;
	struct rwlock rw;
};

/* One visit to a lock: what its record must say. */
struct visit {
	struct locks *l;
	const struct track_lock *track;
	unsigned long fn, frame, caller; /* of the function that takes it */
	u32 mode, word, nheld, preempt;
	bool contended, framed;
	u64 before;
	bool trying, inside, over; /* atomic */
};

static bool within(unsigned long addr, unsigned long fn)
{
	return addr > fn && addr < fn + 2048;
}

static void visit_begin(struct visit *v, const struct track_lock *track, u32 mode, unsigned long fn)
{
	struct bb_task *b = arch_current()->bb;

	v->track = track;
	v->mode = mode;
	v->fn = fn;
	v->nheld = b->nheld;
	v->preempt = b->preempt_count;
	v->before = arch_ticks();
	atomic_store_release(&v->trying, true);
}

static void visit_inside(struct visit *v)
{
	const struct thread *t = arch_current();
	const struct bb_task *b = t->bb;
	const struct bb_held *h = &b->held[v->nheld];
	u32 word = v->mode & BB_HOLD_SHARED ? TRACK_SHARED | 1 : t->slot + 1;

	KT_EQ(b->nheld, v->nheld + 1);
	KT_EQ(b->held_seq % 2, 0);
	KT_EQ(h->lock, (unsigned long)v->track);
	KT_EQ(h->mode, v->mode);
	KT_EQ(h->class, v->track->class->index);
	KT_EQ(v->track->owner & ~TRACK_WAITERS, word);
	KT_ASSERT(within(h->site, v->fn));
	KT_ASSERT(h->sp >= t->kstack_base && h->sp <= v->frame);
	KT_ASSERT(h->ticks >= v->before && h->ticks <= arch_ticks());
	KT_EQ(h->epoch, b->user_epoch);
	if (v->framed && (!v->contended || h->frame)) {
		KT_EQ(h->sp + 8ul * h->frame, v->frame);
		KT_EQ(h->caller, (u32)v->caller);
	}
	KT_EQ(b->wait.kind, 0);
	atomic_store_release(&v->inside, true);
}

static void visit_end(struct visit *v)
{
	const struct bb_task *b = arch_current()->bb;

	KT_EQ(b->nheld, v->nheld);
	KT_EQ(b->preempt_count, v->preempt);
	if (!v->contended) /* else it may be another's by now */
		KT_EQ(v->track->owner, 0);
	/* Of readers it is noted only by the short way, of a spin lock also who came after us. */
	if (!v->contended || (v->framed && v->mode & BB_HOLD_EXCL))
		KT_ASSERT(within(v->track->release_site, v->fn));
	atomic_store_release(&v->over, true);
}

/* A function that takes the lock, looks, and gives it back, all in one frame. */
#define VISIT(name, lock, hold_mode, sleeps, take, give)                                           \
	static void __noinline NO_TSA name(struct visit *v)                                        \
	{                                                                                          \
		struct locks *l = v->l;                                                            \
		irqflags_t f = 0;                                                                  \
                                                                                                   \
		v->frame = (unsigned long)__builtin_frame_address(0);                              \
		v->caller = (unsigned long)__builtin_return_address(0);                            \
		v->framed = sleeps;                                                                \
		visit_begin(v, &l->lock.track, hold_mode, (unsigned long)name);                    \
		take;                                                                              \
		visit_inside(v);                                                                   \
		give;                                                                              \
		visit_end(v);                                                                      \
		(void)f;                                                                           \
	}

VISIT(visit_spin, spin, BB_HOLD_EXCL, false, spin_lock(&l->spin), spin_unlock(&l->spin))
VISIT(visit_spin_irq, spin, BB_HOLD_EXCL | BB_HOLD_IRQOFF, false, f = spin_lock_irqsave(&l->spin),
      spin_unlock_irqrestore(&l->spin, f))
VISIT(visit_mutex, mutex, BB_HOLD_EXCL, true, mutex_lock(&l->mutex), mutex_unlock(&l->mutex))
VISIT(visit_try, mutex, BB_HOLD_EXCL, true, KT_ASSERT(mutex_trylock(&l->mutex)),
      mutex_unlock(&l->mutex))
VISIT(visit_read, rw, BB_HOLD_SHARED, true, rw_read_lock(&l->rw), rw_read_unlock(&l->rw))
VISIT(visit_write, rw, BB_HOLD_EXCL, true, rw_write_lock(&l->rw), rw_write_unlock(&l->rw))

static void locks_init(struct locks *l)
{
	spin_init(&l->spin, &rec_spin_class);
	mutex_init(&l->mutex, &rec_mutex_class);
	rw_init(&l->rw, &rec_rw_class);
}

KTEST(records_of_free_locks)
{
	struct locks l;
	void (*const visits[])(struct visit *) = {visit_spin, visit_spin_irq, visit_mutex,
						  visit_try,  visit_read,     visit_write};

	locks_init(&l);
	for (unsigned int i = 0; i < ARRAY_SIZE(visits); i++)
		for (int again = 0; again < 2; again++) {
			struct visit v = {.l = &l};

			visits[i](&v);
			KT_ASSERT(atomic_load(&v.over));
		}
	KT_EQ(port_cpu()->irqs_off_since, 0);
}

struct caller {
	struct visit v;
	void (*fn)(struct visit *);
};

static void call(void *arg)
{
	struct caller *c = arg;

	c->fn(&c->v);
}

static bool blocked(const struct thread *t)
{
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;

	while (READ_ONCE(t->bb->state) != BB_ST_BLOCKED && time_ns() < limit)
		sched_yield();
	return READ_ONCE(t->bb->state) == BB_ST_BLOCKED;
}

/* t waits for the lock that the test holds. */
static void check_wait(const struct thread *t, const struct caller *c, u32 kind)
{
	const struct bb_wait *w = &t->bb->wait;
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;
	u32 nheld;

	KT_ASSERT(blocked(t) && !atomic_load(&c->v.inside));
	KT_EQ(w->kind, kind);
	KT_EQ(w->object, (unsigned long)c->v.track);
	KT_EQ(w->class, c->v.track->class->index);
	KT_EQ(w->owner & ~TRACK_WAITERS, arch_current()->slot + 1);
	KT_ASSERT(within(w->site, c->v.fn));
	KT_ASSERT(w->ticks >= c->v.before && w->ticks <= arch_ticks());
	/* On its way off the CPU it stops the tick, under a lock: one look counts. */
	while ((nheld = READ_ONCE(t->bb->nheld)) != c->v.nheld && time_ns() < limit)
		sched_yield();
	KT_EQ(nheld, c->v.nheld);
	KT_ASSERT(c->v.track->owner & TRACK_WAITERS);
}

KTEST(records_of_contended_locks) NO_TSA
{
	static const struct {
		void (*fn)(struct visit *);
		u32 kind;
	} cases[] = {
		{visit_mutex, BB_WAIT_MUTEX},
		{visit_read, BB_WAIT_READ},
		{visit_write, BB_WAIT_WRITE},
	};
	struct locks l;

	locks_init(&l);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct caller c = {.fn = cases[i].fn, .v = {.l = &l, .contended = true}};
		struct thread *t;

		mutex_lock(&l.mutex);
		rw_write_lock(&l.rw);
		t = kthread_run("ktest-visit", call, &c);
		KT_ASSERT(!IS_ERR(t));
		check_wait(t, &c, cases[i].kind);
		KT_ASSERT(!mutex_trylock(&l.mutex));
		rw_write_unlock(&l.rw);
		mutex_unlock(&l.mutex);
		kthread_stop(t);
		KT_ASSERT(atomic_load(&c.v.over));
	}
}

/* A spin lock that somebody on another CPU waits for. */
KTEST(records_of_contended_spin_locks)
{
	struct locks l;

	if (nr_cpus < 2)
		KT_SKIP("needs 2 CPUs");
	locks_init(&l);
	for (int irq = 0; irq < 2; irq++) {
		struct caller c = {.fn = irq ? visit_spin_irq : visit_spin,
				   .v = {.l = &l, .contended = true}};
		bool pinned = arch_current()->pinned;
		struct thread *t;
		u64 limit;

		arch_current()->pinned = true;
		t = kthread_run_on((this_cpu() + 1) % nr_cpus, "ktest-visit", call, &c);
		KT_ASSERT(!IS_ERR(t));
		spin_lock(&l.spin); /* it may have been here already, then this shows nothing */
		limit = time_ns() + 2 * NSEC_PER_SEC;
		while (!atomic_load_acquire(&c.v.trying) && time_ns() < limit)
			arch_cpu_relax();
		limit = time_ns() + MS;
		while (time_ns() < limit)
			arch_cpu_relax();
		spin_unlock(&l.spin);
		kthread_stop(t);
		KT_ASSERT(atomic_load(&c.v.over));
		arch_current()->pinned = pinned;
	}
}

/* Since when and where this CPU has masked interrupts; the inner one of two does not count. */
KTEST(masked_interrupts_are_noted)
{
	struct locks l, m;
	irqflags_t f, g;
	struct bb_cpu *c;
	u64 since, site;

	locks_init(&l);
	locks_init(&m);
	f = spin_lock_irqsave(&l.spin);
	c = port_cpu();
	since = c->irqs_off_since;
	site = c->irqs_off_site;
	KT_ASSERT(since && since <= arch_ticks());
	KT_ASSERT(site > (unsigned long)ktest_masked_interrupts_are_noted &&
		  site < (unsigned long)ktest_masked_interrupts_are_noted + 4096);
	g = spin_lock_irqsave(&m.spin);
	KT_EQ(c->irqs_off_since, since);
	KT_EQ(c->irqs_off_site, site);
	spin_unlock_irqrestore(&m.spin, g);
	KT_EQ(c->irqs_off_since, since);
	KT_ASSERT(arch_irqs_disabled());
	spin_unlock_irqrestore(&l.spin, f);
	KT_ASSERT(!arch_irqs_disabled());
}

/* ---- order ---------------------------------------------------------------------------------- */

struct queue {
	struct rwlock rw;
	u32 next;     /* atomic: how many have come in */
	u32 inside;   /* atomic: readers that are in at once */
	u32 together; /* atomic: the most of them */
};
struct comer {
	struct queue *q;
	bool writes;
	u32 group; /* of a reader: as many stand together */
	u32 nth;
};

static void come_in(void *arg)
{
	struct comer *c = arg;
	struct queue *q = c->q;
	u64 came, limit;

	if (c->writes) {
		rw_write_lock(&q->rw);
		c->nth = atomic_fetch_add(&q->next, 1);
		KT_EQ(atomic_load(&q->inside), 0);
		KT_EQ(rw_readers(&q->rw), 0);
		thread_sleep_ns(MS, false);
		rw_write_unlock(&q->rw);
		return;
	}
	rw_read_lock(&q->rw);
	c->nth = atomic_fetch_add(&q->next, 1);
	atomic_fetch_add(&q->inside, 1);
	KT_ASSERT(rw_readers(&q->rw) >= 1);
	/* Until its group is in, and long enough for others who should not be. */
	came = time_ns();
	limit = came + 2 * NSEC_PER_SEC;
	while (time_ns() < came + 5 * MS ||
	       (atomic_load(&q->together) < c->group && time_ns() < limit)) {
		u32 n = atomic_load(&q->inside);

		if (n > atomic_load(&q->together))
			atomic_store(&q->together, n);
		sched_yield();
	}
	atomic_fetch_sub(&q->inside, 1);
	rw_read_unlock(&q->rw);
}

/* How many readers stand together where the n-th does. */
static u32 group_of(const char *order, u32 n)
{
	u32 first = n, last = n;

	while (first && order[first - 1] == 'r')
		first--;
	while (order[last + 1] == 'r')
		last++;
	return last - first + 1;
}

/* Lets `order` ('r', 'w') queue one after the other behind a writer, and in. */
static u32 let_in(const char *order, struct comer *c)
{
	struct queue q = {0};
	struct thread *t[8];
	u32 n;

	rw_init(&q.rw, &rec_rw_class);
	rw_write_lock(&q.rw);
	for (n = 0; order[n]; n++) {
		c[n] = (struct comer){
			.q = &q, .writes = order[n] == 'w', .group = group_of(order, n)};
		t[n] = kthread_run("ktest-comer", come_in, &c[n]);
		KT_ASSERT(!IS_ERR(t[n]) && blocked(t[n]));
	}
	KT_EQ(atomic_load(&q.next), 0);
	rw_write_unlock(&q.rw);
	for (u32 i = 0; i < n; i++)
		kthread_stop(t[i]);
	KT_EQ(q.rw.track.owner, 0);
	KT_EQ(q.next, n);
	return q.together;
}

/* No reader passes a writer that came before it; readers that stand together go in together. */
KTEST(rwlock_lets_in_by_arrival)
{
	struct comer c[8];

	KT_EQ(let_in("rwrw", c), 1);
	for (u32 i = 0; i < 4; i++)
		KT_EQ(c[i].nth, i);
	KT_EQ(let_in("rrrw", c), 3);
	KT_EQ(c[3].nth, 3);
	KT_EQ(let_in("wrrwr", c), 2);
	KT_EQ(c[0].nth, 0);
	KT_EQ(c[3].nth, 3);
	KT_EQ(c[4].nth, 4);
	KT_EQ(let_in("ww", c), 0);
	KT_EQ(c[1].nth, 1);
}

struct turnstile {
	struct semaphore sem;
	struct mutex mutex;
	u32 next; /* atomic */
	bool sem_too;
};
struct passer {
	struct turnstile *s;
	u32 nth;
};

static void pass(void *arg) NO_TSA
{
	struct passer *p = arg;

	if (p->s->sem_too)
		sem_down(&p->s->sem);
	else
		mutex_lock(&p->s->mutex);
	p->nth = atomic_fetch_add(&p->s->next, 1);
	if (p->s->sem_too)
		sem_up(&p->s->sem);
	else
		mutex_unlock(&p->s->mutex);
}

/* Who queues gets a mutex or a semaphore in the order of arrival, and nobody comes in between. */
KTEST(queues_are_served_by_arrival) NO_TSA
{
	for (int sem_too = 0; sem_too < 2; sem_too++) {
		struct turnstile s = {.sem_too = sem_too};
		struct passer p[4];
		struct thread *t[4];

		sem_init(&s.sem, 1, &rec_sem_class);
		mutex_init(&s.mutex, &rec_mutex_class);
		sem_down(&s.sem);
		mutex_lock(&s.mutex);
		KT_ASSERT(!sem_try_down(&s.sem) && !mutex_trylock(&s.mutex));
		for (int i = 0; i < 4; i++) {
			p[i] = (struct passer){.s = &s};
			t[i] = kthread_run("ktest-passer", pass, &p[i]);
			KT_ASSERT(!IS_ERR(t[i]) && blocked(t[i]));
			KT_EQ(t[i]->bb->wait.kind, sem_too ? BB_WAIT_SEM : BB_WAIT_MUTEX);
		}
		KT_ASSERT(!sem_try_down(&s.sem));
		sem_up(&s.sem);
		mutex_unlock(&s.mutex);
		for (int i = 0; i < 4; i++) {
			kthread_stop(t[i]);
			KT_EQ(p[i].nth, i);
		}
		KT_EQ(s.sem.count, 1);
		KT_ASSERT(!mutex_is_locked(&s.mutex));
		KT_ASSERT(sem_try_down(&s.sem) && !sem_try_down(&s.sem));
	}
}

static void await(void *arg)
{
	wait_for_completion_kind(arg, BB_WAIT_CHILD);
}

/* Each complete() is for one wait, whichever comes first; complete_all() is for all and stays. */
KTEST(completions_count)
{
	struct completion c;
	struct thread *t[3];

	completion_init(&c, &rec_done_class);
	complete(&c);
	complete(&c);
	KT_EQ(c.done, 2);
	wait_for_completion(&c);
	wait_for_completion(&c);
	KT_EQ(c.done, 0);
	completion_ended_by(&c, arch_current());
	for (int i = 0; i < 3; i++) {
		t[i] = kthread_run("ktest-await", await, &c);
		KT_ASSERT(!IS_ERR(t[i]) && blocked(t[i]));
		KT_EQ(t[i]->bb->wait.kind, BB_WAIT_CHILD);
		KT_EQ(t[i]->bb->wait.object, (unsigned long)&c);
		KT_EQ(t[i]->bb->wait.owner, arch_current()->slot + 1);
		KT_EQ(t[i]->bb->wait.class, rec_done_class.index);
	}
	complete(&c);
	thread_sleep_ns(20 * MS, false);
	KT_EQ(c.queue.nr_waiters, 2);
	complete_all(&c);
	for (int i = 0; i < 3; i++)
		kthread_stop(t[i]);
	KT_EQ(c.queue.nr_waiters, 0);
	wait_for_completion(&c); /* and for all who come later */
	wait_for_completion(&c);
	KT_ASSERT(c.done != 0);
}

/* ---- more than a task's list has room for ---------------------------------------------------- */

#define TOO_MANY (BB_MAX_HELD + 3)

/* n locks of one kind, taken in order and given back in reverse. */
static void hold_many(struct locks *l, u32 n, u32 kind, bool take) NO_TSA
{
	static irqflags_t f[TOO_MANY];

	for (u32 k = 0; k < n; k++) {
		struct locks *at = &l[take ? k : n - 1 - k];
		irqflags_t *flags = &f[take ? k : n - 1 - k];

		switch (kind) {
		case 0:
			take ? mutex_lock(&at->mutex) : mutex_unlock(&at->mutex);
			break;
		case 1:
			if (take)
				KT_ASSERT(mutex_trylock(&at->mutex));
			else
				mutex_unlock(&at->mutex);
			break;
		case 2:
			take ? rw_read_lock(&at->rw) : rw_read_unlock(&at->rw);
			break;
		case 3:
			take ? rw_write_lock(&at->rw) : rw_write_unlock(&at->rw);
			break;
		case 4:
			take ? spin_lock(&at->spin) : spin_unlock(&at->spin);
			break;
		default:
			if (take)
				*flags = spin_lock_irqsave(&at->spin);
			else
				spin_unlock_irqrestore(&at->spin, *flags);
		}
	}
}

/* What does not fit is counted, and the count goes down again; the locks are locks all the same. */
KTEST(more_locks_than_room)
{
	static struct locks l[TOO_MANY];
	struct bb_task *b = arch_current()->bb;
	u32 before = b->nheld, preempt = b->preempt_count;

	for (u32 kind = 0; kind < 6; kind++) {
		u32 nheld, lost, free = 0;

		for (u32 i = 0; i < TOO_MANY; i++)
			locks_init(&l[i]);
		hold_many(l, TOO_MANY, kind, true);
		nheld = b->nheld;
		lost = b->held_lost;
		for (u32 i = 0; i < TOO_MANY; i++)
			free += !l[i].mutex.track.owner && !l[i].rw.track.owner &&
				!l[i].spin.track.owner;
		hold_many(l, TOO_MANY, kind, false);
		KT_EQ(nheld, BB_MAX_HELD);
		KT_EQ(lost, before + 3);
		KT_EQ(free, 0);
		for (u32 i = 0; i < TOO_MANY; i++)
			KT_ASSERT(!l[i].mutex.track.owner && !l[i].rw.track.owner &&
				  !l[i].spin.track.owner);
		KT_EQ(b->nheld, before);
		KT_EQ(b->held_lost, 0);
		KT_EQ(b->preempt_count, preempt);
		KT_ASSERT(!arch_irqs_disabled());
	}
}
