# sources of kernel/mm
kernel-y += kernel/mm/boot_alloc.c
kernel-y += kernel/mm/percpu.c
kernel-y += kernel/mm/buddy.c
kernel-y += kernel/mm/slab.c
kernel-y += kernel/mm/pgtable.c
kernel-y += kernel/mm/kernel_map.c
kernel-y += kernel/mm/vmalloc.c
kernel-y += kernel/mm/mm_init.c
kernel-y += kernel/mm/tlb.c
kernel-y += kernel/mm/context.c
kernel-y += kernel/mm/shared.c
kernel-y += kernel/mm/vm.c
kernel-y += kernel/mm/fault.c
kernel-y += kernel/mm/fork.c
kernel-y += kernel/mm/uaccess.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/mm/mm_ktest.c
kernel-y += kernel/mm/stress_ktest.c
kernel-y += kernel/mm/misuse_ktest.c
kernel-y += kernel/mm/uaccess_ktest.c
endif
