# vdso.mk - builds $(O)/vdso.so, a shared object for user mode, and puts it into the kernel.

VDSO_CFLAGS := --target=$(TARGET_$(ARCH)) -std=gnu11 -O2 -g -fPIC -ffreestanding -nostdlibinc \
	-fno-stack-protector -fasynchronous-unwind-tables '-ffile-prefix-map=$(CURDIR)=.' -Wall -Wextra -Werror -Wshadow \
	-Wundef -Ikernel/include -Ikernel/arch/$(ARCH)/include
VDSO_LDFLAGS := -shared --hash-style=both --build-id=sha1 --eh-frame-hdr -soname linux-vdso.so.1 -Bsymbolic \
	-z max-page-size=4096 -z noexecstack --no-undefined
vdso-objs := $(patsubst %,$(O)/vdso/%.o,$(vdso-y) $(vdso-$(ARCH)-y))

$(O)/vdso/%.o: % $(O)/.kflags kernel/vdso/vdso.mk
	@mkdir -p $(@D)
	$(say) 'VDSOCC' $<
	$(Q)$(CC) $(VDSO_CFLAGS) -MMD -MP -MF $@.d -c $< -o $@
$(O)/vdso/vdso.lds: kernel/vdso/vdso.lds.S kernel/vdso/vdso.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -D__ASSEMBLER__ -Wno-unused-command-line-argument -E -P -x c -MMD -MP -MF $@.d -MT $@ $< -o $@
$(O)/vdso.so: $(vdso-objs) $(O)/vdso/vdso.lds
	$(say) LD $@
	$(Q)$(LD) $(VDSO_LDFLAGS) -T $(O)/vdso/vdso.lds $(vdso-objs) -o $@.debug
	$(Q)$(OBJCOPY) -S $@.debug $@
$(O)/obj/kernel/vdso/image.S.o: KCFLAGS += -DVDSO_SO='"$(O)/vdso.so"'
$(O)/obj/kernel/vdso/image.S.o: $(O)/vdso.so

-include $(vdso-objs:.o=.o.d) $(O)/vdso/vdso.lds.d
