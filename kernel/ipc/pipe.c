/* pipe.c - pipes.
 *
 * Theory. A pipe is an inode that no cache knows; its private data is the ring. Both ends are open
 * files of that inode, which lives as long as they do. `lock` (mutex: user memory is copied under
 * it) guards positions and counts of ends; head and tail only grow, head - tail is what is inside.
 * Conditions of sleepers are looked at without the lock and checked again under it. Whoever changes
 * what the other side may wait for wakes it after unlocking.
 *
 * Any reader can use what is inside, so readers wait exclusively: data wakes one, and who leaves
 * some wakes the next. Writers need different amounts of room, so room wakes all of them.
 *
 * A write of at most PIPE_BUF bytes goes in whole or waits, so it never mixes with others'. -EPIPE
 * comes with a call of pipe_broken(), also where a part was written before: the signal is task's.
 *
 * Lock order: fs.pipe > mm.lock. Two pipes' locks are never held together.
 */
#include <ipc/pipe.h>
#include <lib/atomic.h>
#include <mm/vm.h>
#include <sync/lock_order.h>
#include <sync/mutex.h>
#include <sync/poll.h>
#include <uapi/fcntl.h>

#define PIPE_SIZE 65536u /* as Linux */

struct pipe {
	struct mutex lock;
	u64 head, tail;       /* bytes ever written, read */
	u32 readers, writers; /* open files */
	u8 *data;
	struct wait_queue can_read, can_write;
};

DEFINE_LOCK_CLASS(pipe_class, "fs.pipe", BB_LK_MUTEX, RANK_PIPE);
DEFINE_LOCK_CLASS(pipe_data_class, "pipe.data", BB_LK_WAITQ, 0);
DEFINE_LOCK_CLASS(pipe_room_class, "pipe.room", BB_LK_WAITQ, 0);
static u64 next_ino = 1;
static struct super_block pipe_sb = {.type = "pipefs", .dev_id = 8};

void (*pipe_broken)(void);

static u32 nr_buffers; /* atomic */

/* Pipes may take a quarter of the memory: a process does not show what it has in them, so when
 * memory is out nobody could tell whom to end for it. */
static u8 *buffer_alloc(void)
{
	u64 total, avail;
	u8 *data;

	mm_stats(&total, &avail);
	if (atomic_add_fetch(&nr_buffers, 1u) * (u64)(PIPE_SIZE / PAGE_SIZE) > total / 4)
		data = ERR_PTR(-ENFILE);
	else
		data = kmalloc(PIPE_SIZE) ?: ERR_PTR(-ENOMEM);
	if (IS_ERR(data))
		atomic_fetch_sub(&nr_buffers, 1u);
	return data;
}

static void buffer_free(u8 *data)
{
	if (data) {
		kfree(data);
		atomic_fetch_sub(&nr_buffers, 1u);
	}
}

static u64 pipe_used(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail);
}

/* Copies as much as is there, at most n. A page at a time, here and below: when the user's buffer
 * ends, the pages before it count, as on Linux. */
static ssize_t pipe_take(struct pipe *p, char __user *buf, size_t n) REQUIRES(p->lock)
{
	size_t done = 0;

	n = MIN((u64)n, pipe_used(p));
	while (done < n) {
		size_t at = p->tail % PIPE_SIZE;
		size_t c = MIN(MIN(n - done, PIPE_SIZE - at), PAGE_SIZE);

		if (copy_to_user(buf + done, p->data + at, c))
			return done ? (ssize_t)done : -EFAULT;
		WRITE_ONCE(p->tail, p->tail + c);
		done += c;
	}
	return (ssize_t)done;
}

/* Copies as much as there is room for, at most n. */
static ssize_t pipe_give(struct pipe *p, const char __user *buf, size_t n) REQUIRES(p->lock)
{
	size_t done = 0;

	n = MIN((u64)n, PIPE_SIZE - pipe_used(p));
	while (done < n) {
		size_t at = p->head % PIPE_SIZE;
		size_t c = MIN(MIN(n - done, PIPE_SIZE - at), PAGE_SIZE);

		if (copy_from_user(p->data + at, buf + done, c))
			return done ? (ssize_t)done : -EFAULT;
		WRITE_ONCE(p->head, p->head + c);
		done += c;
	}
	return (ssize_t)done;
}

static ssize_t pipe_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	struct pipe *p = f->inode->priv;
	bool ended, left;
	ssize_t ret;

	if (n == 0)
		return 0;
	for (;;) {
		ret = mutex_lock_killable(&p->lock);
		if (ret)
			return ret;
		ret = pipe_take(p, buf, n);
		ended = p->writers == 0;
		left = pipe_used(p) != 0;
		mutex_unlock(&p->lock);
		if (ret > 0)
			wake_up_all(&p->can_write);
		if (left)
			wake_up(&p->can_read);
		if (ret || ended)
			return ret;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_exclusive(&p->can_read, pipe_used(p) || !READ_ONCE(p->writers),
					 BB_WAIT_PIPE, 0))
			return -EINTR;
	}
}

static bool pipe_has_room(const struct pipe *p, size_t need)
{
	return PIPE_SIZE - pipe_used(p) >= need || !READ_ONCE(p->readers);
}

static ssize_t pipe_write(struct file *f, const void __user *buf, size_t n, loff_t *pos)
{
	struct pipe *p = f->inode->priv;
	size_t need = n <= PIPE_BUF ? n : 1;
	size_t done = 0;
	ssize_t ret = 0;
	bool broken;

	while (done < n) {
		ret = mutex_lock_killable(&p->lock);
		if (ret)
			break;
		broken = p->readers == 0;
		if (broken)
			ret = -EPIPE;
		else if (PIPE_SIZE - pipe_used(p) >= need)
			ret = pipe_give(p, (const char __user *)buf + done, n - done);
		else
			ret = 0;
		mutex_unlock(&p->lock);
		if (ret < 0)
			break;
		if (ret > 0) {
			done += (size_t)ret;
			wake_up(&p->can_read);
			continue;
		}
		if (f->flags & O_NONBLOCK) {
			ret = -EAGAIN;
			break;
		}
		if (wait_event_killable(&p->can_write, pipe_has_room(p, need), BB_WAIT_PIPE, 0)) {
			ret = -EINTR;
			break;
		}
	}
	if (ret == -EPIPE && pipe_broken)
		pipe_broken();
	return done ? (ssize_t)done : ret;
}

static u32 pipe_poll(struct file *f, struct poll_table *table)
{
	struct pipe *p = f->inode->priv;
	u32 ready = 0;

	if ((f->flags & O_ACCMODE) == O_RDONLY) {
		poll_wait(table, &p->can_read);
		if (pipe_used(p))
			ready |= POLLIN;
		if (!READ_ONCE(p->writers))
			ready |= POLLHUP;
	} else {
		poll_wait(table, &p->can_write);
		if (PIPE_SIZE - pipe_used(p) >= PIPE_BUF)
			ready |= POLLOUT;
		if (!READ_ONCE(p->readers))
			ready |= POLLERR;
	}
	return ready;
}

/* Whoever has an end open can end waits at the other one, by what it does or by closing it. */
static const struct wait_queue *pipe_wakes(const struct file *f)
{
	const struct pipe *p = f->inode->priv;

	return (f->flags & O_ACCMODE) == O_RDONLY ? &p->can_write : &p->can_read;
}

static int pipe_open(struct inode *inode, struct file *f)
{
	struct pipe *p = inode->priv;

	mutex_lock(&p->lock);
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		p->readers++;
	else
		p->writers++;
	mutex_unlock(&p->lock);
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->inode->priv;
	u8 *data = NULL;

	mutex_lock(&p->lock);
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		p->readers--;
	else
		p->writers--;
	if (!p->readers && !p->writers) {
		data = p->data;
		p->data = NULL;
	}
	mutex_unlock(&p->lock);
	buffer_free(data);
	wake_up_all(&p->can_read);
	wake_up_all(&p->can_write);
}

static void pipe_gone(struct inode *i)
{
	struct pipe *p = i->priv;

	if (!p)
		return;
	mutex_fini(&p->lock);
	waitq_fini(&p->can_read);
	waitq_fini(&p->can_write);
}

static const struct file_ops pipe_file_ops = {
	.gone = pipe_gone,
	.open = pipe_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.wakes = pipe_wakes,
};

static struct inode *pipe_inode_create(void)
{
	struct inode *i = inode_anonymous(&pipe_sb, atomic_fetch_add(&next_ino, 1u));
	int err = -ENOMEM;
	struct pipe *p;

	if (!i)
		return ERR_PTR(err);
	i->mode = S_IFIFO | 0600;
	i->nlink = 1;
	i->fops = &pipe_file_ops;
	i->priv = p = kzalloc(sizeof(*p));
	if (!p)
		goto fail;
	mutex_init(&p->lock, &pipe_class);
	waitq_init(&p->can_read, &pipe_data_class);
	waitq_init(&p->can_write, &pipe_room_class);
	p->data = buffer_alloc();
	if (!IS_ERR(p->data))
		return i;
	err = (int)PTR_ERR(p->data);
fail:
	inode_put(i); /* frees p as well */
	return ERR_PTR(err);
}

int pipe_create(struct file *out[2], u32 flags)
{
	struct inode *i = pipe_inode_create();
	struct file *r, *w;

	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	flags &= O_NONBLOCK;
	r = file_open_inode(i, flags | O_RDONLY);
	if (IS_ERR(r)) {
		buffer_free(((struct pipe *)i->priv)->data); /* no end was opened to do it */
		inode_put(i);
		return (int)PTR_ERR(r);
	}
	w = file_open_inode(i, flags | O_WRONLY);
	inode_put(i);
	if (IS_ERR(w)) {
		file_put(r);
		return (int)PTR_ERR(w);
	}
	out[0] = r;
	out[1] = w;
	return 0;
}
