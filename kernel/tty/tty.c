/* tty.c - the console as a terminal: a minimal line discipline over the serial port.
 *
 * Theory. One ring of cells, three ever-growing positions, read <= commit <= edit. The receive
 * interrupt appends at `edit`; backspace and Ctrl-U move `edit` back but never below `commit`; a
 * newline or Ctrl-D moves `commit` up to `edit` and wakes readers. A reader takes from `read` up to
 * `commit`, one line at most. Ctrl-D is stored as the cell CELL_EOF, which no received byte equals,
 * and ends a read; alone at the start it makes the read return 0. With ICANON off every byte is
 * committed at once.
 *
 * All positions and settings are under `lock` (masks interrupts: the receive interrupt takes it).
 * Echo is sent after the lock is dropped: the console may wait. Signals from the keyboard do not
 * exist yet: Ctrl-C is ignored in line mode.
 */
#define LOG_TAG "tty"
#include <drivers/console.h>
#include <fs/vfs.h>
#include <irq/irq.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <sync/poll.h>
#include <tty/tty.h>
#include <arch/platform.h>
#include <tracing/box.h>
#include <uapi/fcntl.h>

#define CELLS    1024u
#define CELL_EOF 0x100u

/* Linux UAPI asm-generic/termbits.h and ioctls.h; the same on both architectures. */
#define TCGETS     0x5401u
#define TCSETS     0x5402u
#define TCSETSW    0x5403u
#define TCSETSF    0x5404u
#define TIOCGWINSZ 0x5413u
#define ICRNL      0000400u
#define OPOST      0000001u
#define ONLCR      0000004u
#define CS8        0000060u
#define CREAD      0000200u
#define B38400     0000017u
#define ICANON     0000002u
#define ECHO       0000010u
#define ECHOE      0000020u
#define ECHOK      0000040u
#define CTRL(c)    ((c)&0x1f)
#define DEL        0x7f

struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[19];
};
_Static_assert(sizeof(struct termios) == 36, "ABI");
struct winsize {
	u16 rows, cols, xpixel, ypixel;
};

DEFINE_LOCK_CLASS(tty_class, "tty.input", BB_LK_SPIN, RANK_TTY);
static DEFINE_SPINLOCK(lock, tty_class);
DEFINE_LOCK_CLASS(tty_data_class, "tty.data", BB_LK_WAITQ, 0);
static struct wait_queue readers = WAIT_QUEUE_INIT(readers, tty_data_class);
static u16 cells[CELLS]; /* all below under lock */
static u32 read_pos, commit_pos, edit_pos;
static struct termios settings = {
	.iflag = ICRNL,
	.oflag = OPOST | ONLCR,
	.cflag = CS8 | CREAD | B38400,
	.lflag = ICANON | ECHO | ECHOE | ECHOK,
	/* INTR QUIT ERASE KILL EOF TIME MIN SWTC START STOP SUSP */
	.cc = {CTRL('C'), 034, DEL, CTRL('U'), CTRL('D'), 0, 1, 0, CTRL('Q'), CTRL('S'), CTRL('Z')},
};

static void tty_append(u16 cell) REQUIRES(lock)
{
	cells[edit_pos++ % CELLS] = cell;
}

/* One byte in line mode. Writes what to echo to `echo` (room for 3), returns its length. */
static unsigned int tty_edit(u8 c, char *echo) REQUIRES(lock)
{
	/* One cell stays for the newline that ends a full line. */
	bool full = edit_pos - read_pos >= CELLS - 1;

	if (c == DEL || c == CTRL('H')) {
		if (edit_pos == commit_pos)
			return 0;
		edit_pos--;
		memcpy(echo, "\b \b", 3);
		return 3;
	}
	if (c == CTRL('D')) {
		if (edit_pos - read_pos < CELLS) {
			tty_append(CELL_EOF);
			commit_pos = edit_pos;
		}
		return 0;
	}
	if (c == '\n') {
		if (edit_pos - read_pos >= CELLS)
			return 0;
		tty_append('\n');
		commit_pos = edit_pos;
		echo[0] = '\n';
		return 1;
	}
	if (full || (c < ' ' && c != '\t'))
		return 0; /* other control characters, Ctrl-C among them, mean nothing yet */
	tty_append(c);
	echo[0] = (char)c;
	return 1;
}

void tty_receive(u8 c)
{
	char echo[3];
	unsigned int n = 0, erase = 0;
	irqflags_t flags = spin_lock_irqsave(&lock);
	u32 committed = commit_pos;
	bool on;

	if (c == '\r' && (settings.iflag & ICRNL))
		c = '\n';
	on = settings.lflag & ECHO;
	if (!(settings.lflag & ICANON)) {
		if (edit_pos - read_pos < CELLS) {
			tty_append(c);
			commit_pos = edit_pos;
			echo[0] = (char)c;
			n = 1;
		}
	} else if (c == CTRL('U')) {
		erase = edit_pos - commit_pos;
		edit_pos = commit_pos;
	} else {
		n = tty_edit(c, echo);
	}
	committed = commit_pos - committed;
	spin_unlock_irqrestore(&lock, flags);

	if (on) {
		while (erase--)
			console_emit("\b \b", 3);
		if (n)
			console_emit(echo, n);
	}
	if (committed)
		wake_up_all(&readers);
}

static bool tty_interrupt(unsigned int irq, void *arg)
{
	bool any = false;
	int c;

	while ((c = arch_uart_getc()) >= 0) {
		tty_receive((u8)c);
		any = true;
	}
	return any;
}

/* Peeked without the lock by waiters; they look again under it. */
static bool tty_readable(void)
{
	return READ_ONCE(read_pos) != READ_ONCE(commit_pos);
}

static ssize_t tty_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	char chunk[256];
	size_t done = 0;
	bool end = n == 0;

	while (!end) {
		size_t got = 0;
		irqflags_t flags;
		bool line_mode;

		if (done == 0 && !tty_readable()) {
			if (f->flags & O_NONBLOCK)
				return -EAGAIN;
			if (wait_event_killable(&readers, tty_readable(), BB_WAIT_TTY, 0))
				return -EINTR;
		}
		flags = spin_lock_irqsave(&lock);
		line_mode = settings.lflag & ICANON;
		while (!end && got < sizeof(chunk) && done + got < n && read_pos != commit_pos) {
			u16 cell = cells[read_pos % CELLS];

			if (cell == CELL_EOF) {
				/* Ends a line that it follows; the next read starts after it. */
				read_pos++;
				end = true;
				break;
			}
			read_pos++;
			chunk[got++] = (char)cell;
			end = line_mode && cell == '\n';
		}
		spin_unlock_irqrestore(&lock, flags);
		if (got && copy_to_user((char __user *)buf + done, chunk, got))
			return done ? (ssize_t)done : -EFAULT;
		done += got;
		if (got == 0 && done > 0)
			break;
		if (done == n || (done && !tty_readable()))
			break;
	}
	return (ssize_t)done;
}

static ssize_t tty_write(struct file *f, const void __user *buf, size_t n, loff_t *pos)
{
	char chunk[256];
	size_t done = 0;

	while (done < n) {
		size_t c = MIN(n - done, sizeof(chunk));

		if (copy_from_user(chunk, (const char __user *)buf + done, c))
			return done ? (ssize_t)done : -EFAULT;
		console_write(chunk, c);
		done += c;
		if (thread_kill_pending())
			break;
	}
	return (ssize_t)done;
}

static long tty_set(const void __user *arg, bool flush)
{
	struct termios t;
	irqflags_t flags;
	bool wake;

	if (copy_from_user(&t, arg, sizeof(t)))
		return -EFAULT;
	flags = spin_lock_irqsave(&lock);
	settings = t;
	if (flush)
		read_pos = edit_pos = commit_pos;
	if (!(t.lflag & ICANON))
		commit_pos = edit_pos; /* an unfinished line becomes readable */
	wake = read_pos != commit_pos;
	spin_unlock_irqrestore(&lock, flags);
	if (wake)
		wake_up_all(&readers);
	return 0;
}

static long tty_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	static const struct winsize size = {.rows = 24, .cols = 80};
	void __user *uarg = (void __user *)arg;
	struct termios t;
	irqflags_t flags;

	switch (cmd) {
	case TCGETS:
		flags = spin_lock_irqsave(&lock);
		t = settings;
		spin_unlock_irqrestore(&lock, flags);
		return copy_to_user(uarg, &t, sizeof(t)) ? -EFAULT : 0;
	case TCSETS:
	case TCSETSW:
		return tty_set(uarg, false);
	case TCSETSF:
		return tty_set(uarg, true);
	case TIOCGWINSZ:
		return copy_to_user(uarg, &size, sizeof(size)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static u32 tty_poll(struct file *f, struct poll_table *table)
{
	poll_wait(table, &readers);
	return POLLOUT | (tty_readable() ? POLLIN : 0);
}

static const struct file_ops tty_file_ops = {
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
};

void tty_init(void)
{
	int irq = arch_uart_irq();
	int err;

	devfs_register(DEV(5, 1), &tty_file_ops);
	devfs_register(DEV(5, 0), &tty_file_ops);
	if (irq < 0) {
		pr_warn("the serial port has no receive interrupt: no console input");
		return;
	}
	err = irq_request((unsigned int)irq, "uart", tty_interrupt, NULL);
	if (err) {
		pr_err("irq %d: %d: no console input", irq, err);
		return;
	}
	arch_uart_enable_rx();
	while (tty_interrupt((unsigned int)irq, NULL))
		; /* what came before the interrupt was on */
}
