/* bugs.c - hangs on demand, for the hang benchmark and for learning: boot option bug=NAME.
 *
 * Each is a few lines of ordinary kernel code with one mistake, run in kernel threads of its own,
 * so what the tracker, the watchdog and the host tool say about it rests on their mechanisms alone.
 * The seed's bug, exec-deadlock, sits in the loader (kernel/task/exec.c), those of a disk in its
 * driver. Compiled in only where HANGBENCH is on. */
#include <debug/debug.h>
#include <lib/annotate.h>
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include <sync/mutex.h>
#include <sync/wait.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>

#define LOG_TAG "bug"
#include <lib/printk.h>

DEFINE_LOCK_CLASS(left_class, "demo.left", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(right_class, "demo.right", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(table_class, "demo.table", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(list_class, "demo.list", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(item_class, "demo.item", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(filled_class, "demo.filled", BB_LK_COMPLETION, 0);
DEFINE_LOCK_CLASS(index_class, "demo.index", BB_LK_RWLOCK, 0);

static DEFINE_MUTEX(left, left_class);
static DEFINE_MUTEX(right, right_class);
static DEFINE_SPINLOCK(table, table_class);
static DEFINE_SPINLOCK(list, list_class);
static struct rwlock index_lock;

#define SHORT_NS 20000000ull

/* How many of two threads have their first lock: each goes for its second one when both have. By
 * time alone the mistake would not show on a loaded host. */
static u32 first_taken; /* atomic */

static void start_with(unsigned int cpu, const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = kthread_run_on(cpu % nr_cpus, name, fn, arg);

	if (IS_ERR(t))
		panic("no memory for the thread %s", name);
}

static void start(unsigned int cpu, const char *name, void (*fn)(void *))
{
	start_with(cpu, name, fn, NULL);
}

/* ---- abba-mutex: two locks, two orders ------------------------------------------------------ */

static void sleep_until_both(void)
{
	atomic_fetch_add(&first_taken, 1);
	while (atomic_load(&first_taken) < 2)
		thread_sleep_ns(SHORT_NS, false);
}

static void left_then_right(void *arg)
{
	mutex_lock(&left);
	sleep_until_both();
	mutex_lock(&right);
	mutex_unlock(&right);
	mutex_unlock(&left);
}

static void right_then_left(void *arg)
{
	mutex_lock(&right);
	sleep_until_both();
	mutex_lock(&left);
	mutex_unlock(&left);
	mutex_unlock(&right);
}

static void abba_mutex(void)
{
	start(0, "left-first", left_then_right);
	start(1, "right-first", right_then_left);
}

/* ---- abba-spin: the same with spin locks, on two CPUs ---------------------------------------- */

static void spin_until_both(void)
{
	atomic_fetch_add(&first_taken, 1);
	while (atomic_load(&first_taken) < 2)
		arch_cpu_relax();
}

static void table_then_list(void *arg)
{
	spin_lock(&table);
	spin_until_both();
	spin_lock(&list);
	spin_unlock(&list);
	spin_unlock(&table);
}

static void list_then_table(void *arg)
{
	spin_lock(&list);
	spin_until_both();
	spin_lock(&table);
	spin_unlock(&table);
	spin_unlock(&list);
}

static void abba_spin(void)
{
	if (nr_cpus < 2) {
		pr_err("abba-spin needs two CPUs");
		return;
	}
	start(nr_cpus - 1, "table-first", table_then_list);
	start(nr_cpus - 2, "list-first", list_then_table);
}

/* ---- self-spin: the same lock twice on one path --------------------------------------------- */

static __noinline void update_table(void) NO_TSA
{
	spin_lock(&table);
	spin_unlock(&table);
}

static void walk_table(void *arg) NO_TSA
{
	spin_lock(&table);
	update_table();
	spin_unlock(&table);
}

static void self_spin(void)
{
	start(nr_cpus - 1, "walker", walk_table);
}

/* ---- killed-while-holding: a thread ends with a mutex that an error path left locked -------- */

static __noinline int fill_left(bool fail) NO_TSA
{
	mutex_lock(&left);
	if (fail)
		return -EINVAL;
	mutex_unlock(&left);
	return 0;
}

static void use_left(void *arg)
{
	thread_sleep_ns(SHORT_NS, false);
	fill_left(false);
}

static void end_with_left(void *arg)
{
	fill_left(true);
}

static void killed_while_holding(void)
{
	start(0, "short-lived", end_with_left);
	start(1, "user-of-left", use_left);
}

/* ---- leak-error-path: an early return skips the unlock, and the thread lives on ------------- */

static void leak_left(void *arg)
{
	fill_left(false);
	fill_left(true);
	for (;;)
		thread_sleep_ns(SHORT_NS, false);
}

static void leak_error_path(void)
{
	start(0, "leaker", leak_left);
	start(1, "user-of-left", use_left);
}

/* ---- sleep-in-atomic: sleeps with a spin lock held ------------------------------------------ */

static void sleep_with_table(void *arg) NO_TSA
{
	spin_lock(&table);
	thread_sleep_ns(100 * NSEC_PER_SEC, false);
	spin_unlock(&table);
}

static void spin_on_table(void *arg)
{
	thread_sleep_ns(SHORT_NS, false);
	update_table();
}

static void sleep_in_atomic(void)
{
	start(0, "sleeper", sleep_with_table);
	start(1, "spinner", spin_on_table);
}

/* ---- dead-tick: one CPU's interrupts are left off ------------------------------------------- */

static void interrupts_left_off(void *arg)
{
	arch_irq_disable();
	for (;;)
		arch_cpu_relax();
}

static void dead_tick(void)
{
	start(nr_cpus - 1, "deaf", interrupts_left_off);
}

/* ---- stop-while-holding: waits for a thread's end with a lock that the thread needs -----------
 */

static void stop_user(void *arg)
{
	struct thread *t = kthread_run("user-of-left", use_left, NULL);

	if (IS_ERR(t))
		panic("no memory for the thread user-of-left");
	mutex_lock(&left);
	kthread_stop(t);
	mutex_unlock(&left);
}

static void stop_while_holding(void)
{
	start(0, "stopper", stop_user);
}

/* ---- freed-while-held, freed-while-waited, used-after-free: an object ends with its lock in use
 */

struct item {
	struct mutex lock;
	struct completion filled;
	u32 stage; /* atomic */
};
static struct item *item;

static void wait_for_stage(u32 n)
{
	while (atomic_load(&item->stage) < n)
		thread_sleep_ns(SHORT_NS, false);
}

static void borrow_item(void *arg)
{
	mutex_lock(&item->lock);
	atomic_store(&item->stage, 1);
	for (;;)
		thread_sleep_ns(NSEC_PER_SEC, false);
}

static void want_item(void *arg)
{
	wait_for_stage(1);
	mutex_lock(&item->lock);
	mutex_unlock(&item->lock);
}

static void await_item(void *arg)
{
	wait_for_completion(&item->filled);
}

static bool somebody_waits(const void *object)
{
	for (u32 i = 0; i < track_tables.ntasks; i++)
		if (READ_ONCE(track_tables.tasks[i].wait.object) == (unsigned long)object &&
		    READ_ONCE(track_tables.tasks[i].state) == BB_ST_BLOCKED)
			return true;
	return false;
}

/* When the object given is waited for. */
static __noinline void free_item(const void *object)
{
	while (!somebody_waits(object))
		thread_sleep_ns(SHORT_NS, false);
	mutex_fini(&item->lock);
	completion_fini(&item->filled);
	kfree(item);
}

static void reap_item(void *object)
{
	free_item(object);
}

static void make_item(void)
{
	item = kzalloc(sizeof(*item));
	if (!item)
		panic("no memory for the item");
	mutex_init(&item->lock, &item_class);
	completion_init(&item->filled, &filled_class);
}

static void freed_while_held(void)
{
	make_item();
	start(0, "borrower", borrow_item);
	start(1, "wanter", want_item);
	start_with(2, "reaper", reap_item, &item->lock.track);
}

static void freed_while_waited(void)
{
	make_item();
	start(0, "wanter", await_item);
	start_with(1, "reaper", reap_item, &item->filled);
}

static void use_item(void *arg)
{
	mutex_fini(&item->lock);
	mutex_lock(&item->lock);
	mutex_unlock(&item->lock);
}

static void used_after_free(void)
{
	make_item();
	start(0, "late-user", use_item);
}

/* ---- writer-starved: readers that do not look at the queue never let the writer in ---------- */

static __noinline void read_lock_past_queue(struct rwlock *l) NO_TSA
{
	irqflags_t f = queue_lock(&l->queue);
	u32 w;

	while ((w = atomic_load(&l->track.owner)) & ~TRACK_WAITERS && !(w & TRACK_SHARED)) {
		queue_unlock(&l->queue, f);
		thread_sleep_ns(SHORT_NS, false);
		f = queue_lock(&l->queue);
	}
	while (!atomic_try_cmpxchg(&l->track.owner, &w, (w | TRACK_SHARED) + 1))
		;
	queue_unlock(&l->queue, f);
	track_acquired(&l->track, BB_HOLD_SHARED, RET_IP, arch_sp());
}

/* Several of them: whoever goes leaves another one inside. */
static void read_index_for_ever(void *arg) NO_TSA
{
	for (;;) {
		bool go = false;

		read_lock_past_queue(&index_lock);
		while (!go) {
			thread_sleep_ns(SHORT_NS / 20, false);
			spin_lock(&list);
			go = rw_readers(&index_lock) > 1;
			if (go)
				rw_read_unlock(&index_lock);
			spin_unlock(&list);
		}
	}
}

static void write_index(void *arg)
{
	thread_sleep_ns(SHORT_NS, false);
	rw_write_lock(&index_lock);
	rw_write_unlock(&index_lock);
}

static void writer_starved(void)
{
	rw_init(&index_lock, &index_class);
	for (unsigned int i = 0; i < 4; i++)
		start(i, "index-reader", read_index_for_ever);
	start(0, "index-writer", write_index);
}

/* ---- busy-locks: no bug at all. Every lock is contended all the time, and every wait ends --- */

static void busy(void *arg)
{
	for (;;) {
		mutex_lock(&left);
		thread_sleep_ns(SHORT_NS / 20, false);
		mutex_unlock(&left);
		rw_read_lock(&index_lock);
		spin_lock(&table);
		spin_unlock(&table);
		thread_sleep_ns(SHORT_NS / 20, false);
		rw_read_unlock(&index_lock);
		rw_write_lock(&index_lock);
		thread_sleep_ns(SHORT_NS / 20, false);
		rw_write_unlock(&index_lock);
	}
}

/* Takes the lock for its caller, which is no leak. */
static __noinline void lock_right(void) NO_TSA
{
	mutex_lock(&right);
}

static void keeper(void *arg) NO_TSA
{
	for (u64 ns = SHORT_NS;; ns = 3 * NSEC_PER_SEC) {
		lock_right();
		thread_sleep_ns(ns, false);
		mutex_unlock(&right);
	}
}

static void busy_locks(void)
{
	rw_init(&index_lock, &index_class);
	start(0, "keeper", keeper);
	start(1, "keeper", keeper);
	for (unsigned int i = 0; i < 12; i++)
		start(i, "busy", busy);
}

/* ---- crashes: what the report of an exception looks like ------------------------------------ */

static void write_null(void *arg)
{
	*(volatile u32 *)arg = 1;
}

static void null_pointer(void)
{
	start(nr_cpus - 1, "null-writer", write_null);
}

static __noinline u64 dig(u64 depth)
{
	volatile u64 here[32];

	here[depth % 32] = depth;
	return depth == ~0ull ? 0 : dig(depth + 1) + here[depth % 32];
}

static void dig_for_ever(void *arg)
{
	dig(0);
}

static void stack_overflow(void)
{
	start(nr_cpus - 1, "digger", dig_for_ever);
}

static const struct {
	const char *name;
	void (*fn)(void);
} bugs[] = {
	{"exec-deadlock", NULL}, /* in the loader */
	/* in the disk's driver */
	{"irq-not-enabled", NULL},
	{"lost-irq", NULL},
	{"lost-kick", NULL},
	{"lost-completion", NULL},
	{"abba-mutex", abba_mutex},
	{"abba-spin", abba_spin},
	{"self-spin", self_spin},
	{"killed-while-holding", killed_while_holding},
	{"leak-error-path", leak_error_path},
	{"sleep-in-atomic", sleep_in_atomic},
	{"dead-tick", dead_tick},
	{"stop-while-holding", stop_while_holding},
	{"freed-while-held", freed_while_held},
	{"freed-while-waited", freed_while_waited},
	{"used-after-free", used_after_free},
	{"writer-starved", writer_starved},
	{"busy-locks", busy_locks},
	{"null-pointer", null_pointer},
	{"stack-overflow", stack_overflow},
};

void bugs_start(void)
{
	size_t len;
	const char *name = cmdline_get("bug", &len);

	if (!name || !len)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strlen(bugs[i].name) != len || strncmp(bugs[i].name, name, len))
			continue;
		if (bugs[i].fn)
			bugs[i].fn();
		return;
	}
	pr_err("bug=%.*s is not known; these are:", (int)len, name);
	for (unsigned int i = 0; i < ARRAY_SIZE(bugs); i++)
		pr_err("  %s", bugs[i].name);
}
