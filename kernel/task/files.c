/* files.c - a process's table of open files.
 *
 * Invariant: files[fd] != NULL holds one reference; bit fd of cloexec only counts then. Changes are
 * made by the process's own thread, under files_lock, a mutex that is never held while a file is
 * released: release may sleep for long and may take any lock of the file's own. That one thread
 * looks files up without it (fd_get, fd_peek); a second one in the process would need more.
 */
#include <task/files.h>
#include <tracing/tracker.h>

/* The black box knows for each task of which pipes it has an end open: that says who could end
 * whose wait. An entry comes with the descriptor and goes after the file was dropped. */
static const struct wait_queue *file_wakes(const struct file *f)
{
	return f->ops->wakes ? f->ops->wakes(f) : NULL;
}

static void note_opened(struct process *p, const struct file *f)
{
	const struct wait_queue *q = file_wakes(f);

	if (unlikely(q != NULL) && p->thread)
		track_end_opened(p->thread->bb, q);
}

static void drop(struct process *p, struct file *f)
{
	const struct wait_queue *q = file_wakes(f);

	file_put(f);
	if (unlikely(q != NULL) && p->thread)
		track_end_closed(p->thread->bb, q);
}

void files_note(struct process *p)
{
	mutex_lock(&p->files_lock);
	for (unsigned int fd = 0; fd < NR_FILES; fd++)
		if (p->files[fd])
			note_opened(p, p->files[fd]);
	mutex_unlock(&p->files_lock);
}

static bool cloexec_test(const struct process *p, unsigned int fd)
{
	return p->cloexec[fd / 64] >> (fd % 64) & 1;
}

static void cloexec_set(struct process *p, unsigned int fd, bool on)
{
	u64 bit = 1ull << (fd % 64);

	if (on)
		p->cloexec[fd / 64] |= bit;
	else
		p->cloexec[fd / 64] &= ~bit;
}

static struct file *fd_file(struct process *p, int fd) REQUIRES(p->files_lock)
{
	return fd >= 0 && fd < NR_FILES ? p->files[fd] : NULL;
}

/* Without the lock: only its own thread changes a table, and that is here. */
struct file *fd_peek(int fd) NO_TSA
{
	return fd_file(current_process(), fd);
}

struct file *fd_get(int fd)
{
	struct file *f = fd_peek(fd);

	if (f)
		file_get(f);
	return f;
}

/* Lowest free number >= min, or -EMFILE. */
static int fd_free(struct process *p, unsigned int min) REQUIRES(p->files_lock)
{
	for (unsigned int fd = min; fd < NR_FILES; fd++)
		if (!p->files[fd])
			return (int)fd;
	return -EMFILE;
}

int fd_install(struct file *f, unsigned int min, bool cloexec)
{
	struct process *p = current_process();
	int fd;

	if (min >= NR_FILES)
		return -EINVAL;
	mutex_lock(&p->files_lock);
	fd = fd_free(p, min);
	if (fd >= 0) {
		p->files[fd] = f;
		cloexec_set(p, (unsigned int)fd, cloexec);
		note_opened(p, f);
	}
	mutex_unlock(&p->files_lock);
	return fd;
}

int fd_install_pair(struct file *const f[2], bool cloexec, int out[2])
{
	int fd0 = fd_install(f[0], 0, cloexec), fd1;
	struct process *p = current_process();

	if (fd0 < 0)
		return fd0;
	fd1 = fd_install(f[1], 0, cloexec);
	if (fd1 < 0) {
		mutex_lock(&p->files_lock);
		p->files[fd0] = NULL;
		mutex_unlock(&p->files_lock);
		file_get(f[0]); /* the caller keeps its reference */
		drop(p, f[0]);
		return fd1;
	}
	out[0] = fd0;
	out[1] = fd1;
	return 0;
}

int fd_dup_to(int oldfd, int newfd, bool cloexec)
{
	struct process *p = current_process();
	struct file *f, *was = NULL;
	int ret = -EBADF;

	if (newfd < 0 || newfd >= NR_FILES)
		return -EBADF;
	mutex_lock(&p->files_lock);
	f = fd_file(p, oldfd);
	if (f) {
		file_get(f);
		was = p->files[newfd];
		p->files[newfd] = f;
		cloexec_set(p, (unsigned int)newfd, cloexec);
		note_opened(p, f);
		ret = newfd;
	}
	mutex_unlock(&p->files_lock);
	if (was)
		drop(p, was);
	return ret;
}

int fd_close(int fd)
{
	struct process *p = current_process();
	struct file *f;

	mutex_lock(&p->files_lock);
	f = fd_file(p, fd);
	if (f)
		p->files[fd] = NULL;
	mutex_unlock(&p->files_lock);
	if (!f)
		return -EBADF;
	drop(p, f);
	return 0;
}

int fd_get_cloexec(int fd)
{
	struct process *p = current_process();
	int ret = -EBADF;

	mutex_lock(&p->files_lock);
	if (fd_file(p, fd))
		ret = cloexec_test(p, (unsigned int)fd);
	mutex_unlock(&p->files_lock);
	return ret;
}

int fd_set_cloexec(int fd, bool on)
{
	struct process *p = current_process();
	int ret = -EBADF;

	mutex_lock(&p->files_lock);
	if (fd_file(p, fd)) {
		cloexec_set(p, (unsigned int)fd, on);
		ret = 0;
	}
	mutex_unlock(&p->files_lock);
	return ret;
}

/* `to` is not yet visible to anybody. */
void files_copy(struct process *to, struct process *from)
{
	mutex_lock(&from->files_lock);
	for (unsigned int fd = 0; fd < NR_FILES; fd++) {
		to->files[fd] = from->files[fd];
		if (to->files[fd])
			file_get(to->files[fd]);
	}
	for (unsigned int i = 0; i < NR_FILES / 64; i++)
		to->cloexec[i] = from->cloexec[i];
	mutex_unlock(&from->files_lock);
}

#define CLOSE_BATCH 16u

/* Files leave the table in batches, so the lock is taken per batch and not per descriptor; they are
 * dropped without it, because dropping may sleep. */
static void files_close_where(struct process *p, bool only_cloexec)
{
	struct file *batch[CLOSE_BATCH];
	unsigned int fd = 0, n;

	do {
		n = 0;
		mutex_lock(&p->files_lock);
		for (; fd < NR_FILES && n < CLOSE_BATCH; fd++) {
			if (!p->files[fd] || (only_cloexec && !cloexec_test(p, fd)))
				continue;
			batch[n++] = p->files[fd];
			p->files[fd] = NULL;
		}
		mutex_unlock(&p->files_lock);
		for (unsigned int i = 0; i < n; i++)
			drop(p, batch[i]);
	} while (fd < NR_FILES);
}

void files_close_cloexec(struct process *p)
{
	files_close_where(p, true);
}

void files_close_all(struct process *p)
{
	files_close_where(p, false);
}
