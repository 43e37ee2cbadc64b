# mm.mk - host tests of kernel/lib and kernel/mm: `make test-unit-mm`.
# The kernel's own sources over kernel/arch/host; address and undefined-behaviour sanitizers.
# kernel/lib's C functions get the prefix k_ beside the C library's.

unit-tests += test-unit-mm

MMT := $(HOST)/unit-mm
MMT_SAN := $(HOST_san) -fno-sanitize=alignment
MMT_RENAME := $(foreach f,memcpy memmove memset memcmp memchr_inv strlen strnlen strcmp strncmp strchr strrchr strscpy \
	vsnprintf snprintf parse_u64 cmdline_get cmdline_is cmdline_u64,-D$(f)=k_$(f))
mmt-common := $(host-y) kernel/mm/boot_alloc.c
mmt-lib := $(patsubst %,kernel/lib/%.c,string vsnprintf parse cmdline rbtree)

$(eval $(call host_objects,$(MMT),san,$(HOST_KERNEL_CFLAGS) -O1 -fno-builtin -Wno-format -Itests/unit \
	$(HOST_KERNEL_INCLUDES) $(MMT_SAN),tests/unit/mm.mk))
$(MMT)/kernel/lib/%.o: host-extra := -ffreestanding -nostdlibinc $(MMT_RENAME)
$(MMT)/kernel/mm/%.o: host-extra := -ffreestanding -nostdlibinc -Dmemchr_inv=k_memchr_inv
$(eval $(call host_program,$(MMT)/lib_test,$(MMT),$(mmt-common) $(mmt-lib) tests/unit/lib_test.c,$(HOST_san) $(HOST_KERNEL_LINK)))
$(eval $(call host_program,$(MMT)/mm_test,$(MMT),$(mmt-common) $(mmt-lib) kernel/mm/buddy.c kernel/mm/slab.c \
	tests/unit/mm_test.c,$(HOST_san) $(HOST_KERNEL_LINK)))

# Address spaces; allocations can be made to fail.
MMT_WRAP := -Wl,--wrap=page_alloc,--wrap=kmem_cache_alloc
mmt-vm := $(patsubst %,kernel/mm/%.c,vm fault fork shared context tlb pgtable buddy slab)
$(eval $(call host_program,$(MMT)/vm_test,$(MMT),$(mmt-common) $(mmt-lib) $(mmt-vm) tests/unit/vm_test.c,\
	$(HOST_san) $(HOST_KERNEL_LINK) $(MMT_WRAP)))

# Address-space numbers and flushes.
$(eval $(call host_program,$(MMT)/asid_test,$(MMT),$(mmt-common) $(mmt-lib) kernel/mm/context.c \
	kernel/mm/tlb.c tests/unit/asid_test.c,$(HOST_san) $(HOST_KERNEL_LINK)))

# With several CPUs: once under address and undefined-behaviour sanitizers, once under the thread sanitizer.
MMC_san := $(MMT_SAN)
MMC_tsan := $(HOST_tsan)
define mmc_variant
$(call host_objects,$(MMT)/$(1),$(1),$(HOST_KERNEL_CFLAGS) -O1 $(HOST_KERNEL_INCLUDES) $(MMC_$(1)),tests/unit/mm.mk)
$(call host_program,$(MMT)/$(1)/context_test,$(MMT)/$(1),$(host-y) kernel/mm/context.c kernel/mm/tlb.c \
	tests/unit/context_test.c,$(MMC_$(1)) $(HOST_KERNEL_LINK))
$(call host_program,$(MMT)/$(1)/page_race_test,$(MMT)/$(1),$(host-y) kernel/mm/buddy.c \
	tests/unit/page_race_test.c,$(MMC_$(1)) $(HOST_KERNEL_LINK))
endef
$(foreach v,san tsan,$(eval $(call mmc_variant,$(v))))

MMC_PROGS := context_test page_race_test
test-unit-mm: $(MMT)/lib_test $(MMT)/mm_test $(MMT)/vm_test $(MMT)/asid_test $(MMC_PROGS:%=$(MMT)/san/%) $(MMC_PROGS:%=$(MMT)/tsan/%) ## host tests of kernel/lib and kernel/mm
	$(Q)$(MMT)/lib_test
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(MMT)/mm_test
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(MMT)/vm_test
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(MMT)/asid_test
	$(Q)$(foreach p,$(MMC_PROGS),ASAN_OPTIONS=detect_leaks=0 $(MMT)/san/$(p) && \
		TSAN_OPTIONS=halt_on_error=1 $(MMT)/tsan/$(p) &&) true
	@echo 'test-unit-mm: passed'

.PHONY: test-unit-mm
