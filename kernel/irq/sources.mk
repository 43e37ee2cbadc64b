# sources of kernel/irq
kernel-y += kernel/irq/irq.c kernel/irq/ipi.c kernel/irq/timer.c
ifneq ($(CONFIG),lean)
kernel-y += kernel/irq/irq_ktest.c
endif
