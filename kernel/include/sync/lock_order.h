/* sync/lock_order.h - the order of all locks: one place. Whoever holds a lock may take only locks
 * of a greater rank; two locks of one class only where the comment says how they are ordered. What
 * is waited for (completions, wait queues) is held by nobody and has no rank. docs/locking.md is
 * made of this file and of the classes' definitions (`make docs`); test_lock_order.py checks what a
 * run takes inside what. Numbers are the black box's `rank`; a new lock goes between its
 * neighbours. */
#ifndef SYNC_LOCK_ORDER_H
#define SYNC_LOCK_ORDER_H

enum lock_rank {
	/* Sleeping locks, outermost first. User memory may be touched with the first ones held; */
	RANK_PROCESS_FILES = 100, /* a process's table of open files and their close-on-exec bits */
	RANK_FILE_POS = 110,      /* an open file's position, over the whole read or listing */
	RANK_PIPE = 120,          /* a pipe's buffer, counts and ends */
	/* from here on not: a page fault takes mm.as. */
	RANK_EXT2_ROOT = 130,  /* the root file system's tree, over a path walk; mm.as inside it:
				* the first program is mapped with it held */
	RANK_MM = 140,         /* an address space: its mappings and page table */
	RANK_MM_SHARED = 150,  /* the pages of one shared anonymous mapping */
	RANK_PAGES = 160,      /* the cached pages of a file, over the disk read that fills them */
	RANK_META_PAGES = 170, /* the same of the block device, where metadata is found */
	RANK_FWCFG = 180,      /* the firmware's configuration device */
	/* Spin locks. */
	RANK_ICACHE = 300,       /* the table of inodes, and the list of unused ones */
	RANK_PROCESS_TREE = 310, /* the family tree, all processes, their signals and groups */
	RANK_SCHED_SLOTS = 320,  /* which entries of the task table are free */
	RANK_SCHED_GRAVE = 330,  /* ended threads whose stacks are still to be freed */
	RANK_TTY = 340,          /* typed characters, in interrupts too */
	RANK_VIRTQUEUE = 350,    /* a device's descriptors and rings, in interrupts too */
	RANK_WAITQUEUE = 370,    /* who waits in a wait queue or for a completion */
	RANK_RUNQUEUE = 380,     /* a CPU's runnable threads; of two CPUs the lower one's first */
	RANK_TIMERS = 390,       /* a CPU's timers */
	RANK_IRQ_TABLE = 400,    /* which handler has an interrupt */
	RANK_IRQ_CALL = 410,     /* one call to other CPUs at a time */
	RANK_ASID = 890,         /* which address space numbers are taken */
	RANK_VMALLOC = 900,      /* the kernel's own mappings and stacks */
	RANK_SLAB = 910,         /* one cache of small objects */
	RANK_BUDDY = 920,        /* free pages: innermost, anybody may allocate */
};

#endif
