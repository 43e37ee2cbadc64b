# sources of kernel/sync
kernel-y += kernel/sync/preempt.c kernel/sync/spinlock.c kernel/sync/spin_slow.c kernel/sync/mutex.c kernel/sync/mutex_slow.c kernel/sync/bench.c kernel/sync/wait.c kernel/sync/poll.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/sync/sync_ktest.c kernel/sync/records_ktest.c
endif
