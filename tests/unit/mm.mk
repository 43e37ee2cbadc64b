# mm.mk - host tests of kernel/lib and of the allocators in kernel/mm: `make test-unit-mm`.
# The kernel's own sources with tests/unit/mm_shim in place of the rest; address and undefined-behaviour
# sanitizers. kernel/lib's C functions get the prefix k_ beside the C library's.

unit-tests += test-unit-mm

MMT := $(HOST)/unit-mm
MMT_CFLAGS := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -fno-builtin -Wall -Wextra \
	-Werror -Wshadow -Wvla -Wundef -Wno-unused-parameter -Wno-macro-redefined -Wno-format -DCONFIG_DEBUG=1 -I. -Itests/unit \
	-Itests/unit/mm_shim -Ikernel/include -Ikernel/trace -Ikernel/arch/host/include \
	-fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
MMT_RENAME := $(foreach f,memcpy memmove memset memcmp strlen strnlen strcmp strncmp strchr strrchr strscpy \
	vsnprintf snprintf parse_u64 cmdline_get cmdline_is cmdline_u64,-D$(f)=k_$(f))
MMT_KERNEL := -ffreestanding -nostdlibinc
MMT_LIB := string vsnprintf parse cmdline rbtree
MMT_MM := boot_alloc buddy slab
mmt-common := $(MMT)/mm_shim/shim.o $(MMT)/lib/machine.o $(MMT)/host/cpu.o
mmt-lib-objs := $(mmt-common) $(MMT_LIB:%=$(MMT)/lib/%.o) $(MMT)/lib_test.o $(MMT)/mm/boot_alloc.o
mmt-mm-objs := $(mmt-common) $(MMT_MM:%=$(MMT)/mm/%.o) $(MMT)/mm_test.o

$(MMT)/lib/%.o: kernel/lib/%.c tests/unit/mm.mk
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(MMT_CFLAGS) $(MMT_KERNEL) $(MMT_RENAME) -MMD -MP -MF $@.d -c $< -o $@
$(MMT)/mm/%.o: kernel/mm/%.c tests/unit/mm.mk
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(MMT_CFLAGS) $(MMT_KERNEL) -MMD -MP -MF $@.d -c $< -o $@
$(MMT)/host/%.o: kernel/arch/host/%.c tests/unit/mm.mk
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(MMT_CFLAGS) -D_GNU_SOURCE -MMD -MP -MF $@.d -c $< -o $@
$(MMT)/%.o: tests/unit/%.c tests/unit/mm.mk
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(MMT_CFLAGS) -MMD -MP -MF $@.d -c $< -o $@
$(MMT)/lib_test: $(mmt-lib-objs)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -fsanitize=address,undefined $^ -lcmocka -o $@
$(MMT)/mm_test: $(mmt-mm-objs)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -fsanitize=address,undefined $^ -lcmocka -o $@

test-unit-mm: $(MMT)/lib_test $(MMT)/mm_test ## host tests of kernel/lib and the allocators
	$(Q)$(MMT)/lib_test
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(MMT)/mm_test
	@echo 'test-unit-mm: passed'

-include $(mmt-lib-objs:.o=.o.d) $(mmt-mm-objs:.o=.o.d)
.PHONY: test-unit-mm
