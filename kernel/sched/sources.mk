# sources of kernel/sched
kernel-y += kernel/sched/sched.c kernel/sched/thread.c kernel/sched/kthread.c kernel/sched/cpus.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/sched/sched_ktest.c kernel/sched/park_ktest.c kernel/sched/fair_ktest.c \
	kernel/sched/thread_ktest.c
endif
