# sources of kernel/fs
kernel-y += kernel/fs/vfs.c
kernel-y += kernel/fs/inode.c
kernel-y += kernel/fs/namei.c
kernel-y += kernel/fs/file.c
kernel-y += kernel/fs/pagecache.c
kernel-y += kernel/fs/devfs.c
kernel-y += kernel/fs/ext2/super.c
kernel-y += kernel/fs/ext2/inode.c
kernel-y += kernel/fs/ext2/dir.c
kernel-y += kernel/fs/ext2/namei.c
ifeq ($(filter $(CONFIG),lean bare),)
kernel-y += kernel/fs/fs_ktest.c
endif
