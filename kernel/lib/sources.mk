# sources of kernel/lib
