# sources of kernel/arch/host, the body for unit tests (tests/unit/host.mk); never part of a kernel
host-y += kernel/arch/host/cpu.c kernel/arch/host/thread.c
