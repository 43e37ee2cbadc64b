# kernel.mk - builds $(O)/kernel.elf (and kernel.img, the flat form that QEMU boots on aarch64).
# Each folder lists its sources in sources.mk as `kernel-y += path`; architecture folders as
# `kernel-$(arch)-y`.

kernel-y :=
include kernel/lib/sources.mk kernel/sync/sources.mk kernel/mm/sources.mk kernel/sched/sources.mk \
	kernel/irq/sources.mk kernel/task/sources.mk kernel/fs/sources.mk kernel/ipc/sources.mk kernel/tty/sources.mk \
	kernel/drivers/sources.mk kernel/syscall/sources.mk kernel/debug/sources.mk \
	kernel/trace/sources.mk kernel/vdso/sources.mk kernel/arch/$(ARCH)/sources.mk tracing/sources.mk
kernel-y += kernel/main.c

TARGET_aarch64 := aarch64-linux-gnu
TARGET_x86_64  := x86_64-linux-gnu
KCFLAGS_aarch64 := -march=armv8.1-a -mgeneral-regs-only -mno-outline-atomics -mcmodel=small \
	-mbranch-protection=none
KCFLAGS_x86_64 := -mgeneral-regs-only -mno-red-zone -mcmodel=kernel -fcf-protection=none
KCFLAGS_debug := -O2 -DCONFIG_DEBUG=1 -DCONFIG_HANGBENCH=1
KCFLAGS_lean  := -O2
KCFLAGS_bare  := -O2 -DTRACING=0
KCFLAGS_ubsan := -O2 -DCONFIG_DEBUG=1 -DCONFIG_HANGBENCH=1 -fsanitize=undefined -fsanitize-trap=undefined \
	-fno-sanitize=alignment

KCFLAGS := --target=$(TARGET_$(ARCH)) -std=gnu11 -ffreestanding -nostdlibinc -fno-pic -fno-pie \
	-U__linux__ -Ulinux -fno-strict-aliasing -fwrapv -fno-common -fno-omit-frame-pointer \
	-mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls \
	-fno-delete-null-pointer-checks -fno-stack-protector -ftrivial-auto-var-init=zero \
	-fno-asynchronous-unwind-tables -g -gdwarf-4 -gdwarf-aranges '-ffile-prefix-map=$(CURDIR)=.' \
	-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla -Wundef \
	-Wimplicit-fallthrough -Wno-unused-parameter -Wthread-safety -Wthread-safety-beta \
	-I. -Ikernel/include -Ikernel/trace -Ikernel/arch/$(ARCH)/include \
	$(KCFLAGS_$(ARCH)) $(KCFLAGS_$(CONFIG)) -DHS_RELEASE='"Hindsight 0.1 $(CONFIG)"'

# The short ways of locks are leaves without a frame, and end in jumps to the long ones.
kcflags-kernel/sync/spinlock.c := -fomit-frame-pointer -momit-leaf-frame-pointer -foptimize-sibling-calls
kcflags-kernel/sync/mutex.c := $(kcflags-kernel/sync/spinlock.c)
# So are the writers of events; a walk over frames from inside one misses who called it.
kcflags-tracing/ring.c := -fomit-frame-pointer -momit-leaf-frame-pointer

kobjs := $(patsubst %,$(O)/obj/%.o,$(kernel-y))
compdb := $(patsubst %,%.json,$(filter %.c.o,$(kobjs)))

# Flags stamp: a change of flags rebuilds.
$(O)/.kflags: FORCE
	@mkdir -p $(@D)
	@echo '$(KCFLAGS) $(CC)' | cmp -s - $@ || echo '$(KCFLAGS) $(CC)' > $@

$(O)/obj/%.c.o: %.c $(O)/.kflags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(KCFLAGS) $(kcflags-$<) -MMD -MP -MF $@.d -MJ $@.json -c $< -o $@
$(O)/obj/%.S.o: %.S $(O)/.kflags $(O)/obj/asm-offsets.h
	@mkdir -p $(@D)
	$(say) AS $<
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLER__ -I$(O)/obj -MMD -MP -MF $@.d -c $< -o $@

# Constants for assembly: asm-offsets.c holds OFFSET(name, type, member) and DEFINE(name, value).
$(O)/obj/asm-offsets.h: kernel/arch/$(ARCH)/asm-offsets.c $(O)/.kflags
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -MF $@.d -MT $@ -S $< -o $@.s
	$(Q)sed -n 's/^.*->\([A-Z_0-9]*\) [$$#]*\(-\{0,1\}[0-9]*\).*/#define \1 \2/p' $@.s > $@

# Symbols and lines for backtraces and the black box: link once without, read the symbols and where
# each call stands, link again with them at the very end of the image's read-only data, so that no code
# address moves.
LDFLAGS_K := -nostdlib -static --build-id=sha1 -z noexecstack -z max-page-size=4096 --orphan-handling=warn \
	--no-undefined
KLDS := $(O)/obj/kernel.lds
$(KLDS): kernel/kernel.lds.S $(O)/.kflags
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLER__ -E -P -x c -MMD -MP -MF $@.dep -MT $@ $< -o $@

$(O)/obj/ksyms0.S: kernel/lib/ksyms.py
	@mkdir -p $(@D)
	$(Q)python3 kernel/lib/ksyms.py --empty > $@
$(O)/obj/klines0.S: kernel/lib/klines.py
	@mkdir -p $(@D)
	$(Q)python3 kernel/lib/klines.py --empty > $@
$(O)/obj/k%.o: $(O)/obj/k%.S
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLER__ -c $< -o $@
tables0 := $(O)/obj/ksyms0.o $(O)/obj/klines0.o
tables := $(O)/obj/ksyms.o $(O)/obj/klines.o
$(O)/kernel.pass1: $(kobjs) $(tables0) $(KLDS)
	$(say) LD $@
	$(Q)$(LD) $(LDFLAGS_K) -T $(KLDS) $(kobjs) $(tables0) -o $@
$(O)/obj/ksyms.S: $(O)/kernel.pass1 kernel/lib/ksyms.py
	$(Q)$(NM) -n -S --defined-only $< | python3 kernel/lib/ksyms.py > $@
$(O)/obj/klines.S: $(O)/kernel.pass1 kernel/lib/klines.py
	$(Q)python3 kernel/lib/klines.py $(OBJDUMP) $(SYMBOLIZER) $< > $@
$(O)/kernel.elf: $(kobjs) $(tables) $(KLDS)
	$(say) LD $@
	$(Q)$(LD) $(LDFLAGS_K) -T $(KLDS) $(kobjs) $(tables) -o $@
	$(Q)$(NM) -n -S --defined-only $@ | python3 kernel/lib/ksyms.py --check $(O)/obj/ksyms.S
$(O)/kernel.img: $(O)/kernel.elf
	$(Q)$(OBJCOPY) -O binary $< $@

include kernel/vdso/vdso.mk

kernel: $(O)/kernel.elf $(O)/kernel.img ## the kernel for ARCH and CONFIG

compdb: kernel ## compile_commands.json for editors and clang-tidy
	$(Q)(echo '['; cat $(compdb) | sed '$$s/,$$//'; echo ']') > compile_commands.json

-include $(kobjs:.o=.o.d) $(O)/obj/asm-offsets.h.d $(KLDS).dep
FORCE:
.PHONY: kernel compdb FORCE
