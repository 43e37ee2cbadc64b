# sources of kernel/tty
kernel-y += kernel/tty/tty.c
