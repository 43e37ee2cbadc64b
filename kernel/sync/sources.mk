# sources of kernel/sync
kernel-y += kernel/sync/preempt.c kernel/sync/spinlock.c kernel/sync/mutex.c kernel/sync/wait.c kernel/sync/poll.c
ifneq ($(CONFIG),lean)
kernel-y += kernel/sync/sync_ktest.c
endif
