# ext2.mk - host tests of kernel/fs: `make test-unit-ext2`. FUZZ=n: corrupt images a run (default 3000).
# The kernel's own sources with tests/unit/ext2_shim in place of mm, the disk and the serial port.

unit-tests += test-unit-ext2

EXT2T := $(HOST)/unit-ext2
EXT2T_SRCS := tests/unit/ext2_test.c tests/unit/ext2_damage_test.c tests/unit/ext2_fuzz.c tests/unit/ext2_image.c tests/unit/tty_test.c \
	tests/unit/ext2_shim/shim.c $(host-y) kernel/lib/rbtree.c kernel/drivers/block.c kernel/tty/tty.c \
	kernel/fs/vfs.c kernel/fs/inode.c kernel/fs/namei.c kernel/fs/file.c kernel/fs/pagecache.c kernel/ipc/pipe.c \
	kernel/fs/devfs.c kernel/fs/ext2/super.c kernel/fs/ext2/inode.c kernel/fs/ext2/dir.c \
	kernel/fs/ext2/namei.c

$(eval $(call host_objects,$(EXT2T),san,$(HOST_KERNEL_CFLAGS) -O2 -Itests/unit/ext2_shim $(HOST_KERNEL_INCLUDES) \
	$(HOST_san),tests/unit/ext2.mk))
$(eval $(call host_program,$(EXT2T)/ext2_test,$(EXT2T),$(EXT2T_SRCS),$(HOST_san) $(HOST_KERNEL_LINK)))

test-unit-ext2: $(EXT2T)/ext2_test ## host tests of the file system (FUZZ=n: corrupt images tried)
	$(Q)FUZZ=$(FUZZ) $(call unit_quiet,$<,san)
	@echo 'test-unit-ext2: passed'

.PHONY: test-unit-ext2
