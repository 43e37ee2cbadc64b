# reader.mk - host tests of tools/tracedump: `make test-unit-reader`, under ASan and UBSan.

unit-tests += test-unit-reader

READER := $(HOST)/unit-reader
READER_CFLAGS := $(TRACEDUMP_CFLAGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Itests/unit -Itests/unit/port
reader-common := $(tracedump-y) tests/unit/box_fixture.c tests/unit/port/port.c tracing/ring.c \
	tracing/tracker.c tracing/box.c tracing/schema.c
reader-progs := reader_test reader_fuzz

$(READER)/%.c.o: %.c tests/unit/reader.mk tools/tracedump/tracedump.mk
	@mkdir -p $(@D)
	$(say) HOSTCC '$< (san)'
	$(Q)$(HOSTCC) $(READER_CFLAGS) -MMD -MP -MF $@.d -c $< -o $@
reader-objs := $(patsubst %,$(READER)/%.o,$(reader-common))
$(reader-progs:%=$(READER)/%): $(READER)/%: $(READER)/tests/unit/%.c.o $(reader-objs)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -fsanitize=address,undefined $^ $(TRACEDUMP_LIBS) -lcmocka -lpthread -o $@

test-unit-reader: $(reader-progs:%=$(READER)/%) ## host tests of tracedump, with 20000 corruptions
	$(Q)$(foreach p,$(reader-progs),$(call unit_quiet,$(READER)/$(p),san);)
	@echo 'test-unit-reader: passed'

-include $(reader-objs:.o=.o.d) $(reader-progs:%=$(READER)/tests/unit/%.c.o.d)
.PHONY: test-unit-reader
