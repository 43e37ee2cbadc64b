/* namei.c - names in ext2: the locked path walk, and where symbolic links lead.
 *
 * ext2_lookup() is the one place where a path walk takes ext2.root, so a report of a waiter names
 * this function and line.
 */
#include <lib/string.h>
#include "../fs.h"
#include "ext2.h"

struct inode *ext2_lookup(struct super_block *sb, struct path_walk *w)
{
	struct inode *found;
	int err = mutex_lock_killable(sb->root_lock);

	if (err)
		return ERR_PTR(err);
	found = vfs_walk(w);
	mutex_unlock(sb->root_lock);
	return found;
}

ssize_t ext2_readlink(struct inode *inode, char *buf, size_t size)
{
	struct ext2_info *info = inode->priv;
	ssize_t n;

	if (info->fast_link) {
		memcpy(buf, info->block, MIN(inode->size, (u64)size));
		return (ssize_t)inode->size;
	}
	n = inode_read(inode, buf, size, 0);
	if (n < 0)
		return n;
	return (u64)n < MIN(inode->size, (u64)size) ? -EIO : (ssize_t)inode->size;
}
