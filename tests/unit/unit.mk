# unit.mk - host tests of tracing/: `make test-unit-tracing`. SECONDS=600 stresses for ten minutes.
# Variants: plain, san (address and undefined behaviour), tsan (threads). Step modes single-step every
# instruction, so they run where the instrumentation is light; tsan runs the live mode.

unit-tests += test-unit-tracing

UNIT := $(HOST)/unit
UNIT_CFLAGS := $(HOST_CFLAGS) -O2 -fno-strict-aliasing -Wstrict-prototypes -Wmissing-prototypes -Itests/unit -Itests/unit/port
UNIT_VARIANTS := plain san tsan
UNIT_SECONDS := $(if $(filter file command environment,$(origin SECONDS)),$(SECONDS),3)

unit-common := tests/unit/port/port.c tests/unit/ring_reader.c $(tracing-y)
unit-progs := ring_test ring_stress tracker_test tracker_check_test tracker_lives_test tracker_race_test box_test
unit-bins := $(foreach v,$(UNIT_VARIANTS),$(foreach p,$(unit-progs),$(UNIT)/$(v)/$(p)))

define unit_variant
$(call host_objects,$(UNIT)/$(1),$(1),$(UNIT_CFLAGS) $(HOST_$(1)) $(if $(filter tsan,$(1)),-DUNIT_TSAN=1),tests/unit/unit.mk)
$(foreach p,$(unit-progs),$(call host_program,$(UNIT)/$(1)/$(p),$(UNIT)/$(1),$(unit-common) tests/unit/$(p).c,\
	$(HOST_$(1)) -lcmocka -lpthread)
)
endef
$(foreach v,$(UNIT_VARIANTS),$(eval $(call unit_variant,$(v))))

test-unit-tracing: $(unit-bins) ## host tests of rings, tracker and box (SECONDS=n: stress time a mode)
	$(Q)$(foreach v,$(UNIT_VARIANTS),$(foreach p,$(filter-out ring_stress,$(unit-progs)),\
		$(call unit_quiet,$(UNIT)/$(v)/$(p),$(v));))
	$(Q)$(UNIT)/plain/ring_stress -s $(UNIT_SECONDS)
	$(Q)$(UNIT)/san/ring_stress -s $(UNIT_SECONDS)
	$(Q)$(UNIT)/tsan/ring_stress -s $(UNIT_SECONDS) -m live
	@echo 'test-unit-tracing: passed'

# The tracer's cost is measured on the same host port.
include tests/bench/bench.mk

.PHONY: test-unit-tracing
