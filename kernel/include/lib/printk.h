/* lib/printk.h - messages. A message goes to the black box's console ring (lock-free) and the trace
 * ring first, then to the serial port if that can be had without waiting. Any context, NMI and
 * panic included; never sleeps, takes no tracked lock. A file defines LOG_TAG before including. */
#ifndef LIB_PRINTK_H
#define LIB_PRINTK_H

#include <lib/types.h>

#ifndef LOG_TAG
#define LOG_TAG "kernel"
#endif

enum log_level { LOG_ERR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DEBUG = 7 };

void printk(enum log_level level, const char *tag, const char *fmt, ...) __printf(3, 4);
/* Where the text goes after the box: the console's driver says so, once. fn: any context, bounded
 * time, false if it dropped the text. */
void printk_set_sink(bool (*fn)(const char *s, size_t n));
#define pr_err(...)   printk(LOG_ERR, LOG_TAG, __VA_ARGS__)
#define pr_warn(...)  printk(LOG_WARN, LOG_TAG, __VA_ARGS__)
#define pr_info(...)  printk(LOG_INFO, LOG_TAG, __VA_ARGS__)
#define pr_debug(...) printk(LOG_DEBUG, LOG_TAG, __VA_ARGS__)

/* Raw bytes to the console, no prefix, no newline added: user writes and reports. Any context. */
void console_write(const char *s, size_t n);
/* From now on the console ignores its own lock: the panic path and reports of a stuck console. */
void console_bust_lock(void);

#endif
