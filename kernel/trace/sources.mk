# sources of kernel/trace
kernel-y += kernel/trace/port.c kernel/trace/bench.c
ifneq ($(CONFIG),bare)
kernel-y += kernel/trace/context.c
endif
