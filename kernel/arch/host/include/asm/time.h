/* Host body of <arch/time.h>: the process's monotonic clock in ns. */
#ifndef ASM_TIME_H
#define ASM_TIME_H
u64 host_ticks(void);
static inline u64 arch_ticks(void)
{
	return host_ticks();
}
#endif
