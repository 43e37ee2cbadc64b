/* tty_test.c - the terminal's line discipline on the host: lines, editing, end of file, raw mode,
 * full buffers. The kernel's own tty.c; bytes come in by tty_receive(), the echo is kept by the
 * shim.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <tty/tty.h>
#include <uapi/fcntl.h>
#include "ext2_fuzz.h"
#include "ext2_image.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/fs.h"

#define TCGETS  0x5401u
#define TCSETSF 0x5404u
#define ICANON  2u
#define ECHO    8u

static struct file *con;

static void type(const char *s)
{
	while (*s)
		tty_receive((u8)*s++);
}

/* What one read of n bytes gives; `want` NULL: -EAGAIN. */
static void reads(size_t n, const char *want)
{
	char buf[2048];
	ssize_t got = file_read(con, (void __user *)(unsigned long)buf, n);

	if (!want) {
		assert_int_equal(got, -EAGAIN);
		return;
	}
	assert_int_equal(got, strlen(want));
	assert_memory_equal(buf, want, (size_t)got);
}

static void shows(const char *want)
{
	assert_string_equal(shim_screen, want);
	shim_screen[0] = 0;
}

void test_tty(void **state)
{
	struct {
		u32 iflag, oflag, cflag, lflag;
		u8 rest[20];
	} t, raw;
	u16 size[4] = {0};
	char line[1100];

	/* devices need no root: mode and number are enough */
	struct inode node = {.mode = S_IFCHR, .rdev = 5 << 8 | 1, .refs = 1};

	assert_true(IS_ERR(file_open_inode(&node, O_RDWR))); /* its driver has not registered */
	tty_init();
	con = file_open_inode(&node, O_RDWR | O_NONBLOCK);
	assert_false(IS_ERR(con));
	shim_screen[0] = 0;
	reads(10, NULL);
	type("ls");
	reads(10, NULL); /* no line yet */
	type("\r");
	shows("ls\n");
	assert_int_equal(file_poll(con, NULL) & POLLIN, POLLIN);
	reads(10, "ls\n");
	assert_int_equal(file_poll(con, NULL) & POLLIN, 0);
	type("one\ntwo\n");
	reads(2, "on"); /* a line may be taken in pieces, two lines are not taken at once */
	reads(100, "e\n");
	reads(100, "two\n");
	shim_screen[0] = 0;
	type("ab\x7f"
	     "c\n");
	shows("ab\b \bc\n");
	reads(9, "ac\n");
	type("\x7f\x7f"
	     "x\x15"
	     "y\x03\x1b\n"); /* nothing to erase; Ctrl-U; Ctrl-C and ESC ignored */
	reads(9, "y\n");
	type("done\n\x7f\x7f\n"); /* a finished line cannot be erased */
	reads(9, "done\n");
	reads(9, "\n");
	type("\x04");
	reads(9, ""); /* end of file, once */
	reads(9, NULL);
	type("part\x04");
	reads(9, "part"); /* ends the line without a newline */
	reads(9, NULL);
	type("1234\x04");
	reads(4, "1234");
	reads(4, ""); /* the mark stays behind a full read, as on a terminal at its limit */

	memset(line, 'z', sizeof(line));
	line[1099] = 0;
	type(line); /* more than fits: the rest is dropped, the newline is not */
	type("\n");
	assert_int_equal(file_read(con, (void __user *)(unsigned long)line, 1100), 1024);
	assert_int_equal(line[1023], '\n');
	reads(9, NULL);

	assert_int_equal(file_ioctl(con, TCGETS, (unsigned long)&t), 0);
	assert_int_equal(t.lflag & (ICANON | ECHO), ICANON | ECHO);
	type("lost");
	raw = t;
	raw.lflag &= ~(ICANON | ECHO);
	assert_int_equal(file_ioctl(con, TCSETSF, (unsigned long)&raw), 0);
	shim_screen[0] = 0;
	type("a\x03\x04");
	shows("");
	reads(9, "a\x03\x04"); /* at once, every byte, no echo */
	assert_int_equal(file_ioctl(con, TCSETSF, (unsigned long)&t), 0);
	assert_int_equal(file_ioctl(con, 0x5413, (unsigned long)size), 0);
	assert_int_equal(size[1], 80);
	assert_int_equal(file_ioctl(con, 0x1234, 0), -ENOTTY);
	assert_int_equal(file_write(con, (void __user *)(unsigned long)"text\n", 5), 5);
	shows("text\n");
	assert_int_equal(host_locks_held(), 0);
	file_put(con);
}
