# host.mk - host tests of kernel/sync with several CPUs: `make test-unit-sync`. The kernel's own sources
# over kernel/arch/host (a CPU is a pthread), once under address and undefined-behaviour sanitizers, once
# under the thread sanitizer.

unit-tests += test-unit-sync

HOSTK := $(HOST)/unit-sync
HOSTK_san  := $(HOST_san) -fno-sanitize=alignment
HOSTK_tsan := $(HOST_tsan)
HOSTK_SRCS := $(host-y) tests/unit/sync_test.c

define hostk_variant
$(call host_objects,$(HOSTK)/$(1),$(1),$(HOST_KERNEL_CFLAGS) -O1 $(HOST_KERNEL_INCLUDES) $(HOSTK_$(1)),tests/unit/host.mk)
$(call host_program,$(HOSTK)/$(1)/sync_test,$(HOSTK)/$(1),$(HOSTK_SRCS),\
	$(HOSTK_$(1)) $(HOST_KERNEL_LINK))
endef
$(foreach v,san tsan,$(eval $(call hostk_variant,$(v))))

test-unit-sync: $(HOSTK)/san/sync_test $(HOSTK)/tsan/sync_test ## host tests of locks and waits with several CPUs
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(HOSTK)/san/sync_test
	$(Q)TSAN_OPTIONS=halt_on_error=1 $(HOSTK)/tsan/sync_test
	@echo 'test-unit-sync: passed'

.PHONY: test-unit-sync
