# reader.mk - host tests of tools/tracedump: `make test-unit-reader`, under ASan and UBSan.

unit-tests += test-unit-reader

READER := $(HOST)/unit-reader
reader-common := $(tracedump-y) tests/unit/box_fixture.c tests/unit/look.c tests/unit/port/port.c $(tracing-y)
reader-progs := reader_test timeline_test why_test why_lock_test why_pipe_test why_report_test reader_fuzz

$(eval $(call host_objects,$(READER),san,$(TRACEDUMP_CFLAGS) -O1 -g -fno-omit-frame-pointer $(HOST_san) -Itests/unit \
	-Itests/unit/port,tests/unit/reader.mk tools/tracedump/tracedump.mk))
$(foreach p,$(reader-progs),$(eval $(call host_program,$(READER)/$(p),$(READER),$(reader-common) \
	tests/unit/$(p).c,$(HOST_san) $(TRACEDUMP_LIBS) -lcmocka -lpthread)))

test-unit-reader: $(reader-progs:%=$(READER)/%) ## host tests of tracedump, with 20000 corruptions
	$(Q)$(foreach p,$(reader-progs),$(call unit_quiet,$(READER)/$(p),san);)
	@echo 'test-unit-reader: passed'

.PHONY: test-unit-reader
