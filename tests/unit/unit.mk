# unit.mk - host tests of tracing/: `make test-unit-tracing`. SECONDS=600 stresses for ten minutes.
# Variants: plain, san (address and undefined behaviour), tsan (threads). Step modes single-step every
# instruction, so they run where the instrumentation is light; tsan runs the live mode.

unit-tests += test-unit-tracing

UNIT := $(HOST)/unit
UNIT_CFLAGS := -std=gnu11 -g -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wno-unused-parameter \
	-I. -Itests/unit -Itests/unit/port
UNIT_plain :=
UNIT_san   := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_tsan  := -fsanitize=thread -DUNIT_TSAN=1
UNIT_VARIANTS := plain san tsan
UNIT_SECONDS := $(if $(filter file command environment,$(origin SECONDS)),$(SECONDS),3)

unit-common := tests/unit/port/port.c tests/unit/ring_reader.c tracing/ring.c tracing/tracker.c \
	tracing/box.c tracing/schema.c
unit-progs := ring_test ring_stress tracker_test tracker_check_test tracker_race_test box_test
unit-bins := $(foreach v,$(UNIT_VARIANTS),$(foreach p,$(unit-progs),$(UNIT)/$(v)/$(p)))
unit-objs :=

# $(1) variant: how a source becomes an object, and which objects a program has
define unit_variant
$(UNIT)/$(1)/%.c.o: %.c tests/unit/unit.mk
	@mkdir -p $$(@D)
	$$(say) HOSTCC '$$< ($(1))'
	$$(Q)$$(HOSTCC) $$(UNIT_CFLAGS) $$(UNIT_$(1)) -MMD -MP -MF $$@.d -c $$< -o $$@
$(foreach p,$(unit-progs),$(eval $(UNIT)/$(1)/$(p): $(UNIT)/$(1)/tests/unit/$(p).c.o \
	$(patsubst %,$(UNIT)/$(1)/%.o,$(unit-common))))
$(foreach p,$(unit-progs),$(UNIT)/$(1)/$(p)): $(UNIT)/$(1)/%:
	$$(say) HOSTLD $$@
	$$(Q)$$(HOSTCC) $$(UNIT_$(1)) $$^ -lcmocka -lpthread -o $$@
unit-objs += $(patsubst %,$(UNIT)/$(1)/%.o,$(unit-common) $(unit-progs:%=tests/unit/%.c))
endef
$(foreach v,$(UNIT_VARIANTS),$(eval $(call unit_variant,$(v))))

# cmocka prints each case; keep that for failures only.
unit_quiet = $(1) > $(1).log 2>&1 && sed -n 's/^\[  PASSED  \] /$(notdir $(1)) ($(2)): passed /p' $(1).log \
	|| { cat $(1).log; exit 1; }

test-unit-tracing: $(unit-bins) ## host tests of rings, tracker and box (SECONDS=n: stress time a mode)
	$(Q)$(foreach v,$(UNIT_VARIANTS),$(foreach p,$(filter-out ring_stress,$(unit-progs)),\
		$(call unit_quiet,$(UNIT)/$(v)/$(p),$(v));))
	$(Q)$(UNIT)/plain/ring_stress -s $(UNIT_SECONDS)
	$(Q)$(UNIT)/san/ring_stress -s $(UNIT_SECONDS)
	$(Q)$(UNIT)/tsan/ring_stress -s $(UNIT_SECONDS) -m live
	@echo 'test-unit-tracing: passed'

# The tracer's cost is measured on the same host port.
-include tests/bench/bench.mk

-include $(unit-objs:.o=.o.d)
.PHONY: test-unit-tracing
