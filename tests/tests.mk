# tests.mk - set up, run, debug and test. Python from the distribution, so that pytest is found.
PYTHON := /usr/bin/python3
HARNESS := tests/harness

unit-tests :=
include tests/unit/rules.mk
include $(filter-out tests/unit/rules.mk,$(sort $(wildcard tests/unit/*.mk))) # each adds its target to unit-tests

setup: ## install what is needed (Debian 12); a no-op when it is there
	$(Q)$(HARNESS)/setup.sh build/.setup $(HOST_PACKAGES)

run: setup ## boot ARCH to its prompt on this terminal (Ctrl-A x quits)
	$(Q)$(MAKE) --no-print-directory build
	$(Q)$(PYTHON) $(HARNESS)/run.py

debug-run: setup ## boot under GDB and say what hangs: [ARCH=] [BUG=exec-deadlock] [CPUS=] [CHECKS=on|off]
	$(Q)$(MAKE) --no-print-directory build
	$(Q)$(PYTHON) $(HARNESS)/debug_run.py

test: setup ## everything, both architectures; ends with `N passed, N failed`
	$(Q)$(MAKE) --no-print-directory tracedump
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) $(HARNESS)/suite.py full

test-quick: setup ## rules, host tests and one boot each, in under 3 minutes
	$(Q)$(MAKE) --no-print-directory tracedump
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) $(HARNESS)/suite.py quick

test-unit: setup ## host tests: rings, tracker, box, reader, file system
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) $(HARNESS)/suite.py unit
list-unit-tests:
	@echo $(unit-tests)

test-integration: setup ## boots of both architectures, GDB commands, timelines
	$(Q)MAKE=$(MAKE_COMMAND) $(PYTHON) $(HARNESS)/suite.py integration

soak: setup ## N=20 boots of ARCH in a row, each must be healthy
	$(Q)$(MAKE) --no-print-directory build
	$(Q)$(PYTHON) $(HARNESS)/soak.py

test-long: setup ## what takes longer than make test may: [MINUTES=10] of stress, [BOOTS=50], [N=60] mutants
	$(Q)$(MAKE) --no-print-directory all
	$(Q)MAKE=$(MAKE_COMMAND) MINUTES=$(or $(MINUTES),10) BOOTS=$(or $(BOOTS),50) $(PYTHON) $(HARNESS)/suite.py long

mutate: setup ## one line changed at a time: do the tests notice? [MUTATE="think mm"] [N=60] [SEED=1] [AGAIN=1]
	$(Q)$(PYTHON) tests/mutate/mutate.py MUTATE="$(MUTATE)" N="$(N)" SEED="$(SEED)" ARCH=$(ARCH)

check: setup ## house rules: format, layers, event ids, READMEs
	$(Q)$(MAKE) --no-print-directory CONFIG=debug all
	$(Q)$(PYTHON) $(HARNESS)/check.py

docs: ## rewrite the documents that are made from the sources: docs/locking.md
	$(Q)$(PYTHON) $(HARNESS)/locking.py

format: ## rewrite the sources to .clang-format
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-$(LLVM) -i

.PHONY: setup run debug-run test test-quick test-unit list-unit-tests test-integration test-long mutate soak check docs format
