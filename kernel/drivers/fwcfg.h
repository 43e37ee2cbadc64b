/* fwcfg.h - QEMU's firmware configuration device, for vmcoreinfo.c. */
#ifndef DRIVERS_FWCFG_H
#define DRIVERS_FWCFG_H

#include <lib/types.h>

/* Writes n bytes (512 at most) at the start of a file, e.g. "etc/vmcoreinfo". 0; -ENODEV without
 * the device, -ENOENT without the file, -EINVAL if it is smaller, -EIO, -ENOMEM. May sleep. */
int fwcfg_write_file(const char *name, const void *data, size_t n) must_check;

#endif
