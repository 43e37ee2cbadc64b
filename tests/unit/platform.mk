# platform.mk - host tests of what reads a firmware's or a device's tables: `make test-unit-platform`.
# The kernel's own readers over kernel/arch/host; address and undefined-behaviour sanitizers.

unit-tests += test-unit-platform

PLT := $(HOST)/unit-platform
$(eval $(call host_objects,$(PLT),san,$(HOST_KERNEL_CFLAGS) -O1 -Wno-format $(HOST_KERNEL_INCLUDES) $(HOST_san) \
	-fno-sanitize=alignment,tests/unit/platform.mk))
# The kernel's strscpy() without its namesakes of the C library.
$(PLT)/kernel/lib/string.c.o: host-extra := -ffreestanding -fno-builtin $(MMT_RENAME)
$(PLT)/kernel/arch/x86_64/acpi.c.o: host-extra := -Dstrscpy=k_strscpy
$(eval $(call host_program,$(PLT)/platform_test,$(PLT),$(host-y) kernel/lib/string.c kernel/arch/aarch64/fdt.c \
	kernel/arch/x86_64/acpi.c kernel/arch/x86_64/warp.c kernel/drivers/pci_cap.c tests/unit/platform_test.c,$(HOST_san) $(HOST_KERNEL_LINK)))

test-unit-platform: $(PLT)/platform_test ## host tests of device tree, ACPI tables, PCI capabilities, counters
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(PLT)/platform_test
	@echo 'test-unit-platform: passed'

.PHONY: test-unit-platform
