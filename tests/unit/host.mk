# host.mk - host tests of kernel/sync with several CPUs: `make test-unit-sync`. The kernel's own sources
# over kernel/arch/host (a CPU is a pthread), once under address and undefined-behaviour sanitizers, once
# under the thread sanitizer.

unit-tests += test-unit-sync

include kernel/arch/host/sources.mk
HOSTK := $(HOST)/unit-sync
HOSTK_CFLAGS := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -D_GNU_SOURCE -Wall \
	-Wextra -Werror -Wshadow -Wvla -Wundef -Wno-unused-parameter -Wno-macro-redefined -DCONFIG_DEBUG=1 -I. \
	-Ikernel/include -Ikernel/trace -Ikernel/arch/host/include
HOSTK_san  := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
HOSTK_tsan := -fsanitize=thread
HOSTK_SRCS := $(host-y) tests/unit/sync_test.c tracing/ring.c tracing/schema.c tracing/tracker.c tracing/box.c \
	kernel/trace/port.c kernel/lib/machine.c kernel/sync/preempt.c kernel/sync/spinlock.c kernel/sync/mutex.c \
	kernel/sync/wait.c
HOSTK_OBJS :=

define hostk_variant
$(HOSTK)/$(1)/%.c.o: %.c tests/unit/host.mk
	@mkdir -p $$(@D)
	$$(say) HOSTCC '$$< ($(1))'
	$$(Q)$$(HOSTCC) $$(HOSTK_CFLAGS) $$(HOSTK_$(1)) -MMD -MP -MF $$@.d -c $$< -o $$@
$(HOSTK)/$(1)/sync_test: $(HOSTK_SRCS:%=$(HOSTK)/$(1)/%.o)
	$$(say) HOSTLD $$@
	$$(Q)$$(HOSTCC) $$(HOSTK_$(1)) $$^ -Wl,-T,kernel/arch/host/host.ld -lcmocka -lpthread -o $$@
HOSTK_OBJS += $(HOSTK_SRCS:%=$(HOSTK)/$(1)/%.o)
endef
$(eval $(call hostk_variant,san))
$(eval $(call hostk_variant,tsan))

test-unit-sync: $(HOSTK)/san/sync_test $(HOSTK)/tsan/sync_test ## host tests of locks and waits with several CPUs
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(HOSTK)/san/sync_test
	$(Q)TSAN_OPTIONS=halt_on_error=1 $(HOSTK)/tsan/sync_test
	@echo 'test-unit-sync: passed'

-include $(HOSTK_OBJS:.o=.o.d)
.PHONY: test-unit-sync
