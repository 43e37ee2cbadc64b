/* dir.c - directories: a linear scan of entries, each checked before it is believed.
 *
 * Entries never cross a block and blocks never cross a page, so one page at a time is enough. An
 * entry whose length, name or inode number is impossible ends the scan with -EIO and one message:
 * what follows it could be anything. Every step goes forward by at least 12 bytes.
 */
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "../fs.h"
#include "ext2.h"

/* One entry as the scan shows it; `next` is the position behind it. Returns false to stop. */
typedef bool (*entry_fn)(void *ctx, const struct ext2_dirent *e, u64 next);

static bool name_is_odd(const struct ext2_dirent *e)
{
	for (u32 i = 0; i < e->name_len; i++)
		if (e->name[i] == '/' || e->name[i] == 0)
			return true;
	return false;
}

static const char *dirent_problem(const struct ext2_fs *fs, const struct ext2_dirent *e, u32 room)
{
	if (room < sizeof(*e) + 4 || e->rec_len < sizeof(*e) + 4 || e->rec_len % 4)
		return "record length";
	if (e->rec_len > room)
		return "record crosses its block";
	if (e->ino == 0)
		return NULL; /* an unused record */
	if (e->name_len == 0 || sizeof(*e) + e->name_len > e->rec_len)
		return "name length";
	if (!fs->has_filetype && e->file_type)
		return "name longer than 255";
	if (e->ino > fs->inodes_count)
		return "inode number";
	if (name_is_odd(e))
		return "character in a name";
	return NULL;
}

/* Scans one block from its start; shows the used entries at or behind *pos, which moves along. */
static int dir_scan_block(struct inode *dir, const char *block, u64 start, u64 *pos, entry_fn fn,
			  void *ctx, bool *stop)
{
	struct ext2_fs *fs = ext2_fs(dir->sb);
	u32 at = 0;

	while (at < fs->block_size) {
		const struct ext2_dirent *e = (const void *)(block + at);
		const char *problem = dirent_problem(fs, e, fs->block_size - at);
		u64 next;

		if (problem)
			return ext2_corrupt(dir->sb, "directory %llu, offset %llu: %s",
					    (unsigned long long)dir->ino,
					    (unsigned long long)(start + at), problem);
		next = start + at + e->rec_len;
		if (start + at >= *pos && e->ino) {
			if (!fn(ctx, e, next)) {
				*stop = true;
				return 0;
			}
		}
		at += e->rec_len;
		if (next > *pos)
			*pos = next;
	}
	return 0;
}

static int dir_scan(struct inode *dir, u64 *pos, entry_fn fn, void *ctx)
{
	struct ext2_fs *fs = ext2_fs(dir->sb);
	bool stop = false;
	int err = 0;

	if (dir->size % fs->block_size)
		return ext2_corrupt(dir->sb, "directory %llu: size %llu",
				    (unsigned long long)dir->ino, (unsigned long long)dir->size);
	while (!err && !stop && *pos < dir->size) {
		u64 start = *pos & ~(u64)(fs->block_size - 1);
		struct page *p = pagecache_get(dir, start / PAGE_SIZE);

		if (IS_ERR(p))
			return (int)PTR_ERR(p);
		err = dir_scan_block(dir, (char *)page_to_virt(p) + start % PAGE_SIZE, start, pos,
				     fn, ctx, &stop);
		page_put(p);
	}
	return err;
}

struct find {
	const char *name;
	size_t len;
	u32 ino; /* 0 = not found */
};

static bool find_entry(void *ctx, const struct ext2_dirent *e, u64 next)
{
	struct find *f = ctx;

	if (e->name_len != f->len || memcmp(e->name, f->name, f->len))
		return true;
	f->ino = e->ino;
	return false;
}

struct inode *ext2_dir_find(struct inode *dir, const char *name, size_t len)
{
	struct find f = {.name = name, .len = len};
	u64 pos = 0;
	int err = dir_scan(dir, &pos, find_entry, &f);

	if (err)
		return ERR_PTR(err);
	return f.ino ? ext2_inode_get(dir->sb, f.ino) : ERR_PTR(-ENOENT);
}

struct list {
	dir_emit_t emit;
	void *ctx;
	bool has_filetype;
};

static bool list_entry_emit(void *ctx, const struct ext2_dirent *e, u64 next)
{
	static const u8 types[] = {DT_UNKNOWN, DT_REG,  DT_DIR,  DT_CHR,
				   DT_BLK,     DT_FIFO, DT_SOCK, DT_LNK};
	struct list *l = ctx;
	u8 type =
		l->has_filetype && e->file_type < sizeof(types) ? types[e->file_type] : DT_UNKNOWN;

	return l->emit(l->ctx, e->name, e->name_len, e->ino, type, next);
}

/* The position is a byte offset; one that lseek put inside an entry continues at the next. */
int ext2_dir_read(struct file *f, void *ctx, dir_emit_t emit)
{
	struct list l = {emit, ctx, ext2_fs(f->inode->sb)->has_filetype};
	u64 pos = f->pos < 0 ? 0 : (u64)f->pos;
	int err = dir_scan(f->inode, &pos, list_entry_emit, &l);

	f->pos = (loff_t)pos;
	return err;
}
