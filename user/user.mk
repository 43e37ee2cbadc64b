# user.mk - programs for the guest: built with the same clang against Debian's musl, static, for both
# architectures; and $(O)/disk.img, the file system that they live in.

SYSROOT := build/sysroot
UB := build/user/$(ARCH)

# name: sources. /bin and /sbin:
user-bin := sh pile cpuhog crosspipe crosspoll enosys-loop forkstorm testall
user-sbin := init
src_init := user/init.c user/lib/run.c
src_sh := user/sh.c user/lib/run.c
src_pile := user/demo/pile.c user/lib/run.c
src_cpuhog := user/demo/cpuhog.c
src_crosspipe := user/demo/crosspipe.c
src_crosspoll := user/demo/crosspoll.c
src_enosys-loop := user/demo/enosys-loop.c
src_forkstorm := user/demo/forkstorm.c
src_testall := user/tests/testall.c
# Tests: user/tests/NAME.c each, run by testall in this order. Helpers are started by tests.
user-tests := hello fork_test wait_test exec_test cow_test mmap_test brk_test fp_test pipe_test poll_test fd_test \
	file_read_test dir_test clock_test kill_test preempt_test badptr_test enosys_test elf_corrupt_test \
	abi_test readonly_test limits_test calls_test regs_test vdso_test state_test
user-helpers := argv_echo exit42 family hostile oom
$(foreach t,$(user-tests) $(user-helpers),$(eval src_$(t) := user/tests/$(t).c))
# What busybox serves on the disk.
user-applets := ls cat echo true false sleep uname head tail wc grep sort find stat md5sum seq yes date env \
	hexdump ash printf test basename dirname tr cut uniq id pwd kill cmp sed awk xargs tee time

# The benchmark lives on a disk of its own. It is compiled as it is, so without our warnings.
user-bench := kbench
src_kbench := user/bench/kbench.c
cflags_kbench := -w -pthread

user-programs := $(user-bin) $(user-sbin) $(user-tests) $(user-helpers) $(user-bench)

UCFLAGS_aarch64 := -march=armv8-a
UCFLAGS_x86_64 :=
UCFLAGS = --target=$(1)-linux-musl -std=gnu11 -O2 -g -nostdlibinc -fno-omit-frame-pointer \
	-isystem $(SYSROOT)/$(1)/usr/include/$(1)-linux-musl '-ffile-prefix-map=$(CURDIR)/=' \
	-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla -Wundef \
	-Wno-unused-parameter -Iuser/lib -Iuser/tests $(UCFLAGS_$(1))
umusl = $(SYSROOT)/$(1)/usr/lib/$(1)-linux-musl
urt = $(SYSROOT)/$(1)/usr/lib/llvm-16/lib/clang/16/lib/linux/libclang_rt.builtins-$(1).a

$(SYSROOT)/.done: user/sysroot.sh
	$(Q)sh user/sysroot.sh $(SYSROOT)
	@touch $@
sysroot: $(SYSROOT)/.done ## fetch musl and busybox for both architectures (once, from Debian)

# $(1) architecture, $(2) program. The second object of static-pie programs is musl's rcrt1.o.
define user_program
build/user/$(1)/$(2): $$(src_$(2)) user/user.mk $$(wildcard user/lib/*.h user/tests/*.h) $(SYSROOT)/.done
	@mkdir -p $$(@D)
	$$(say) USERCC '$(2) ($(1))'
	$$(Q)$$(CC) $$(call UCFLAGS,$(1)) $$(cflags_$(2)) \
		$$(if $$(filter $(2),$$(user-pie)),-fPIE -static-pie,-static) -fuse-ld=lld \
		-nostdlib -nostartfiles \
		$$(call umusl,$(1))/$$(if $$(filter $(2),$$(user-pie)),rcrt1.o,crt1.o) \
		$$(call umusl,$(1))/crti.o $$(src_$(2)) -L$$(call umusl,$(1)) \
		-Wl,--start-group -lc $$(call urt,$(1)) -Wl,--end-group $$(call umusl,$(1))/crtn.o -o $$@
endef
user-pie := argv_echo
$(foreach a,$(ARCHES),$(foreach p,$(user-programs),$(eval $(call user_program,$(a),$(p)))))

# The directory that becomes /tests, also used on the host: programs, helpers, data, broken programs.
define user_testdir
build/user/$(1)/tests/.done: $(addprefix build/user/$(1)/,$(user-tests) $(user-helpers)) user/tests/make_data.py
	$$(say) GEN '/tests ($(1))'
	@rm -rf $$(@D) && mkdir -p $$(@D)
	$$(Q)cp $(addprefix build/user/$(1)/,$(user-tests) $(user-helpers)) $$(@D)
	$$(Q)python3 user/tests/make_data.py $$(@D) build/user/$(1)/exit42 $(user-tests)
	@touch $$@
endef
$(foreach a,$(ARCHES),$(eval $(call user_testdir,$(a))))

DISK_MB := 48
$(O)/disk.img: $(addprefix $(UB)/,$(user-bin) $(user-sbin)) $(UB)/tests/.done user/user.mk
	$(say) IMAGE $@
	@rm -rf $(O)/rootfs && mkdir -p $(O)/rootfs/bin $(O)/rootfs/sbin $(O)/rootfs/dev \
		$(O)/rootfs/etc $(O)/rootfs/tmp $(O)/rootfs/proc
	$(Q)cp $(addprefix $(UB)/,$(user-bin)) $(SYSROOT)/$(ARCH)/bin/busybox $(O)/rootfs/bin
	$(Q)cp $(addprefix $(UB)/,$(user-sbin)) $(O)/rootfs/sbin
	$(Q)for a in $(user-applets); do ln -s busybox $(O)/rootfs/bin/$$a; done
	$(Q)cp -r $(UB)/tests $(O)/rootfs/tests
	$(Q)printf 'root:x:0:0:root:/:/bin/sh\n' > $(O)/rootfs/etc/passwd
	$(Q)printf 'This file is on the root file system.\n' > $(O)/rootfs/etc/motd
	$(Q)rm -f $@
	$(Q)PATH=$$PATH:/sbin:/usr/sbin mke2fs -q -t ext2 -b 4096 -I 256 -m 0 -O none,filetype,sparse_super,large_file \
		-L hindsight -d $(O)/rootfs $@ $(DISK_MB)M >/dev/null
	@rm -rf $(O)/rootfs
image: $(O)/disk.img ## the disk with all programs for ARCH

# The disk that the benchmark runs on: as large as the one Linux was measured with. Sparse.
BENCH_DISK_MB := 256
define user_bench_disk
build/user/$(1)/bench.img: build/user/$(1)/kbench user/user.mk
	$$(say) IMAGE $$@
	@rm -rf build/user/$(1)/bench && mkdir -p $$(foreach d,bin dev proc tmp,build/user/$(1)/bench/$$d)
	$$(Q)cp $$< build/user/$(1)/bench/bin && rm -f $$@
	$$(Q)PATH=$$$$PATH:/sbin:/usr/sbin mke2fs -q -t ext2 -b 4096 -I 256 -m 0 -O none,filetype,sparse_super,large_file \
		-L bench -d build/user/$(1)/bench $$@ $(BENCH_DISK_MB)M >/dev/null
	@rm -rf build/user/$(1)/bench
endef
$(foreach a,$(ARCHES),$(eval $(call user_bench_disk,$(a))))

# The guest's test programs on real Linux: natively on x86-64, under qemu-user on aarch64, so that
# what they ask of the kernel is what Linux does.
test-user-host: $(foreach a,$(ARCHES),build/user/$(a)/testall build/user/$(a)/tests/.done) ## the guest's test programs on Linux
	$(Q)build/user/x86_64/testall build/user/x86_64/tests
	$(Q)EXEC_WRAPPER=qemu-aarch64-static qemu-aarch64-static build/user/aarch64/testall \
		build/user/aarch64/tests

# The compile-time gate against a lock left held: one file must not compile, and must as soon as every
# path releases.
unit-tests += test-lock-held
test-lock-held: ## the compile-time check for locks left held
	@mkdir -p $(HOST)
	$(Q)$(CC) $(KCFLAGS) -DLOCK_HELD_FIXED -c tests/unit/lock_held_bad.c -o $(HOST)/lock_held.o
	$(Q)if $(CC) $(KCFLAGS) -c tests/unit/lock_held_bad.c -o $(HOST)/lock_held.o 2>$(HOST)/lock_held.log; then \
		echo "not ok - lock_held_bad.c compiles"; exit 1; fi
	$(Q)grep -q 'is not held on every path' $(HOST)/lock_held.log && echo "ok - returning with a lock held does not compile"

.PHONY: sysroot image test-user-host test-lock-held
