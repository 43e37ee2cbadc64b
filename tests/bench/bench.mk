# bench.mk - `make bench`: what calls, faults and switches cost, beside Linux; `make bench-host`: the
# tracer's cost on the host, as a ratio to the machine's limit.

# ARCH= and CONFIG= choose only when they are given; else all are measured.
bench-given = $(foreach v,ARCH CONFIG,$(if $(findstring command,$(origin $(v))),$(v)=$($(v))))
bench: setup ## instructions of calls, faults, switches beside Linux's: [ROWS="read1 pipe"] [ARCH=] [CONFIG=]
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) tests/bench/bench.py $(bench-given) ROWS="$(ROWS)"
bench-accept: setup ## what the short form in `make test` measures now becomes what it compares with
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) tests/bench/bench.py --accept

BENCH := $(HOST)/bench
$(eval $(call host_objects,$(BENCH),bench,-std=gnu11 -g -O2 -fno-strict-aliasing -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -I. -Itests/bench -Itests/unit/port,tests/bench/bench.mk))
$(eval $(call host_program,$(BENCH)/bench_host,$(BENCH),tests/bench/bench_host.c tests/unit/port/port.c $(tracing-y)))

bench-host: $(BENCH)/bench_host ## cost of one event on the host; fails above 1.2 on, 0.1 off
	$(Q)$< -c

.PHONY: bench bench-accept bench-host
