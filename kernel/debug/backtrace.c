/* backtrace.c - frame-pointer walk. A frame is followed only while it lies on the stack it started
 * on and addresses go up, so a broken chain ends the walk and never leads into unmapped memory.
 * From an exception stack (NMI, double fault) it goes on to the stack that the exception
 * interrupted.
 */
#include <lib/boot.h>
#include <lib/ksyms.h>
#include <arch/backtrace.h>
#include <arch/exception_stack.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include "debug_private.h"

/* [lo, hi) of the stack that fp is on: this CPU's exception stack, the current thread's, or the few
 * KiB above fp if it is the boot stack inside the image. */
static bool stack_bounds(unsigned long fp, unsigned long *lo, unsigned long *hi)
{
	struct thread *t = arch_current();

	if (arch_exception_stack(fp, lo) && fp >= *lo) {
		*hi = *lo + EXCEPTION_STACK_SIZE;
		return true;
	}
	if (t && fp >= t->kstack_base && fp < t->kstack_top) {
		*lo = t->kstack_base;
		*hi = t->kstack_top;
		return true;
	}
	if (fp >= (unsigned long)__data_start && fp < (unsigned long)__image_end) {
		*lo = fp;
		*hi = MIN(ALIGN_UP(fp, KSTACK_SIZE), (unsigned long)__image_end);
		return true;
	}
	return false;
}

unsigned int backtrace_collect(unsigned long pc, unsigned long fp, u64 *out, unsigned int max)
{
	unsigned long lo, hi, base;
	unsigned int n = 0, crossings = 0;

	if (n < max && pc)
		out[n++] = pc;
	if (!stack_bounds(fp, &lo, &hi))
		return n;
	while (n < max && fp >= lo && fp + 16 <= hi && IS_ALIGNED(fp, 8)) {
		unsigned long next = ((unsigned long *)fp)[0];
		unsigned long ra = arch_strip_ra(((unsigned long *)fp)[1]);

		if (ra < (unsigned long)__text_start || ra >= (unsigned long)__text_end)
			break;
		out[n++] = ra;
		if (next <= fp || next >= hi) {
			/* the oldest frame of an exception is what it interrupted; each of the
			 * CPU's exceptions can have interrupted another once */
			if (!arch_exception_stack(fp, &base) ||
			    crossings++ == arch_exception_stacks || !stack_bounds(next, &lo, &hi))
				break;
		}
		fp = next;
	}
	return n;
}

/* Where no code is, no function has made a frame yet, so the caller's frame is the topmost and the
 * walk over frames starts with the caller's caller. */
unsigned long backtrace_astray(const struct trap_frame *tf)
{
	unsigned long pc = trap_pc(tf), sp = trap_sp(tf), ra;
	struct thread *t = arch_current();

	if (pc >= (unsigned long)__text_start && pc < (unsigned long)__text_end)
		return 0;
	if (!t || sp < t->kstack_base || sp >= t->kstack_top)
		return 0;
	ra = arch_strip_ra(trap_caller(tf));
	return ra >= (unsigned long)__text_start && ra < (unsigned long)__text_end ? ra : 0;
}

void frames_print(const u64 *frames, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		/* A return address may be the next function's when the call does not return. */
		unsigned long off = 0, size = 0, back = i ? 1 : 0;
		const char *name = ksym_lookup(frames[i] - back, &off, &size);
		unsigned int same = 0;
		struct kplace k;

		while (i + same + 1 < n && frames[i + same + 1] == frames[i])
			same++;
		emit("    #%u  %s+0x%lx/0x%lx", i, name, off + back, size);
		k = kplace_lookup(frames[i]);
		if (i && k.known)
			emit("  %s:%u", k.file, k.line);
		if (same)
			emit("  and %u times more", same);
		emit("\n");
		i += same;
	}
}

void backtrace_print(unsigned long pc, unsigned long fp)
{
	u64 frames[BB_CRASH_FRAMES];

	frames_print(frames, backtrace_collect(pc, fp, frames, ARRAY_SIZE(frames)));
}
