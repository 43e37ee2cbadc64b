/* inode.c - inodes from disk, and where a file's blocks are.
 *
 * Theory. An inode's block numbers are copied at read and never change. Mapping a file block walks
 * at most three indirect blocks; every number taken from the disk is checked against the file
 * system's size before use, 0 is a hole. The depth is fixed by the file block, so no corruption can
 * make a walk longer. Reads merge blocks that follow each other on disk into one request.
 */
#include <lib/bug.h>
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "../fs.h"
#include "ext2.h"

#define SECTOR_SHIFT 9

/* Follows one pointer of an indirect block. */
static int ext2_map_step(struct inode *inode, u32 block, u32 slot, u32 *out)
{
	struct page *page;
	u32 *table = ext2_meta_get(inode->sb, block, &page);
	u32 next;

	if (IS_ERR(table))
		return (int)PTR_ERR(table);
	next = table[slot];
	page_put(page);
	if (next && !ext2_block_ok(ext2_fs(inode->sb), next))
		return ext2_corrupt(inode->sb, "inode %llu: block number %u in indirect block %u",
				    (unsigned long long)inode->ino, next, block);
	*out = next;
	return 0;
}

/* Disk block of file block n; 0 = hole. -EIO, -ENOMEM. */
static int ext2_map(struct inode *inode, u64 n, u32 *out)
{
	struct ext2_fs *fs = ext2_fs(inode->sb);
	struct ext2_info *info = inode->priv;
	unsigned int bits = fs->block_shift - 2, depth = 0;
	u32 block;
	int err;

	if (n >= EXT2_NDIRECT) {
		n -= EXT2_NDIRECT;
		for (depth = 1; n >> (bits * depth); depth++)
			n -= 1ull << (bits * depth);
		if (depth > 3)
			return -EIO; /* the size was checked at read: not reached */
		block = info->block[EXT2_NDIRECT + depth - 1];
	} else {
		block = info->block[n];
	}
	if (block && !ext2_block_ok(fs, block))
		return ext2_corrupt(inode->sb, "inode %llu: block number %u",
				    (unsigned long long)inode->ino, block);
	while (depth && block) {
		depth--;
		err = ext2_map_step(inode, block, (u32)(n >> (bits * depth)) & ((1u << bits) - 1),
				    &block);
		if (err)
			return err;
	}
	*out = block;
	return 0;
}

/* Blocks that follow each other on disk, on their way into memory. */
struct run {
	struct block_device *dev;
	u32 first, next; /* disk blocks: start, and the one that would continue the run */
	u32 nvec;        /* 0 = empty */
	struct block_vec v[BLOCK_VEC_MAX];
};

static int run_flush(struct run *r, const struct ext2_fs *fs)
{
	int err = 0;

	if (r->nvec)
		err = r->dev->readv(r->dev, (u64)r->first << (fs->block_shift - SECTOR_SHIFT), r->v,
				    r->nvec);
	r->nvec = 0;
	return err;
}

static int run_add(struct run *r, const struct ext2_fs *fs, u32 block, char *buf)
{
	u32 sectors = fs->block_size >> SECTOR_SHIFT;
	struct block_vec *last = r->nvec ? &r->v[r->nvec - 1] : NULL;
	int err = 0;

	if (last && block == r->next &&
	    (char *)last->buf + ((size_t)last->sectors << SECTOR_SHIFT) == buf) {
		last->sectors += sectors;
		r->next++;
		return 0;
	}
	if (last && (block != r->next || r->nvec == BLOCK_VEC_MAX))
		err = run_flush(r, fs);
	if (r->nvec == 0)
		r->first = block;
	r->v[r->nvec++] = (struct block_vec){.buf = buf, .sectors = sectors};
	r->next = block + 1;
	return err;
}

static int ext2_read_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	struct ext2_fs *fs = ext2_fs(inode->sb);
	struct run run = {.dev = inode->sb->dev};
	u32 per_page = (u32)(PAGE_SIZE >> fs->block_shift);
	int err;

	for (u64 i = 0; i < (u64)n * per_page; i++) {
		u64 file_block = index * per_page + i;
		char *buf = (char *)page_to_virt(pages[i / per_page]) +
			    ((i % per_page) << fs->block_shift);
		u32 block = 0;

		if (file_block << fs->block_shift < inode->size) {
			err = ext2_map(inode, file_block, &block);
			if (err)
				return err;
		}
		if (!block) {
			memset(buf, 0, fs->block_size);
			continue;
		}
		err = run_add(&run, fs, block, buf);
		if (err)
			return err;
	}
	return run_flush(&run, fs);
}

static int ext2_read_page(struct inode *inode, u64 index, struct page *page)
{
	return ext2_read_pages(inode, index, &page, 1);
}

static const struct inode_ops file_ops = {
	.read_page = ext2_read_page,
	.read_pages = ext2_read_pages,
};
static const struct inode_ops dir_ops = {
	.lookup = ext2_dir_find,
	.read_page = ext2_read_page,
	.read_pages = ext2_read_pages,
};
static const struct inode_ops link_ops = {
	.readlink = ext2_readlink,
	.read_page = ext2_read_page,
};
static const struct inode_ops special_ops;
static const struct file_ops ext2_dir_file_ops = {.readdir = ext2_dir_read};

/* Copies the disk inode `ino`. */
static int ext2_inode_load(struct super_block *sb, u32 ino, struct ext2_inode *out)
{
	struct ext2_fs *fs = ext2_fs(sb);
	u32 group = (ino - 1) / fs->inodes_per_group, index = (ino - 1) % fs->inodes_per_group;
	u32 per_block = fs->block_size / sizeof(struct ext2_group);
	u32 gd_block = fs->first_data_block + 1 + group / per_block;
	struct ext2_group *gd;
	struct page *page;
	u64 block, at;
	u8 *data;

	if (!ext2_block_ok(fs, gd_block))
		return ext2_corrupt(sb, "no group descriptor %u", group);
	gd = ext2_meta_get(sb, gd_block, &page);
	if (IS_ERR(gd))
		return (int)PTR_ERR(gd);
	at = (u64)index * fs->inode_size;
	block = (u64)gd[group % per_block].inode_table + (at >> fs->block_shift);
	page_put(page);
	if (block >= fs->blocks_count || !ext2_block_ok(fs, (u32)block))
		return ext2_corrupt(sb, "group %u: inode table at block %llu", group,
				    (unsigned long long)block);
	data = ext2_meta_get(sb, (u32)block, &page);
	if (IS_ERR(data))
		return (int)PTR_ERR(data);
	memcpy(out, data + at % fs->block_size, sizeof(*out));
	page_put(page);
	return 0;
}

/* Largest file that the block map can describe. */
static u64 ext2_max_size(const struct ext2_fs *fs)
{
	u64 per = fs->block_size / 4;

	return (EXT2_NDIRECT + per + per * per + per * per * per) << fs->block_shift;
}

static int ext2_inode_check(struct super_block *sb, u32 ino, const struct ext2_inode *d, u64 size)
{
	u32 unreadable =
		d->flags & (EXT2_FL_COMPR | EXT2_FL_ENCRYPT | EXT2_FL_EXTENTS | EXT2_FL_INLINE);

	if (d->links == 0)
		return ext2_corrupt(sb, "inode %u is deleted but in use", ino);
	if (unreadable)
		return ext2_corrupt(sb, "inode %u: flags %#x are not supported", ino, unreadable);
	switch (d->mode & S_IFMT) {
	case S_IFDIR: /* no holes: no larger than the disk */
		if (size > (u64)ext2_fs(sb)->blocks_count << ext2_fs(sb)->block_shift)
			return ext2_corrupt(sb, "inode %u: directory of %llu bytes", ino,
					    (unsigned long long)size);
		return 0;
	case S_IFREG:
		if (size > ext2_max_size(ext2_fs(sb)))
			return ext2_corrupt(sb, "inode %u: size %#llx", ino,
					    (unsigned long long)size);
		return 0;
	case S_IFLNK:
		if (size == 0 || size >= PATH_MAX)
			return ext2_corrupt(sb, "inode %u: link of %llu bytes", ino,
					    (unsigned long long)size);
		return 0;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		return ext2_corrupt(sb, "inode %u: mode %#o", ino, d->mode);
	}
}

/* How content is reached, by type. */
static void ext2_inode_set_ops(struct inode *i, const struct ext2_inode *d, struct ext2_info *info)
{
	/* An extended attribute block counts as a block of the link but holds no target. */
	u32 acl = d->file_acl ? ext2_fs(i->sb)->block_size >> SECTOR_SHIFT : 0;

	if (S_ISREG(i->mode)) {
		i->ops = &file_ops;
	} else if (S_ISDIR(i->mode)) {
		i->ops = &dir_ops;
		i->fops = &ext2_dir_file_ops;
	} else if (S_ISLNK(i->mode)) {
		i->ops = &link_ops;
		i->fops = &no_file_ops;
		info->fast_link = d->blocks == acl && i->size < sizeof(d->block);
	} else {
		i->ops = &special_ops;
		i->rdev = d->block[0] ? d->block[0] : d->block[1];
		if (!S_ISCHR(i->mode))
			i->fops = &no_file_ops;
	}
}

struct inode *ext2_inode_get(struct super_block *sb, u32 ino)
{
	struct ext2_inode d;
	struct ext2_info *info;
	struct inode *i;
	u64 size;
	int err;

	if (ino == 0 || ino > ext2_fs(sb)->inodes_count)
		return ERR_PTR(ext2_corrupt(sb, "inode number %u", ino));
	i = inode_cache_get(sb, ino);
	if (i)
		return i;
	err = ext2_inode_load(sb, ino, &d);
	if (err)
		return ERR_PTR(err);
	size = d.size;
	if ((d.mode & S_IFMT) == S_IFREG)
		size |= (u64)d.size_high << 32;
	err = ext2_inode_check(sb, ino, &d, size);
	if (err)
		return ERR_PTR(err);
	i = inode_alloc(sb, ino, &pages_class);
	info = kzalloc(sizeof(*info));
	if (!i || !info) {
		kfree(info);
		if (i)
			inode_free(i);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(info->block, d.block, sizeof(info->block));
	i->priv = info;
	i->mode = d.mode;
	i->nlink = d.links;
	i->uid = d.uid | (u32)d.uid_high << 16;
	i->gid = d.gid | (u32)d.gid_high << 16;
	i->size = size;
	i->blocks = d.blocks;
	i->mtime = d.mtime;
	i->atime = d.atime;
	i->ctime = d.ctime;
	ext2_inode_set_ops(i, &d, info);
	return inode_cache_add(i);
}
