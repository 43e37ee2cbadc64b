# sources of kernel/debug
kernel-y += kernel/debug/box_setup.c kernel/debug/errno_rows.c kernel/debug/backtrace.c kernel/debug/panic.c \
	kernel/debug/report.c kernel/debug/watchdog.c kernel/debug/ktest.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/debug/bugs.c kernel/debug/stack_ktest.c
endif
