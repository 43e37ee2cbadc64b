/* arch/uaccess.h - raw access to user memory with fault recovery. Called by mm/uaccess.c after the
 * range check. Thread context, may sleep (a page fault is handled). Returns bytes NOT copied. */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H
#include <lib/types.h>

size_t arch_copy_from_user(void *dst, const void __user *src, size_t n) must_check;
size_t arch_copy_to_user(void __user *dst, const void *src, size_t n) must_check;
size_t arch_clear_user(void __user *dst, size_t n) must_check;
#endif
