# sources of kernel/lib
kernel-y += kernel/lib/string.c
kernel-y += kernel/lib/vsnprintf.c
kernel-y += kernel/lib/parse.c
kernel-y += kernel/lib/rbtree.c
kernel-y += kernel/lib/cmdline.c
kernel-y += kernel/lib/machine.c
kernel-y += kernel/lib/clock.c
kernel-y += kernel/lib/ksyms.c
kernel-y += kernel/lib/printk.c
kernel-y += kernel/lib/bug.c
kernel-y += kernel/lib/extable.c
kernel-y += kernel/lib/ubsan.c
