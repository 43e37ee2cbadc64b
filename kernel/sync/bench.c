/* bench.c - what an uncontended lock costs, records and checks on. Boot option bench=1, meant for
 * QEMU's -icount as kernel/trace/bench.c is: prints ticks a pair, in hundredths, with the empty
 * loop's cost taken off. */
#include <sync/mutex.h>
#include <arch/time.h>

#define LOG_TAG "bench"
#include <lib/printk.h>

#define ROUNDS 10000u

DEFINE_LOCK_CLASS(bench_spin_class, "bench.spin", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(bench_mutex_class, "bench.mutex", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(bench_rw_class, "bench.rwlock", BB_LK_RWLOCK, 0);
/* As they mostly are: members of an object that the caller has at hand. */
struct locks {
	struct spinlock spin;
	struct mutex mutex;
	struct rwlock rw;
};

/* The least of some tries: the timer may interrupt one. */
#define TRIES 5u
#define COST(body)                                                                                 \
	({                                                                                         \
		u64 least_ = ~0ull;                                                                \
		for (u32 try_ = 0; try_ < TRIES; try_++) {                                         \
			u64 start_ = arch_ticks(), took_;                                          \
			for (u64 i_ = 0; i_ < ROUNDS; i_++) {                                      \
				body;                                                              \
				barrier();                                                         \
			}                                                                          \
			took_ = arch_ticks() - start_;                                             \
			least_ = MIN(least_, took_);                                               \
		}                                                                                  \
		least_;                                                                            \
	})

static __noinline u64 cost_empty(struct locks *l)
{
	return COST();
}
static __noinline u64 cost_spin(struct locks *l)
{
	return COST(spin_lock(&l->spin); spin_unlock(&l->spin));
}
static __noinline u64 cost_irqsave(struct locks *l)
{
	irqflags_t f;

	return COST(f = spin_lock_irqsave(&l->spin); spin_unlock_irqrestore(&l->spin, f));
}
static __noinline u64 cost_mutex(struct locks *l)
{
	return COST(mutex_lock(&l->mutex); mutex_unlock(&l->mutex));
}
static __noinline u64 cost_killable(struct locks *l) NO_TSA
{
	return COST((void)!mutex_lock_killable(&l->mutex); mutex_unlock(&l->mutex));
}
static __noinline u64 cost_read(struct locks *l)
{
	return COST(rw_read_lock(&l->rw); rw_read_unlock(&l->rw));
}
static __noinline u64 cost_write(struct locks *l)
{
	return COST(rw_write_lock(&l->rw); rw_write_unlock(&l->rw));
}

void sync_bench(void)
{
	static const struct {
		const char *what;
		u64 (*cost)(struct locks *l);
	} rows[] = {
		{"spin pair", cost_spin},        {"irqsave pair", cost_irqsave},
		{"mutex pair", cost_mutex},      {"killable mutex pair", cost_killable},
		{"rwlock read pair", cost_read}, {"rwlock write pair", cost_write},
	};
	struct locks l;
	u64 empty = cost_empty(&l);

	spin_init(&l.spin, &bench_spin_class);
	mutex_init(&l.mutex, &bench_mutex_class);
	rw_init(&l.rw, &bench_rw_class);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 h = (rows[i].cost(&l) - empty) * 100 / ROUNDS;

		pr_info("%s %llu.%02llu ticks", rows[i].what, (unsigned long long)h / 100,
			(unsigned long long)h % 100);
	}
}
