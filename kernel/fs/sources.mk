# sources of kernel/fs
