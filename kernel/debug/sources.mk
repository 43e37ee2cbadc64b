# sources of kernel/debug
