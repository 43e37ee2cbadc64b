# sources of kernel/ipc
kernel-y += kernel/ipc/pipe.c
