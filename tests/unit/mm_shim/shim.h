/* shim.h - what tests ask of the host stand-in. */
#ifndef MM_SHIM_H
#define MM_SHIM_H
#include <setjmp.h>

extern unsigned long shim_early_size; /* so much of it is in the early map */
extern jmp_buf *shim_panic;           /* where a panic continues; NULL: abort */
extern char shim_panic_text[512];
void shim_set_cmdline(const char *line);
#endif
