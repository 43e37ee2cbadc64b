/* printk.c - formats one message and hands it to the black box, the trace ring and the console.
 *
 * Order matters: the black box first, since nothing that happens later can take it back; the event
 * that points at the text second; the serial port last, since it may have to wait or give up.
 * Takes no tracked lock and allocates nothing. LOG_DEBUG text stays off the serial port.
 */
#include <lib/clock.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <tracing/box.h>
#include <tracing/events.h>

#define LINE_MAX 512 /* longer messages are cut; well inside any stack that may call */

static bool (*sink)(const char *s, size_t n);

void printk_set_sink(bool (*fn)(const char *s, size_t n))
{
	sink = fn;
}

void printk(enum log_level level, const char *tag, const char *fmt, ...)
{
	char line[LINE_MAX];
	u64 ms = time_ns() / 1000000;
	size_t len, room;
	u64 offset;
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "[%5llu.%03llu] %s: ", (unsigned long long)(ms / 1000),
		     (unsigned long long)(ms % 1000), tag);
	len = n < 0 ? 0 : MIN((size_t)n, sizeof(line) - 2);
	room = sizeof(line) - 1 - len; /* one byte stays for the newline */
	va_start(ap, fmt);
	n = vsnprintf(line + len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		len += MIN((size_t)n, room - 1);
	if (line[len - 1] != '\n')
		line[len++] = '\n';

	offset = box_console_write(line, (u32)len);
	trace(printk, level, offset, len);
	if (level < LOG_DEBUG && sink)
		sink(line, len);
}
