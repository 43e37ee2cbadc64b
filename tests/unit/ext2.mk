# ext2.mk - host tests of kernel/fs: `make test-unit-ext2`. FUZZ=n: corrupt images a run (default 3000).
# The kernel's own sources with tests/unit/ext2_shim in place of mm, sync and the disk.

unit-tests += test-unit-ext2

EXT2T := $(HOST)/unit-ext2
EXT2T_SRCS := tests/unit/ext2_test.c tests/unit/ext2_fuzz.c tests/unit/ext2_image.c tests/unit/tty_test.c \
	tests/unit/ext2_shim/shim.c kernel/arch/host/cpu.c kernel/lib/rbtree.c kernel/drivers/block.c kernel/tty/tty.c \
	kernel/fs/vfs.c kernel/fs/inode.c kernel/fs/namei.c kernel/fs/file.c kernel/fs/pagecache.c kernel/ipc/pipe.c \
	kernel/fs/devfs.c kernel/fs/ext2/super.c kernel/fs/ext2/inode.c kernel/fs/ext2/dir.c \
	kernel/fs/ext2/namei.c
EXT2T_OBJS := $(EXT2T_SRCS:%=$(EXT2T)/%.o)
EXT2T_CFLAGS := -std=gnu11 -g -O2 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fwrapv -DCONFIG_DEBUG=1 -D_GNU_SOURCE -Wall -Wextra -Werror \
	-Wshadow -Wvla -Wundef -Wno-unused-parameter -Wno-macro-redefined -I. -Itests/unit/ext2_shim -Ikernel/include \
	-Ikernel/trace -Ikernel/arch/host/include

$(EXT2T)/%.c.o: %.c tests/unit/ext2.mk
	@mkdir -p $(@D)
	$(say) HOSTCC '$< (san)'
	$(Q)$(HOSTCC) $(EXT2T_CFLAGS) -MMD -MP -MF $@.d -c $< -o $@
$(EXT2T)/ext2_test: $(EXT2T_OBJS)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -fsanitize=address,undefined $^ -lcmocka -o $@

test-unit-ext2: $(EXT2T)/ext2_test ## host tests of the file system (FUZZ=n: corrupt images tried)
	$(Q)FUZZ=$(FUZZ) $< > $<.log 2>&1 && sed -n 's/^\[  PASSED  \] /ext2_test (san): passed /p' $<.log \
		|| { cat $<.log; exit 1; }
	@echo 'test-unit-ext2: passed'

-include $(EXT2T_OBJS:.o=.o.d)
.PHONY: test-unit-ext2
