# sources of kernel/syscall
kernel-y += kernel/syscall/dispatch.c kernel/syscall/fd.c kernel/syscall/file.c \
	kernel/syscall/legacy.c kernel/syscall/memory.c kernel/syscall/poll.c kernel/syscall/proc.c \
	kernel/syscall/readonly.c kernel/syscall/system.c
