# model.mk - the held stack's rule for readers, checked over every interleaving by spin: `make test-unit-model`.
# The model must hold, and must fail without the writer's fence and without the reader's second look.

unit-tests += test-unit-model

MODEL := $(HOST)/unit-model
# $(1) name, $(2) define, $(3) errors expected
define model_run
	$(Q)mkdir -p $(MODEL)/$(1) && cd $(MODEL)/$(1) && spin $(2) -a $(CURDIR)/tests/unit/held.pml > spin.log && \
		$(HOSTCC) -O1 -w -DSAFETY -o pan pan.c && ./pan > pan.log 2>&1; \
		grep -q 'errors: $(3)$$' pan.log && echo "ok - held stack, $(1): $(3) errors" || { cat spin.log pan.log; exit 1; }
endef

test-unit-model: ## the held stack's model (spin): it holds, and fails where it must
	$(call model_run,as-written,,0)
	$(call model_run,without-fence,-DNO_FENCE,1)
	$(call model_run,without-second-look,-DNO_RECHECK,1)
	@echo 'test-unit-model: passed'

.PHONY: test-unit-model
