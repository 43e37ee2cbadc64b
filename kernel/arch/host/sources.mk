# sources of kernel/arch/host, the body for unit tests; never part of a kernel.
# host-y: what every hosted program has, with the portable kernel sources that it stands on.
host-y += kernel/arch/host/console.c kernel/arch/host/cpu.c kernel/arch/host/thread.c
host-y += kernel/lib/bug.c kernel/lib/clock.c kernel/lib/machine.c kernel/lib/printk.c kernel/trace/port.c kernel/trace/context.c
host-y += $(tracing-y)
host-y += kernel/sync/preempt.c kernel/sync/spinlock.c kernel/sync/spin_slow.c kernel/sync/mutex.c kernel/sync/mutex_slow.c kernel/sync/wait.c kernel/sync/poll.c
