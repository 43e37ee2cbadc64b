# sources of kernel/trace
kernel-y += kernel/trace/port.c kernel/trace/bench.c
