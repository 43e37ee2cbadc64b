# bench.mk - `make bench-host`: the tracer's cost on the host, as a ratio to the machine's limit.

BENCH := $(HOST)/bench
BENCH_CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -I. -Itests/bench -Itests/unit/port
bench-objs := $(patsubst %,$(BENCH)/%.o,tests/bench/bench_host.c tests/unit/port/port.c \
	tracing/ring.c tracing/tracker.c tracing/box.c tracing/schema.c)

$(BENCH)/%.c.o: %.c tests/bench/bench.mk
	@mkdir -p $(@D)
	$(say) HOSTCC '$< (bench)'
	$(Q)$(HOSTCC) $(BENCH_CFLAGS) -MMD -MP -MF $@.d -c $< -o $@
$(BENCH)/bench_host: $(bench-objs)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) $^ -o $@

bench-host: $(BENCH)/bench_host ## cost of one event on the host; fails above 1.2 on, 0.1 off
	$(Q)$< -c

-include $(bench-objs:.o=.o.d)
.PHONY: bench-host
