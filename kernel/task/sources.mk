# sources of kernel/task
kernel-y += kernel/task/process.c kernel/task/fork.c kernel/task/exec.c kernel/task/exec_args.c \
	kernel/task/elf.c kernel/task/exit.c kernel/task/exit_stub.c kernel/task/files.c \
	kernel/task/signal.c kernel/task/oom.c kernel/task/trap_fault.c kernel/task/vdso.c
