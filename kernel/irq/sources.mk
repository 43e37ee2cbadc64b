# sources of kernel/irq
kernel-y += kernel/irq/irq.c kernel/irq/ipi.c kernel/irq/timer.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/irq/irq_ktest.c kernel/irq/nmi_ktest.c
endif
