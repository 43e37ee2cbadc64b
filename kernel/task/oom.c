/* oom.c - when memory is out: whom to take it from.
 *
 * Theory. A page fault cannot say "no memory" to its program, and a shell that cannot fork cannot
 * even start `kill`. So both come here (and so does exec), with no lock that a dying process needs
 * for longer than this takes, and try again if the answer is true. First the page cache gives back
 * what nobody uses. If that is nothing, the process with the most memory dies, one at a time: as
 * long as the last victim still has its memory, all who come wait for it. A process's memory is its
 * own pages and what is kept for the ended children that it did not wait for: when it is gone pid 1
 * waits for them. A victim may itself wait for something that the caller holds (a pipe's lock,
 * while the other end's buffer faults), so that wait has an end, and then the next victim is
 * chosen.
 *
 * Never chosen: pid 1, whose death is a panic. Who has been told to die gets false at once: its
 * fault then fails and it goes the common way out.
 */
#define LOG_TAG "memory"
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/printk.h>
#include <lib/string.h>
#include "task.h"

#define CACHE_ENOUGH 16u                     /* pages that are worth another try */
#define VICTIM_STEP  (2 * 1000 * 1000ull)    /* ns between looks */
#define VICTIM_TIME  (2 * (u64)NSEC_PER_SEC) /* ns until another one is chosen */

static u32 victim_pid;   /* under process_tree_lock; 0: none yet */
static u64 victim_until; /* under process_tree_lock, as time_ns() */

/* Is memory really short? A failure may also be another CPU's luck, or no long run of pages. */
static bool memory_is_short(void)
{
	u64 total, avail;

	mm_stats(&total, &avail);
	return avail < total / 32;
}

static bool victim_lives(u32 pid) REQUIRES(process_tree_lock)
{
	const struct process *p = process_find((s32)pid);

	return p && !p->zombie;
}

/* Pages that would come back if p ended. */
static u64 process_pages(const struct process *p) REQUIRES(process_tree_lock)
{
	u64 pages = READ_ONCE(p->mm->resident);
	const struct process *child;

	list_for_each_entry (child, &p->children, sibling)
		if (child->zombie)
			pages += ALIGN_UP(sizeof(*child), PAGE_SIZE) / PAGE_SIZE;
	return pages;
}

static struct process *largest_process(u64 *pages) REQUIRES(process_tree_lock)
{
	struct process *p, *best = NULL;
	u64 n;

	*pages = 0;
	list_for_each_entry (p, &process_all, all_link) {
		if (p->pid == 1 || !p->mm || !p->thread || atomic_load(&p->thread->kill_pending))
			continue;
		n = process_pages(p);
		if (n > *pages) {
			*pages = n;
			best = p;
		}
	}
	return best;
}

/* Makes sure that a victim is on its way; its pid, 0 if there is nobody left. */
static u32 victim_choose(void)
{
	struct process *self = current_process(), *p;
	char name[sizeof(p->name)];
	u64 pages = 0;
	u32 pid;

	spin_lock(&process_tree_lock);
	if (victim_pid && victim_lives(victim_pid) && time_ns() < victim_until) {
		pid = victim_pid;
		spin_unlock(&process_tree_lock);
		return pid;
	}
	p = largest_process(&pages);
	pid = p ? p->pid : 0;
	if (p) {
		victim_pid = pid;
		victim_until = time_ns() + VICTIM_TIME;
		strscpy(name, p->name, sizeof(name));
		signal_post(p, SIGKILL);
	}
	spin_unlock(&process_tree_lock);
	if (pid)
		pr_err("out of memory: killed %s (pid %u), which had %llu KiB; %s (pid %u) asked",
		       name, pid, (unsigned long long)pages * (PAGE_SIZE / 1024), self->name,
		       self->pid);
	return pid;
}

static void victim_wait(u32 pid)
{
	bool lives;

	do {
		if (thread_sleep_ns(VICTIM_STEP, true))
			return; /* we are to die ourselves */
		spin_lock(&process_tree_lock);
		lives = victim_pid == pid && victim_lives(pid) && time_ns() < victim_until;
		spin_unlock(&process_tree_lock);
	} while (lives);
}

bool process_make_room(void)
{
	u32 pid;

	if (thread_kill_pending())
		return false;
	if (!memory_is_short() || vfs_cache_shrink() >= CACHE_ENOUGH)
		return true;
	pid = victim_choose();
	if (!pid)
		return false;
	if (pid != current_process()->pid)
		victim_wait(pid);
	return !thread_kill_pending();
}
