# tracedump.mk - the host tool that explains black boxes.
#   make tracedump     builds $(HOST)/tracedump

tracedump-y := tools/tracedump/util.c tools/tracedump/reader.c tools/tracedump/box.c \
	tools/tracedump/names.c tools/tracedump/elf.c tools/tracedump/ring.c \
	tools/tracedump/model.c tools/tracedump/devq.c tools/tracedump/why.c tools/tracedump/explain.c \
	tools/tracedump/explain_json.c tools/tracedump/session.c tools/tracedump/show.c \
	tools/tracedump/proto.c tools/tracedump/perfetto.c tools/tracedump/perfetto_tracks.c

TRACEDUMP_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla -I. -Itools/tracedump
TRACEDUMP_LIBS := -ldw -lelf -lz

$(HOST)/tracedump.d/%.c.o: %.c tools/tracedump/tracedump.mk
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(TRACEDUMP_CFLAGS) -O2 -g -MMD -MP -MF $@.d -c $< -o $@
tracedump-o := $(patsubst %,$(HOST)/tracedump.d/%.o,$(tracedump-y) tools/tracedump/main.c)
$(HOST)/tracedump: $(tracedump-o)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) $^ $(TRACEDUMP_LIBS) -o $@

tracedump: $(HOST)/tracedump ## the tool that explains a black box
-include $(tracedump-o:.o=.o.d)
.PHONY: tracedump
