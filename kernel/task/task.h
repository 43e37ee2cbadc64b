/* task.h - what the files of kernel/task share. */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include <task/process.h>

/* The family tree, the list of all processes, and every field marked [T]. Innermost but for wait
 * queues and the scheduler's locks: children are woken and threads killed under it. */
extern struct spinlock process_tree_lock;
extern struct process *process_one; /* pid 1; set once */

/* A process without thread, address space and files, in nobody's family; refs = 1. NULL: no memory.
 */
struct process *process_alloc(u32 pid) must_check;
void process_put(struct process *p);
/* Enters p, which has its thread, in the list of all processes and below its parent. */
void process_link(struct process *p, struct process *parent) REQUIRES(process_tree_lock);
/* Makes p a child of parent (NULL: of nobody), in the tree and in the task table. */
void process_set_parent(struct process *p, struct process *parent) REQUIRES(process_tree_lock);
/* Takes a zombie out of the tree; the caller then drops the tree's reference. */
void process_unlink(struct process *p) REQUIRES(process_tree_lock);
/* Makes t the thread of p, which gains a reference that the thread's end drops. */
void process_attach(struct process *p, struct thread *t);

extern struct list_head process_all; /* all that can be found, by all_link */
struct process *process_find(s32 pid) REQUIRES(process_tree_lock);

/* No memory: gives back cached pages or ends the process that has most. May sleep for seconds; no
 * lock of mm or of this folder is held. True: try again. False: nothing can be had, or the caller
 * itself is to die. Callers stop after ROOM_TRIES: a failure need not be for want of memory. */
#define ROOM_TRIES 16u
bool process_make_room(void);

/* Signals: marks p for death if sig is pending, not blocked and deadly. */
void signal_act(struct process *p) REQUIRES(process_tree_lock);
void signal_post(struct process *p, int sig) REQUIRES(process_tree_lock);
/* exec: handlers become default, ignored stays ignored. */
void signal_exec(struct process *p);
bool signal_children_reap_themselves(const struct process *p) REQUIRES(process_tree_lock);

/* Notes the caller's address as the place where this thread leaves the kernel: what a report shows
 * if a lock turns out to be held. Current thread. */
void __noinline task_leaving_here(void);
/* The caller's address, for the same purpose in a trace record. */
unsigned long __noinline task_here(void);

/* Makes the vDSO's file; after clock_init(). Once, thread context. */
void vdso_init(void);
/* Maps it into mm; *ehdr: address of its ELF header (AT_SYSINFO_EHDR). -ENOMEM. */
int vdso_map(struct mm *mm, unsigned long *ehdr) must_check;

static inline int status_of_signal(u32 sig)
{
	return (int)(sig & 0x7f);
}

#endif
