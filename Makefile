# Hindsight - the only entry. `make help` lists the targets.
#
#   make debug-run BUG=exec-deadlock     the story: boot, hang, diagnosis, timeline
#   make test                            everything, both architectures
#
# Variables: ARCH=aarch64|x86_64  CPUS=4  MEM=512M  CONFIG=debug|lean|bare|ubsan  CHECKS=on|off
#            BUG=exec-deadlock (BUG=x lists them all)  APPEND="kernel options"  V=1 (show commands)

ARCH   ?= aarch64
CONFIG ?= debug
CPUS   ?= 4
MEM    ?= 512M
CHECKS ?= on
BUG    ?=
ACCEL  ?= tcg
APPEND ?=
ARCHES := aarch64 x86_64
export ARCH CONFIG CPUS MEM CHECKS BUG ACCEL APPEND

include tests/harness/versions.mk

ifeq ($(filter $(ARCH),$(ARCHES)),)
$(error ARCH=$(ARCH) is not known; use one of: $(ARCHES))
endif
ifeq ($(filter $(CONFIG),debug lean bare ubsan),)
$(error CONFIG=$(CONFIG) is not known; use debug, lean, bare or ubsan)
endif
ifeq ($(filter $(CHECKS),on off),)
$(error CHECKS=$(CHECKS): use on or off)
endif

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

O    := build/$(ARCH)-$(CONFIG)
HOST := build/host

include kernel/kernel.mk
include user/user.mk
include tools/tracedump/tracedump.mk
include tests/tests.mk

all: setup ## build kernel, programs, disk image and tools for both architectures
	$(Q)$(MAKE) --no-print-directory ARCH=aarch64 build
	$(Q)$(MAKE) --no-print-directory ARCH=x86_64 build
build: kernel image tracedump ## build for ARCH only

help: ## this list
	@echo "make TARGET [NAME=value ...]; the names are at the end of this list"
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' tests/tests.mk \
		$(filter-out tests/tests.mk,$(MAKEFILE_LIST))
	@sed -n '/^# Variables:/,/^$$/s/^# *//p' Makefile

clean: ## remove build/
	rm -rf build

.PHONY: all build help clean
