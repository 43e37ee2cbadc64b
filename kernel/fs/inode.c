/* inode.c - inodes and their cache.
 *
 * Theory. An inode is found by (sb, ino) in a hash table under icache_lock. Its reference count
 * goes 0 -> 1 only in inode_cache_get() and 1 -> 0 only in inode_put(), both under that lock; all
 * other changes are plain atomics by somebody who has a reference. An inode with no users stays
 * cached with its pages on the `unused` list, oldest first, up to UNUSED_MAX, so that a program
 * that is started again is still in memory. What is taken off both lists under the lock belongs to
 * its taker alone and is freed after the lock is dropped.
 *
 * Two threads that miss the same inode both read it; inode_cache_add() keeps the first. Inodes that
 * were never added (pipes) are freed at the last put.
 *
 * Lock order: icache_lock is innermost; nothing is called under it.
 */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <sync/spinlock.h>
#include <uapi/fcntl.h>
#include "fs.h"

#define HASH_SIZE  256u
#define UNUSED_MAX 512u

DEFINE_LOCK_CLASS(icache_class, "fs.icache", BB_LK_SPIN, RANK_ICACHE);
static DEFINE_SPINLOCK(icache_lock, icache_class);
static struct list_head icache[HASH_SIZE];
static LIST_HEAD(unused);
static unsigned int nr_unused;
static struct kmem_cache *inode_cache;

static struct list_head *icache_bucket(struct super_block *sb, u64 ino)
{
	u64 h = (ino ^ (u64)(unsigned long)sb >> 4) * 0x9e3779b97f4a7c15ull;

	return &icache[h >> 56];
}

void inode_cache_init(void)
{
	for (unsigned int i = 0; i < HASH_SIZE; i++)
		list_init(&icache[i]);
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 16);
	if (!inode_cache)
		panic("out of memory for the inode cache");
}

struct inode *inode_alloc(struct super_block *sb, u64 ino, struct track_class *pages_cls)
{
	struct inode *i = kmem_cache_alloc(inode_cache);

	if (!i)
		return NULL;
	i->sb = sb;
	i->ino = ino;
	i->refs = 1;
	list_init(&i->hash_link);
	list_init(&i->unused_link);
	mutex_init(&i->pages_lock, pages_cls);
	return i;
}

struct inode *inode_anonymous(struct super_block *sb, u64 ino)
{
	return inode_alloc(sb, ino, &pages_class);
}

void inode_free(struct inode *i)
{
	pagecache_drop_all(i);
	mutex_fini(&i->pages_lock);
	if (i->fops && i->fops->gone)
		i->fops->gone(i);
	kfree(i->priv);
	kmem_cache_free(inode_cache, i);
}

static void icache_use(struct inode *i) REQUIRES(icache_lock)
{
	if (atomic_fetch_add(&i->refs, 1u) == 0) {
		list_del(&i->unused_link);
		nr_unused--;
	}
}

static struct inode *icache_find(struct super_block *sb, u64 ino) REQUIRES(icache_lock)
{
	struct inode *i;

	list_for_each_entry (i, icache_bucket(sb, ino), hash_link) {
		if (i->sb != sb || i->ino != ino)
			continue;
		icache_use(i);
		return i;
	}
	return NULL;
}

struct inode *inode_cache_get(struct super_block *sb, u64 ino)
{
	struct inode *i;

	spin_lock(&icache_lock);
	i = icache_find(sb, ino);
	spin_unlock(&icache_lock);
	return i;
}

struct inode *inode_cache_add(struct inode *i)
{
	struct inode *other;

	spin_lock(&icache_lock);
	other = icache_find(i->sb, i->ino);
	if (!other)
		list_add(&i->hash_link, icache_bucket(i->sb, i->ino));
	spin_unlock(&icache_lock);
	if (!other)
		return i;
	inode_free(i);
	return other;
}

struct inode *inode_cache_next(struct inode *after)
{
	struct list_head *bucket = icache, *link = bucket;
	struct inode *i = NULL;

	spin_lock(&icache_lock);
	if (after) { /* has a reference, so it is still where it was */
		bucket = icache_bucket(after->sb, after->ino);
		link = &after->hash_link;
	}
	while (link->next == bucket && bucket < &icache[HASH_SIZE - 1])
		link = ++bucket;
	if (link->next != bucket) {
		i = list_entry(link->next, struct inode, hash_link);
		icache_use(i);
	}
	spin_unlock(&icache_lock);
	if (after)
		inode_put(after);
	return i;
}

/* Takes the oldest unused inode out of the cache; NULL when there are not more than `keep`. */
static struct inode *icache_evict(unsigned int keep)
{
	struct inode *i = NULL;

	spin_lock(&icache_lock);
	if (nr_unused > keep) {
		i = list_first_entry(&unused, struct inode, unused_link);
		list_del(&i->unused_link);
		list_del(&i->hash_link);
		nr_unused--;
	}
	spin_unlock(&icache_lock);
	return i;
}

unsigned int inode_cache_shrink(unsigned int want)
{
	unsigned int n = 0;
	struct inode *i;

	while (n < want && (i = icache_evict(0)) != NULL) {
		inode_free(i);
		n++;
	}
	return n;
}

void inode_get(struct inode *i)
{
	u32 old = atomic_fetch_add(&i->refs, 1u);

	ASSERT(old != 0);
}

void inode_put(struct inode *i)
{
	u32 refs = atomic_load(&i->refs);
	bool gone = false;

	while (refs > 1)
		if (atomic_try_cmpxchg(&i->refs, &refs, refs - 1))
			return;
	spin_lock(&icache_lock);
	refs = atomic_sub_fetch(&i->refs, 1u);
	ASSERT(refs != ~0u);
	if (refs == 0) {
		gone = list_empty(&i->hash_link);
		if (!gone) {
			list_add_tail(&i->unused_link, &unused);
			nr_unused++;
		}
	}
	spin_unlock(&icache_lock);
	if (gone)
		inode_free(i);
	else if (refs == 0 && (i = icache_evict(UNUSED_MAX)) != NULL)
		inode_free(i);
}

void inode_stat(struct inode *i, struct kstat *st)
{
	*st = (struct kstat){
		.ino = i->ino,
		.size = i->size,
		.blocks = i->blocks,
		.rdev = i->rdev,
		.mode = i->mode,
		.nlink = i->nlink,
		.uid = i->uid,
		.gid = i->gid,
		.blksize = PAGE_SIZE,
		.mtime = i->mtime,
		.atime = i->atime,
		.ctime = i->ctime,
		.dev = i->sb ? i->sb->dev_id : 0,
	};
}

ssize_t inode_readlink(struct inode *inode, char *buf, size_t size)
{
	ssize_t n;

	if (!S_ISLNK(inode->mode) || !inode->ops || !inode->ops->readlink)
		return -EINVAL;
	n = inode->ops->readlink(inode, buf, size);
	return n > 0 ? (ssize_t)MIN((size_t)n, size) : n;
}
