# sources of kernel/trace
