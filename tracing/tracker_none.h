/* tracker_none.h - the tracker of a kernel without one (TRACING 0): tracker.h's names, empty. A
 * lock is its owner word. */
#ifndef TRACING_TRACKER_NONE_H
#define TRACING_TRACKER_NONE_H

struct track_lock {
	uint32_t owner;
};
#define TRACK_LOCK_INIT(cls)                                                                       \
	{                                                                                          \
		.owner = 0                                                                         \
	}

static inline void track_context_task(struct track_context *c, struct bb_task *t, uint32_t slot)
{
	*c = (struct track_context){.owner = slot + 1};
}
static inline void track_class_add(struct track_class *c)
{
}
static inline void track_lock_init(struct track_lock *l, struct track_class *c)
{
	l->owner = 0;
}
static inline void track_lock_fini(struct track_lock *l, int waited, uint64_t site)
{
}
static inline void track_freed(const void *mem, uint64_t size, uint64_t site)
{
}
static inline int track_lock_alive(const struct track_lock *l, uint64_t site)
{
	return 1;
}
static inline int track_lock_wiped(const struct track_lock *l)
{
	return 0;
}
static inline void track_spin_begin(struct track_lock *l, uint32_t kind, uint64_t site)
{
}
static inline void track_spin_still(struct track_lock *l, uint64_t site)
{
}
static inline void track_spin_end(struct track_lock *l)
{
}
static inline void track_block_begin(struct track_lock *l, uint32_t kind, uint64_t site)
{
}
static inline void track_block_end(struct track_lock *l)
{
}
static inline void track_wait_begin(const struct track_wait *w, uint64_t site)
{
}
static inline void track_wait_end(void)
{
}
static inline void track_wait_needs(uint32_t owner, uint32_t arg)
{
}
static inline void track_end_opened(struct bb_task *t, const void *object)
{
}
static inline void track_end_closed(struct bb_task *t, const void *object)
{
}
static inline void track_acquired(struct track_lock *l, uint32_t mode, uint64_t site, uint64_t sp)
{
}
static inline void track_released(struct track_lock *l, uint32_t mode, uint64_t site)
{
}
static inline void track_granted(struct track_lock *l, uint32_t owner)
{
}
static inline void track_hand_over(struct track_lock *l, struct bb_task *from, struct bb_task *to)
{
}
static inline void track_leaving(uint64_t site)
{
}
static inline int track_task_holds(const struct bb_task *t)
{
	return 0;
}
static inline void track_task_exit(uint64_t site)
{
}
#define track_tick(c) ((void)0)
static inline void track_might_sleep(uint64_t site)
{
}
static inline void track_scan_waits(uint64_t age)
{
}
static inline int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l,
			       uint64_t site, uint64_t site2, uint32_t task)
{
	return 0;
}

#endif
