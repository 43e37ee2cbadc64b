# sources of kernel/trace
kernel-y += kernel/trace/port.c kernel/trace/setup.c kernel/trace/bench.c kernel/trace/errno_rows.c
