# sources of kernel/syscall
kernel-y += kernel/syscall/dispatch.c kernel/syscall/fd.c kernel/syscall/file.c \
	kernel/syscall/legacy.c kernel/syscall/memory.c kernel/syscall/names.c kernel/syscall/poll.c kernel/syscall/proc.c \
	kernel/syscall/readonly.c kernel/syscall/system.c

$(O)/obj/syscall_names.inc: kernel/arch/$(ARCH)/include/asm/syscall_nr.h
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sed -n 's/^#define __NR_\([a-z0-9_]*\) *\([0-9]*\)$$/NAME(\2, "\1")/p' $< > $@
$(O)/obj/kernel/syscall/names.c.o: $(O)/obj/syscall_names.inc
$(O)/obj/kernel/syscall/names.c.o: private KCFLAGS += -I$(O)/obj
