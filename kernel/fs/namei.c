/* namei.c - path resolution: components, "..", symbolic links, the one mount point.
 *
 * Theory. The walk keeps one inode (with a reference) and the rest of the path. A symbolic link
 * replaces "name/rest" by "target/rest" in a buffer of its own, which is as long as that may be:
 * the limit of PATH_MAX is for each text by itself, the path and every target. A count of links
 * bounds the work and so the text, which grows by a target a link: no image can make the walk
 * endless.
 *
 * The mount table has one row: "dev" in the root directory shows devfs. Both directions are in
 * vfs_step(). The caller holds the root file system's root_lock (ext2_lookup takes it).
 */
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "fs.h"

#define LINKS_MAX 40 /* as Linux */

struct inode *vfs_step(struct inode *dir, const char *name, size_t len)
{
	struct inode *root = vfs_root_sb->root, *dev = devfs_root();

	if (len == 1 && name[0] == '.') {
		inode_get(dir);
		return dir;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		if (dir == root || dir == dev) {
			inode_get(root);
			return root;
		}
	} else if (dir == root && len == 3 && memcmp(name, "dev", 3) == 0) {
		inode_get(dev);
		return dev;
	}
	if (!dir->ops || !dir->ops->lookup)
		return ERR_PTR(-ENOTDIR);
	return dir->ops->lookup(dir, name, len);
}

struct walk_state {
	struct inode *at;
	const char *rest;
	char *text; /* path text after links, NULL before the first */
	unsigned int links;
};

/* Replaces the link just found (inode `link`) and what follows it by its target and the rest. */
static int walk_expand(struct walk_state *s, struct inode *link)
{
	size_t rest = strlen(s->rest);
	ssize_t n;
	char *to;

	if (++s->links > LINKS_MAX)
		return -ELOOP;
	if (!link->ops || !link->ops->readlink)
		return -EIO;
	to = kmalloc(PATH_MAX + rest);
	if (!to)
		return -ENOMEM;
	n = link->ops->readlink(link, to, PATH_MAX - 1);
	if (n <= 0 || n >= PATH_MAX) {
		kfree(to);
		return n < 0 ? (int)n : n ? -ENAMETOOLONG : -ENOENT;
	}
	memcpy(to + n, s->rest, rest + 1); /* begins with '/' or is empty */
	kfree(s->text);
	s->rest = s->text = to;
	if (to[0] == '/') {
		inode_put(s->at);
		s->at = vfs_root_sb->root;
		inode_get(s->at);
	}
	return 0;
}

/* One component. Sets *missing when it does not exist. */
static int walk_component(struct walk_state *s, bool follow_last, bool *missing)
{
	const char *name = s->rest, *after;
	struct inode *next;
	bool last, slash;
	size_t len = 0;
	int err;

	while (name[len] && name[len] != '/')
		len++;
	s->rest = after = name + len;
	while (*after == '/')
		after++;
	slash = *s->rest == '/';
	last = *after == 0;
	if (!S_ISDIR(s->at->mode))
		return -ENOTDIR;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	next = vfs_step(s->at, name, len);
	if (IS_ERR(next)) {
		*missing = last && PTR_ERR(next) == -ENOENT;
		return (int)PTR_ERR(next);
	}
	/* "link/" means the directory behind it, even where links are not followed. */
	if (S_ISLNK(next->mode) && (!last || slash || follow_last)) {
		err = walk_expand(s, next);
		inode_put(next);
		return err;
	}
	inode_put(s->at);
	s->at = next;
	return last && slash && !S_ISDIR(next->mode) ? -ENOTDIR : 0;
}

struct inode *vfs_walk(struct path_walk *w)
{
	struct walk_state s = {.rest = w->path};
	size_t len = strnlen(w->path, PATH_MAX);
	int err = 0;

	w->last_missing = false;
	if (len == 0)
		return ERR_PTR(-ENOENT);
	if (len >= PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	s.at = w->path[0] == '/' || !w->cwd ? vfs_root_sb->root : w->cwd;
	inode_get(s.at);
	while (!err) {
		while (*s.rest == '/')
			s.rest++;
		if (!*s.rest)
			break;
		err = walk_component(&s, w->follow, &w->last_missing);
	}
	kfree(s.text);
	if (!err)
		return s.at;
	inode_put(s.at);
	return ERR_PTR(err);
}

/* Finds the name of child `ino` while listing its parent. */
struct name_search {
	u64 ino;
	char name[NAME_MAX + 1];
	size_t len; /* 0 = not found */
};

static bool name_search_emit(void *ctx, const char *name, size_t len, u64 ino, u8 dtype, u64 next)
{
	struct name_search *s = ctx;

	if (ino != s->ino || len > NAME_MAX || (len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	memcpy(s->name, name, len);
	s->len = len;
	return false;
}

/* The name under which `dir` stands in `parent`. */
static int vfs_name_of(struct inode *parent, struct inode *dir, struct name_search *s)
{
	struct file *f;
	int err;

	s->len = 0;
	s->ino = dir->ino;
	if (dir == devfs_root()) {
		memcpy(s->name, "dev", 3);
		s->len = 3;
		return 0;
	}
	f = file_open_inode(parent, O_RDONLY | O_DIRECTORY);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	err = f->ops->readdir ? f->ops->readdir(f, s, name_search_emit) : -ENOTDIR;
	if (!err && !s->len) /* why not comes with the next call */
		err = f->ops->readdir(f, s, name_search_emit);
	file_put(f);
	return err ? err : s->len ? 0 : -ENOENT;
}

ssize_t vfs_getcwd(struct inode *dir, char *buf, size_t size)
{
	struct name_search *s = kmalloc(sizeof(*s));
	size_t at = size; /* the path grows downwards from the end of buf */
	ssize_t ret = -ERANGE;
	int err;

	if (!s)
		return -ENOMEM;
	if (size < 2)
		goto out_free;
	buf[--at] = 0;
	err = mutex_lock_killable(vfs_root_sb->root_lock);
	if (err) {
		ret = err;
		goto out_free;
	}
	inode_get(dir);
	/* A component takes two bytes at least, so a circle in a corrupt tree ends with -ERANGE. */
	while (dir != vfs_root_sb->root) {
		struct inode *parent = vfs_step(dir, "..", 2);

		ret = IS_ERR(parent) ? PTR_ERR(parent) : vfs_name_of(parent, dir, s);
		if (!IS_ERR(parent)) {
			inode_put(dir);
			dir = parent;
		}
		if (ret)
			goto out_unlock;
		ret = -ERANGE;
		if (s->len + 1 > at)
			goto out_unlock;
		at -= s->len;
		memcpy(buf + at, s->name, s->len);
		buf[--at] = '/';
	}
	if (buf[at] == 0)
		buf[--at] = '/';
	memmove(buf, buf + at, size - at);
	ret = (ssize_t)(size - at);
out_unlock:
	mutex_unlock(vfs_root_sb->root_lock);
	inode_put(dir);
out_free:
	kfree(s);
	return ret;
}
