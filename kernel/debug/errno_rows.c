/* errno_rows.c - names of the Linux error numbers for the black box's table "errno". */
#include <lib/errno.h>
#include "debug_private.h"

#define ROW(e)                                                                                     \
	{                                                                                          \
		.table = BB_TAB_ERRNO, .value = e, .name = #e                                      \
	}

const struct bb_enum_row errno_rows[] = {
	ROW(EPERM),      ROW(ENOENT),    ROW(ESRCH),       ROW(EINTR),        ROW(EIO),
	ROW(ENXIO),      ROW(E2BIG),     ROW(ENOEXEC),     ROW(EBADF),        ROW(ECHILD),
	ROW(EAGAIN),     ROW(ENOMEM),    ROW(EACCES),      ROW(EFAULT),       ROW(EBUSY),
	ROW(EEXIST),     ROW(EXDEV),     ROW(ENODEV),      ROW(ENOTDIR),      ROW(EISDIR),
	ROW(EINVAL),     ROW(ENFILE),    ROW(EMFILE),      ROW(ENOTTY),       ROW(EFBIG),
	ROW(ENOSPC),     ROW(ESPIPE),    ROW(EROFS),       ROW(EMLINK),       ROW(EPIPE),
	ROW(EDOM),       ROW(ERANGE),    ROW(EDEADLK),     ROW(ENAMETOOLONG), ROW(ENOLCK),
	ROW(ENOSYS),     ROW(ENOTEMPTY), ROW(ELOOP),       ROW(EOVERFLOW),    ROW(EILSEQ),
	ROW(EOPNOTSUPP), ROW(ETIMEDOUT), ROW(ERESTARTSYS),
};
const unsigned int errno_rows_count = sizeof(errno_rows) / sizeof(errno_rows[0]);
