/* super.c - mounting ext2: every field of the superblock that later code trusts is checked here,
 * with a message that names the field. Metadata blocks are read through the page cache of one
 * inode that stands for the whole device.
 */
#define LOG_TAG "ext2"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "../fs.h"
#include "ext2.h"

#define SECTOR         512u
#define COMPLAINTS_MAX 10u

DEFINE_LOCK_CLASS(ext2_root_class, "ext2.root", BB_LK_MUTEX, RANK_EXT2_ROOT);

int ext2_corrupt(struct super_block *sb, const char *fmt, ...)
{
	u32 n = atomic_fetch_add(&ext2_fs(sb)->complaints, 1u);
	char text[128];
	va_list ap;

	if (n < COMPLAINTS_MAX) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		pr_err("%s: corrupt: %s%s", sb->dev->name, text,
		       n == COMPLAINTS_MAX - 1 ? " (no more such messages)" : "");
	}
	return -EIO;
}

bool ext2_block_ok(const struct ext2_fs *fs, u32 block)
{
	return block > fs->first_data_block && block < fs->blocks_count;
}

void *ext2_meta_get(struct super_block *sb, u32 block, struct page **page)
{
	struct ext2_fs *fs = ext2_fs(sb);
	u64 at = (u64)block << fs->block_shift;
	struct page *p = pagecache_get(fs->meta, at / PAGE_SIZE);

	if (IS_ERR(p))
		return p;
	*page = p;
	return (char *)page_to_virt(p) + at % PAGE_SIZE;
}

/* Pages of the device itself; what lies behind its end is zero. */
static int meta_read_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	struct block_device *dev = inode->sb->dev;
	u64 sector = index * (PAGE_SIZE / SECTOR);
	struct block_vec v[BLOCK_VEC_MAX];

	ASSERT(n <= BLOCK_VEC_MAX);
	for (unsigned int i = 0; i < n; i++) {
		u64 left = dev->sectors - (sector + i * (PAGE_SIZE / SECTOR));

		v[i].buf = page_to_virt(pages[i]);
		v[i].sectors = (u32)MIN(left, PAGE_SIZE / SECTOR);
		memset((char *)v[i].buf + v[i].sectors * SECTOR, 0,
		       PAGE_SIZE - v[i].sectors * SECTOR);
	}
	return dev->readv(dev, sector, v, n);
}

static int meta_read_page(struct inode *inode, u64 index, struct page *page)
{
	return meta_read_pages(inode, index, &page, 1);
}

static const struct inode_ops meta_ops = {
	.read_page = meta_read_page,
	.read_pages = meta_read_pages,
};

static const char *ext2_feature_name(u32 incompat)
{
	static const struct {
		u32 bit;
		const char *name;
	} names[] = {
		{0x1, "compression"},     {0x4, "needs journal recovery"},
		{0x8, "journal device"},  {0x10, "meta_bg"},
		{0x40, "extents (ext4)"}, {0x80, "64bit (ext4)"},
		{0x100, "mmp"},           {0x200, "flex_bg (ext4)"},
		{0x400, "ea_inode"},      {0x1000, "dirdata"},
		{0x2000, "csum_seed"},    {0x4000, "large_dir"},
		{0x8000, "inline_data"},  {0x10000, "encrypt"},
		{0x20000, "casefold"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (incompat & names[i].bit)
			return names[i].name;
	return "unknown";
}

/* What a disk without our magic holds instead, as half a sentence. Sectors 0 and 1 tell of a
 * partition table: the MBR's signature with a type in one of its four entries, GPT's own signature.
 */
static const char *ext2_what_else(struct ext2_fs *fs)
{
	const char *what = "is it an image of an ext2 file system?";
	u8 *head = kmalloc(2 * SECTOR);
	bool table = false;

	if (head && inode_read(fs->meta, head, 2 * SECTOR, 0) == 2 * SECTOR) {
		for (unsigned int at = 446 + 4; at < 510; at += 16)
			table |= head[at] && head[510] == 0x55 && head[511] == 0xaa;
		if (table || !memcmp(head + SECTOR, "EFI PART", 8))
			what = "it has a partition table, and partitions are not looked into: "
			       "attach the "
			       "file system itself as a disk";
	}
	kfree(head);
	return what;
}

/* Checks what the disk claims against itself and the device; fills fs. */
static int ext2_super_check(struct block_device *dev, const struct ext2_super *s,
			    struct ext2_fs *fs)
{
	u32 bad = s->feature_incompat & ~(u32)EXT2_INCOMPAT_FILETYPE;
	u64 need;

	if (s->magic != EXT2_MAGIC) {
		pr_err("%s: no ext2 file system (magic %#x): %s", dev->name, s->magic,
		       ext2_what_else(fs));
		return -EINVAL;
	}
	if (s->rev_level > 1) {
		pr_err("%s: revision %u is not supported", dev->name, s->rev_level);
		return -EINVAL;
	}
	if (s->rev_level == 0)
		bad = 0; /* the field does not exist there */
	if (bad) {
		pr_err("%s: incompatible feature %#x is not supported: %s", dev->name, bad,
		       ext2_feature_name(bad));
		return -EINVAL;
	}
	if (s->log_block_size > 2) {
		if (s->log_block_size <= 6)
			pr_err("%s: block size %u KiB is not supported: a page, 4 KiB, is the most",
			       dev->name, 1u << s->log_block_size);
		else
			pr_err("%s: block size 1024 << %u is impossible", dev->name,
			       s->log_block_size);
		return -EINVAL;
	}
	fs->block_shift = 10 + s->log_block_size;
	fs->block_size = 1u << fs->block_shift;
	fs->blocks_count = s->blocks_count;
	fs->inodes_count = s->inodes_count;
	fs->first_data_block = s->first_data_block;
	fs->inodes_per_group = s->inodes_per_group;
	fs->inode_size = s->rev_level == 0 ? sizeof(struct ext2_inode) : s->inode_size;
	fs->has_filetype = s->rev_level > 0 && (s->feature_incompat & EXT2_INCOMPAT_FILETYPE);
	if (fs->first_data_block != (fs->block_size == 1024 ? 1 : 0)) {
		pr_err("%s: first data block %u does not fit block size %u", dev->name,
		       fs->first_data_block, fs->block_size);
		return -EIO;
	}
	need = (u64)fs->blocks_count << fs->block_shift;
	if (fs->blocks_count <= fs->first_data_block + 1 || need > dev->sectors * SECTOR) {
		pr_err("%s: %u blocks of %u bytes on a device of %llu bytes", dev->name,
		       fs->blocks_count, fs->block_size,
		       (unsigned long long)(dev->sectors * SECTOR));
		return -EIO;
	}
	if (s->blocks_per_group == 0 || s->blocks_per_group > 8 * fs->block_size ||
	    s->inodes_per_group == 0 || s->inodes_per_group > 8 * fs->block_size) {
		pr_err("%s: %u blocks, %u inodes per group are impossible", dev->name,
		       s->blocks_per_group, s->inodes_per_group);
		return -EIO;
	}
	if (fs->inode_size < sizeof(struct ext2_inode) || fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1))) {
		pr_err("%s: inode size %u is impossible", dev->name, fs->inode_size);
		return -EIO;
	}
	fs->groups = (fs->blocks_count - fs->first_data_block - 1) / s->blocks_per_group + 1;
	if (fs->inodes_count < EXT2_ROOT_INO ||
	    fs->inodes_count > (u64)fs->groups * fs->inodes_per_group) {
		pr_err("%s: %u inodes in %u groups of %u", dev->name, fs->inodes_count, fs->groups,
		       fs->inodes_per_group);
		return -EIO;
	}
	return 0;
}

static int ext2_super_read(struct super_block *sb, struct ext2_fs *fs)
{
	struct ext2_super *s = kmalloc(sizeof(*s));
	ssize_t n;
	int err;

	if (!s)
		return -ENOMEM;
	n = inode_read(fs->meta, s, sizeof(*s), EXT2_SUPER_OFFSET);
	if (n < 0) {
		pr_err("%s: cannot read the superblock: error %d", sb->dev->name, (int)n);
		err = (int)n;
	} else if ((size_t)n < sizeof(*s)) {
		pr_err("%s: too small for a file system", sb->dev->name);
		err = -EINVAL;
	} else {
		err = ext2_super_check(sb->dev, s, fs);
	}
	kfree(s);
	return err;
}

int ext2_mount(struct super_block *sb, struct block_device *dev)
{
	struct ext2_fs *fs = kzalloc(sizeof(*fs));
	struct inode *root;
	int err = -ENOMEM;

	if (!fs)
		return -ENOMEM;
	sb->type = "ext2";
	sb->dev = dev;
	sb->dev_id = 0xfe00; /* virtual block device 0, as Linux numbers them */
	sb->priv = fs;
	mutex_init(&fs->root_lock, &ext2_root_class);
	fs->meta = inode_alloc(sb, 0, &meta_pages_class);
	if (!fs->meta)
		goto free_fs;
	fs->meta->size = dev->sectors * SECTOR;
	fs->meta->ops = &meta_ops;
	err = ext2_super_read(sb, fs);
	if (err)
		goto free_meta;
	root = ext2_inode_get(sb, EXT2_ROOT_INO);
	if (IS_ERR(root)) {
		err = (int)PTR_ERR(root);
		pr_err("%s: no root directory: error %d", dev->name, err);
		goto free_meta;
	}
	if (!S_ISDIR(root->mode)) {
		err = ext2_corrupt(sb, "the root inode is no directory (mode %#o)", root->mode);
		inode_put(root);
		goto free_meta;
	}
	sb->root = root;
	sb->root_lock = &fs->root_lock;
	sb->lookup = ext2_lookup;
	pr_info("%s: %u blocks of %u bytes, %u inodes, read only", dev->name, fs->blocks_count,
		fs->block_size, fs->inodes_count);
	return 0;

free_meta:
	inode_cache_shrink(~0u); /* a root inode that was read is cached under this sb */
	inode_put(fs->meta);
free_fs:
	mutex_fini(&fs->root_lock);
	kfree(fs);
	sb->priv = NULL;
	return err;
}
