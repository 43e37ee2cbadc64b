# sources of kernel/irq
