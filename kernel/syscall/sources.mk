# sources of kernel/syscall
