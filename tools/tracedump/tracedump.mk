# tracedump.mk - the host tool that explains black boxes.
#   make tracedump     builds $(HOST)/tracedump

tracedump-y := tools/tracedump/read/util.c tools/tracedump/read/reader.c tools/tracedump/read/box.c \
	tools/tracedump/read/names.c tools/tracedump/read/elf.c tools/tracedump/read/ring.c \
	tools/tracedump/think/model.c tools/tracedump/think/devq.c tools/tracedump/think/why.c \
	tools/tracedump/think/needs.c tools/tracedump/think/verdict.c tools/tracedump/think/reports.c \
	tools/tracedump/think/load.c tools/tracedump/think/words.c tools/tracedump/think/json.c \
	$(patsubst %,tools/tracedump/think/verdict_%.c,orphan cycle owner cpu waker device starved corrupt freed) \
	tools/tracedump/say/explain.c \
	tools/tracedump/say/explain_json.c tools/tracedump/read/session.c tools/tracedump/say/show.c \
	tools/tracedump/timeline/proto.c tools/tracedump/timeline/perfetto.c tools/tracedump/timeline/perfetto_tracks.c \
	tools/tracedump/timeline/perfetto_calls.c

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
