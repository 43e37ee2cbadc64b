# sources of kernel/arch/aarch64
