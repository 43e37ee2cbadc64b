# rules.mk - how a host test is built; unit.mk and its like say what of. Included first.
#
#   $(eval $(call host_objects,DIR,LABEL,FLAGS,MAKEFILE))       any source becomes DIR/source.o with FLAGS
#   $(eval $(call host_program,PROGRAM,DIR,SOURCES,LINK))       PROGRAM of the SOURCES' objects in DIR
#   $(call unit_quiet,PROGRAM,LABEL)                            runs it; cmocka's cases are shown only on failure
#
# host-extra, set for a pattern of objects, adds flags to those alone.

define host_objects
$(1)/%.c.o: %.c $(4) tests/unit/rules.mk
	@mkdir -p $$(@D)
	$$(say) HOSTCC '$$< ($(2))'
	$$(Q)$$(HOSTCC) $(3) $$(host-extra) -MMD -MP -MF $$@.d -c $$< -o $$@
endef

define host_program
$(1): $(patsubst %,$(2)/%.o,$(3))
	$$(say) HOSTLD $$@
	$$(Q)$$(HOSTCC) $$^ $(4) -o $$@
-include $(patsubst %,$(2)/%.o.d,$(3))
endef

unit_quiet = $(1) > $(1).log 2>&1 && sed -n 's/^\[  PASSED  \] /$(notdir $(1)) ($(2)): passed /p' $(1).log \
	|| { cat $(1).log; exit 1; }

# The sanitizers, and what all host tests are compiled with.
HOST_CFLAGS := -std=gnu11 -g -fno-omit-frame-pointer -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wvla -Wundef \
	-Wno-unused-parameter -I.
# Kernel sources over kernel/arch/host.
HOST_KERNEL_CFLAGS := $(HOST_CFLAGS) -fno-strict-aliasing -fwrapv -Wno-macro-redefined -DCONFIG_DEBUG=1
HOST_KERNEL_INCLUDES := -Ikernel/include -Ikernel/trace -Ikernel/arch/host/include
HOST_KERNEL_LINK := -Wl,-T,kernel/arch/host/host.ld -lcmocka -lpthread
include kernel/arch/host/sources.mk
HOST_plain :=
HOST_san   := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_tsan  := -fsanitize=thread
