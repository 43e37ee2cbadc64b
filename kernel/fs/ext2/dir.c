/* dir.c - directories: a linear scan of entries, each checked before it is believed.
 *
 * Entries never cross a block and blocks never cross a page, so one page at a time is enough. Every
 * step goes forward by at least 12 bytes.
 *
 * Damage does not hide what is whole. An entry with an impossible name or inode number is passed
 * over; after an impossible length the rest of the block could be anything, and the scan goes on
 * with the next block, as it does after a block that cannot be read. Then a look-up that finds its
 * name succeeds, and one that does not is -EIO, not -ENOENT. A listing shows all whole entries and
 * says -EIO once, at its end: file->priv notes until then that there was damage.
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

/* Is the entry's length one that leads to the next entry? */
static const char *length_problem(const struct ext2_dirent *e, u32 room)
{
	if (room < sizeof(*e) + 4 || e->rec_len < sizeof(*e) + 4 || e->rec_len % 4)
		return "record length";
	return e->rec_len > room ? "record crosses its block" : NULL;
}

/* Can the entry be believed, whose length is good? */
static const char *content_problem(const struct ext2_fs *fs, const struct ext2_dirent *e)
{
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

static int dir_complain(struct inode *dir, u64 at, const char *problem)
{
	return ext2_corrupt(dir->sb, "directory %llu, offset %llu: %s",
			    (unsigned long long)dir->ino, (unsigned long long)at, problem);
}

/* Scans one block from its start; shows the used entries at or behind *pos, which moves along.
 * -EIO: some of it was damaged. */
static int dir_scan_block(struct inode *dir, const char *block, u64 start, u64 *pos, entry_fn fn,
			  void *ctx, bool *stop)
{
	struct ext2_fs *fs = ext2_fs(dir->sb);
	int err = 0;
	u32 at = 0;

	while (at < fs->block_size) {
		const struct ext2_dirent *e = (const void *)(block + at);
		const char *problem = length_problem(e, fs->block_size - at);
		u64 next;

		if (problem) {
			*pos = start + fs->block_size;
			return dir_complain(dir, start + at, problem);
		}
		next = start + at + e->rec_len;
		if (start + at >= *pos) {
			problem = content_problem(fs, e);
			if (problem) {
				err = dir_complain(dir, start + at, problem);
			} else if (e->ino && !fn(ctx, e, next)) {
				*stop = true;
				return err;
			}
		}
		at += e->rec_len;
		if (next > *pos)
			*pos = next;
	}
	return err;
}

/* *stop: fn ended it. -EIO: what could be read was scanned, but there was damage; another error: it
 * ended there. */
static int dir_scan(struct inode *dir, u64 *pos, entry_fn fn, void *ctx, bool *stop)
{
	struct ext2_fs *fs = ext2_fs(dir->sb);
	int damage = 0, err;

	if (dir->size % fs->block_size) {
		*pos = dir->size;
		return ext2_corrupt(dir->sb, "directory %llu: size %llu",
				    (unsigned long long)dir->ino, (unsigned long long)dir->size);
	}
	while (!*stop && *pos < dir->size) {
		u64 start = *pos & ~(u64)(fs->block_size - 1);
		struct page *p = pagecache_get(dir, start / PAGE_SIZE);

		if (IS_ERR(p)) {
			if (PTR_ERR(p) != -EIO)
				return (int)PTR_ERR(p);
			damage = -EIO;
			*pos = start + fs->block_size;
			continue;
		}
		err = dir_scan_block(dir, (char *)page_to_virt(p) + start % PAGE_SIZE, start, pos,
				     fn, ctx, stop);
		page_put(p);
		if (err)
			damage = err;
	}
	return damage;
}

struct find {
	const char *name;
	size_t len;
	u32 ino;
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
	bool found = false;
	u64 pos = 0;
	int err = dir_scan(dir, &pos, find_entry, &f, &found);

	if (found)
		return ext2_inode_get(dir->sb, f.ino);
	return ERR_PTR(err ? err : -ENOENT);
}

struct list {
	dir_emit_t emit;
	void *ctx;
	bool has_filetype;
	bool some; /* an entry was shown */
};

static bool list_entry_emit(void *ctx, const struct ext2_dirent *e, u64 next)
{
	static const u8 types[] = {DT_UNKNOWN, DT_REG,  DT_DIR,  DT_CHR,
				   DT_BLK,     DT_FIFO, DT_SOCK, DT_LNK};
	struct list *l = ctx;
	u8 type =
		l->has_filetype && e->file_type < sizeof(types) ? types[e->file_type] : DT_UNKNOWN;

	if (!l->emit(l->ctx, e->name, e->name_len, e->ino, type, next))
		return false;
	l->some = true;
	return true;
}

#define SAW_DAMAGE ((void *)1) /* file->priv of a directory, from the damage to the -EIO */

/* The position is a byte offset; one that lseek put inside an entry continues at the next. What was
 * shown is never taken back by an error: that comes with the next call. */
int ext2_dir_read(struct file *f, void *ctx, dir_emit_t emit)
{
	struct list l = {emit, ctx, ext2_fs(f->inode->sb)->has_filetype, false};
	u64 pos = f->pos < 0 ? 0 : (u64)f->pos;
	bool full = false;
	int err = dir_scan(f->inode, &pos, list_entry_emit, &l, &full);

	f->pos = (loff_t)pos;
	if (err == -EIO)
		f->priv = SAW_DAMAGE;
	else if (err)
		return l.some ? 0 : err;
	if (full || l.some || !f->priv)
		return 0;
	f->priv = NULL;
	return -EIO;
}
