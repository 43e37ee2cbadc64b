/* trap_fault.c - trap_page_fault(): who faulted, may the access be retried, and if not, whom to
 * blame.
 *
 * A fault from user mode, or from one of the user copy routines on a user address, is resolved by
 * vm_fault(). Whether the kernel was in a copy routine is asked first, by trying the recovery on
 * the frame and taking it back: an access to a user address from anywhere else is a kernel bug,
 * however well that address may be mapped, and retrying it would loop where the CPU refuses such
 * accesses (SMAP, PAN). Everything else in the kernel is fatal, the kernel's side of a user copy
 * included, and the report says what the address is.
 *
 * Entered with interrupts masked; they are enabled while the fault is resolved if the interrupted
 * context had them enabled, and masked again on return. */
#include <lib/bug.h>
#include <lib/extable.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <sync/preempt.h>
#include <arch/irqflags.h>
#include <arch/thread.h>
#include <arch/upcalls.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "task.h"

#define NULL_ZONE (64 * 1024ul) /* below USER_BASE nothing is ever mapped */

static const char *access_name(unsigned int flags)
{
	return flags & FAULT_EXEC ? "execution" : flags & FAULT_WRITE ? "write" : "read";
}

/* The name of the thread whose kernel stack lies right above this guard page. */
static const char *guard_owner(unsigned long addr)
{
	for (u32 i = 0; i < track_tables.ntasks; i++) {
		const struct bb_task *t = &track_tables.tasks[i];

		if (t->state && t->stack_base == (addr & PAGE_MASK) + PAGE_SIZE)
			return t->name;
	}
	return "an ended thread";
}

static void __noreturn __cold kernel_fault(struct trap_frame *tf, unsigned long addr,
					   unsigned int flags)
{
	const char *how = access_name(flags), *where;
	char what[160];

	if (addr < NULL_ZONE)
		snprintf(what, sizeof(what), "null pointer: %s at offset %#lx", how, addr);
	else if (addr < USER_END)
		snprintf(what, sizeof(what),
			 "%s of user address %#lx outside the user copy functions", how, addr);
	else if (addr < DIRECT_MAP_BASE)
		snprintf(what, sizeof(what), "%s of non-canonical address %#lx", how, addr);
	else if (kstack_is_guard(addr))
		snprintf(what, sizeof(what), "kernel stack overflow: %s in the guard page of %s",
			 how, guard_owner(addr));
	else if ((where = kernel_map_describe(addr)))
		snprintf(what, sizeof(what), "%s not allowed: %#lx is %s", how, addr, where);
	else
		snprintf(what, sizeof(what), "%s of unmapped kernel address %#lx", how, addr);
	oops(tf, what, flags, addr);
}

/* vm_fault() in the context that the fault interrupted, if that may sleep. */
static int resolve(struct trap_frame *tf, unsigned long addr, unsigned int flags)
{
	struct mm *mm = current_thread()->mm;
	int r = -EFAULT;

	if (!mm || trap_irqs_were_disabled(tf))
		return -EFAULT;
	arch_irq_enable();
	if (preemptible()) {
		r = vm_fault(mm, addr, flags);
		for (unsigned int n = 0; r == -ENOMEM && n < ROOM_TRIES && process_make_room(); n++)
			r = vm_fault(mm, addr, flags);
	}
	arch_irq_disable();
	return r;
}

static void user_fault(struct trap_frame *tf, unsigned long addr, unsigned int flags)
{
	int r = resolve(tf, addr, flags);

	if (r == -ERESTARTSYS)
		return; /* it is to die, and does on its way out */
	if (r == -EIO)
		trap_exception(tf, 7, "page fault: behind the file's end, or it cannot be read",
			       flags, addr);
	else if (r == -ENOMEM)
		trap_exception(tf, 9, "page fault: out of memory", flags, addr);
	else if (r)
		trap_exception(tf, 11, "page fault", flags, addr);
}

void trap_page_fault(struct trap_frame *tf, unsigned long addr, unsigned int flags)
{
	struct trap_frame saved;

	if (flags & FAULT_USER) {
		trace(fault_user, addr, flags, trap_pc(tf));
		user_fault(tf, addr, flags);
		return;
	}
	trace(fault_kernel, addr, flags, trap_pc(tf));
	/* The copy routines checked the user's side: up here it is the kernel's own pointer. */
	saved = *tf;
	if (addr >= USER_END || !extable_fixup(tf))
		kernel_fault(tf, addr, flags);
	*tf = saved;
	if (resolve(tf, addr, flags) && !extable_fixup(tf))
		kernel_fault(tf, addr, flags);
}
