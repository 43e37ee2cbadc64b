/* ipc/pipe.h - pipes. */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include <fs/vfs.h>

/* out[0] reads, out[1] writes. flags: O_NONBLOCK (O_CLOEXEC is the file table's). Thread context.
 * -ENOMEM, -ENFILE. */
int pipe_create(struct file *out[2], u32 flags) must_check;
/* A write found nobody left to read: task/ raises SIGPIPE. Set at boot, NULL = nobody is to be
 * told; thread context, no locks. */
extern void (*pipe_broken)(void);

#endif
