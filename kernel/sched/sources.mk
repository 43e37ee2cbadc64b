# sources of kernel/sched
