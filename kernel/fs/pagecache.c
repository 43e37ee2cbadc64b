/* pagecache.c - file contents in memory: a tree of pages for each inode.
 *
 * Theory. inode->pages holds a node for each cached page, ordered by index, under
 * inode->pages_lock. A page in the tree is filled and final (file systems are read-only); the tree
 * owns one reference, every user takes its own under the lock. So a page whose count is 1, seen
 * under the lock, has no user and may be dropped at once.
 *
 * A miss reads while holding pages_lock: others that want this inode's pages wait for the same
 * disk. It reads ahead up to READAHEAD absent pages in one request; when that fails, it asks for
 * the wanted page alone, so that a bad block hurts only those who need it.
 *
 * Reclaim is here as well: when free memory is short, a miss first drops inodes that nobody uses,
 * then unused pages of its own inode. It takes no other inode's lock. Who is out of memory and
 * holds no lock of a page cache calls vfs_cache_shrink(), which drops all pages that nobody uses.
 *
 * Lock order: mm.lock > pages_lock of a file > pages_lock of the block device's inode (class
 * fs.meta_pages) > fs.icache. Never held while user memory is touched: a fault would come back
 * here.
 */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/string.h>
#include "fs.h"

#define READAHEAD      8u
#define RECLAIM_INODES 8u
#define RECLAIM_PAGES  64u

DEFINE_LOCK_CLASS(pages_class, "fs.pages", BB_LK_MUTEX, RANK_PAGES);
DEFINE_LOCK_CLASS(meta_pages_class, "fs.meta_pages", BB_LK_MUTEX, RANK_META_PAGES);

struct cached_page {
	struct rb_node node;
	u64 index;
	struct page *page;
};
static struct kmem_cache *node_cache;

void pagecache_init(void)
{
	node_cache = kmem_cache_create("cached_page", sizeof(struct cached_page), 8);
	if (!node_cache)
		panic("out of memory for the page cache");
}

static struct cached_page *pagecache_find(struct inode *inode, u64 index)
	REQUIRES(inode->pages_lock)
{
	struct rb_node *n = inode->pages.node;

	while (n) {
		struct cached_page *c = rb_entry(n, struct cached_page, node);

		if (c->index == index)
			return c;
		n = index < c->index ? n->left : n->right;
	}
	return NULL;
}

static void pagecache_insert(struct inode *inode, struct cached_page *new)
	REQUIRES(inode->pages_lock)
{
	struct rb_node **link = &inode->pages.node, *parent = NULL;

	while (*link) {
		struct cached_page *c = rb_entry(*link, struct cached_page, node);

		parent = *link;
		link = new->index < c->index ? &parent->left : &parent->right;
	}
	rb_link(&new->node, parent, link);
	rb_insert_fixup(&inode->pages, &new->node);
	new->page->owner = inode;
	new->page->index = new->index;
}

static void pagecache_free(struct cached_page *c)
{
	page_put(c->page);
	kmem_cache_free(node_cache, c);
}

void pagecache_drop_all(struct inode *inode)
{
	struct rb_node *n;

	while ((n = inode->pages.node) != NULL) {
		rb_erase(&inode->pages, n);
		pagecache_free(rb_entry(n, struct cached_page, node));
	}
}

/* Drops up to `want` pages that nobody uses. Returns how many. */
static unsigned int pagecache_trim(struct inode *inode, unsigned int want)
	REQUIRES(inode->pages_lock)
{
	struct rb_node *n = rb_first(&inode->pages), *next;
	unsigned int done = 0;

	for (; n && done < want; n = next) {
		struct cached_page *c = rb_entry(n, struct cached_page, node);

		next = rb_next(n);
		if (atomic_load(&c->page->refs) != 1)
			continue;
		rb_erase(&inode->pages, n);
		pagecache_free(c);
		done++;
	}
	return done;
}

unsigned int vfs_cache_shrink(void)
{
	struct inode *i = NULL;
	unsigned int done = 0;

	while ((i = inode_cache_next(i)) != NULL) {
		mutex_lock(&i->pages_lock);
		done += pagecache_trim(i, ~0u);
		mutex_unlock(&i->pages_lock);
	}
	inode_cache_shrink(~0u);
	return done;
}

static void pagecache_reclaim(struct inode *inode) REQUIRES(inode->pages_lock)
{
	inode_cache_shrink(RECLAIM_INODES);
	pagecache_trim(inode, RECLAIM_PAGES);
}

static struct cached_page *pagecache_alloc(u64 index)
{
	struct cached_page *c = kmem_cache_alloc(node_cache);

	if (!c)
		return NULL;
	c->index = index;
	c->page = page_alloc(0, 0);
	if (c->page)
		return c;
	kmem_cache_free(node_cache, c);
	return NULL;
}

/* Reads n absent pages from `index` on and puts them into the tree; all or nothing. */
static int pagecache_fill_n(struct inode *inode, u64 index, unsigned int n)
	REQUIRES(inode->pages_lock)
{
	struct cached_page *c[READAHEAD];
	struct page *pages[READAHEAD];
	unsigned int got;
	size_t tail;
	int err;

	for (got = 0; got < n; got++) {
		c[got] = pagecache_alloc(index + got);
		if (!c[got])
			break;
		pages[got] = c[got]->page;
	}
	if (got == 0)
		return -ENOMEM;
	if (got > 1)
		err = inode->ops->read_pages(inode, index, pages, got);
	else
		err = inode->ops->read_page(inode, index, pages[0]);
	if (err) {
		while (got)
			pagecache_free(c[--got]);
		return err;
	}
	tail = inode->size % PAGE_SIZE;
	for (unsigned int i = 0; i < got; i++) {
		/* What a mapping shows behind the end of the file is zero. */
		if (tail && index + i == inode->size / PAGE_SIZE)
			memset((char *)page_to_virt(pages[i]) + tail, 0, PAGE_SIZE - tail);
		pagecache_insert(inode, c[i]);
	}
	return 0;
}

static int pagecache_fill(struct inode *inode, u64 index, u64 end) REQUIRES(inode->pages_lock)
{
	unsigned int n = 1;
	u64 total, avail;
	int err;

	mm_stats(&total, &avail);
	if (avail < total / 16)
		pagecache_reclaim(inode);
	else if (inode->ops->read_pages)
		while (n < READAHEAD && index + n < end && !pagecache_find(inode, index + n))
			n++;
	err = pagecache_fill_n(inode, index, n);
	if (err == -ENOMEM) {
		pagecache_reclaim(inode);
		err = pagecache_fill_n(inode, index, 1);
	} else if (err && n > 1) {
		err = pagecache_fill_n(inode, index, 1);
	}
	return err;
}

/* The page with a reference; -EIO behind the end of the file and on read errors, -ENOMEM; for who
 * is to die, -ERESTARTSYS instead of a wait for somebody who reads from the disk. */
struct page *pagecache_get(struct inode *inode, u64 index)
{
	u64 end = inode->size / PAGE_SIZE + (inode->size % PAGE_SIZE != 0);
	struct cached_page *c;
	struct page *page;
	int err;

	if (index >= end || !inode->ops || !inode->ops->read_page)
		return ERR_PTR(-EIO);
	err = mutex_lock_killable(&inode->pages_lock);
	if (err)
		return ERR_PTR(err);
	c = pagecache_find(inode, index);
	if (!c) {
		err = pagecache_fill(inode, index, end);
		c = err ? NULL : pagecache_find(inode, index);
	}
	if (c) {
		page = c->page;
		page_get(page);
	} else {
		page = ERR_PTR(err);
	}
	mutex_unlock(&inode->pages_lock);
	return page;
}

ssize_t inode_read(struct inode *inode, void *buf, size_t n, u64 pos)
{
	size_t done = 0;

	if (!inode->ops || !inode->ops->read_page)
		return -EINVAL;
	if (pos >= inode->size)
		return 0;
	n = MIN((u64)n, inode->size - pos);
	while (done < n) {
		size_t off = (pos + done) % PAGE_SIZE;
		size_t c = MIN(n - done, PAGE_SIZE - off);
		struct page *p = pagecache_get(inode, (pos + done) / PAGE_SIZE);

		if (IS_ERR(p))
			return done ? (ssize_t)done : PTR_ERR(p);
		memcpy((char *)buf + done, (char *)page_to_virt(p) + off, c);
		page_put(p);
		done += c;
	}
	return (ssize_t)done;
}
