/* ext2.h - the disk format, and what the files of ext2/ share. Read only.
 *
 * The disk is little-endian, as are both architectures. Source of the format: the ext2 chapter of
 * the kernel documentation and e2fsprogs' ext2_fs.h (layout facts only).
 */
#ifndef EXT2_EXT2_H
#define EXT2_EXT2_H

#include <fs/vfs.h>

#define EXT2_MAGIC             0xef53
#define EXT2_SUPER_OFFSET      1024
#define EXT2_ROOT_INO          2
#define EXT2_NBLOCKS           15 /* 12 direct, then single, double, triple indirect */
#define EXT2_NDIRECT           12
#define EXT2_INCOMPAT_FILETYPE 0x2
/* inode flags that change how the content is stored */
#define EXT2_FL_COMPR   0x4
#define EXT2_FL_ENCRYPT 0x800
#define EXT2_FL_EXTENTS 0x80000
#define EXT2_FL_INLINE  0x10000000

struct ext2_super {
	u32 inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes;
	u32 first_data_block, log_block_size, log_frag_size;
	u32 blocks_per_group, frags_per_group, inodes_per_group;
	u32 mtime, wtime;
	u16 mnt_count, max_mnt_count, magic, state, errors, minor_rev;
	u32 lastcheck, checkinterval, creator_os, rev_level;
	u16 def_resuid, def_resgid;
	u32 first_ino;
	u16 inode_size, block_group_nr;
	u32 feature_compat, feature_incompat, feature_ro_compat;
	u8 uuid[16];
	char volume_name[16];
	u8 rest[888];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "disk format");

struct ext2_group {
	u32 block_bitmap, inode_bitmap, inode_table;
	u16 free_blocks, free_inodes, used_dirs, pad;
	u32 reserved[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "disk format");

struct ext2_inode {
	u16 mode, uid;
	u32 size, atime, ctime, mtime, dtime;
	u16 gid, links;
	u32 blocks, flags, osd1;
	u32 block[EXT2_NBLOCKS];
	u32 generation, file_acl, size_high, faddr;
	u16 frag, pad, uid_high, gid_high;
	u32 reserved;
};
_Static_assert(sizeof(struct ext2_inode) == 128, "disk format");

struct ext2_dirent {
	u32 ino;
	u16 rec_len;
	u8 name_len, file_type;
	char name[];
};
_Static_assert(sizeof(struct ext2_dirent) == 8, "disk format");

/* A mounted file system; constant after the mount but for `complaints`. */
struct ext2_fs {
	struct mutex root_lock;
	struct inode *meta; /* the device as a file: cache of metadata blocks */
	u32 block_size, block_shift;
	u32 blocks_count, inodes_count, first_data_block;
	u32 inodes_per_group, groups, inode_size;
	bool has_filetype;
	u32 complaints; /* atomic: corruption messages so far */
};
/* inode->priv */
struct ext2_info {
	u32 block[EXT2_NBLOCKS];
	bool fast_link; /* the link's target stands in block[] */
};

static inline struct ext2_fs *ext2_fs(const struct super_block *sb)
{
	return sb->priv;
}

/* Reports corruption, the first few times; returns -EIO. */
int ext2_corrupt(struct super_block *sb, const char *fmt, ...) __printf(2, 3) __cold;
/* Is this block number one that data or metadata of a file may have? */
bool ext2_block_ok(const struct ext2_fs *fs, u32 block);
/* A metadata block: its content, valid until page_put(*page). ERR_PTR(-EIO), ERR_PTR(-ENOMEM). */
void *ext2_meta_get(struct super_block *sb, u32 block, struct page **page);
/* Inode with a reference, or ERR_PTR. */
struct inode *ext2_inode_get(struct super_block *sb, u32 ino);

struct inode *ext2_dir_find(struct inode *dir, const char *name, size_t len);
int ext2_dir_read(struct file *f, void *ctx, dir_emit_t emit);
ssize_t ext2_readlink(struct inode *inode, char *buf, size_t size);
struct inode *ext2_lookup(struct super_block *sb, struct path_walk *w);

#endif
