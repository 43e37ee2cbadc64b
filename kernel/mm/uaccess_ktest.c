/* uaccess_ktest.c - the architecture's copy routines count exactly what they copied. */
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/uaccess.h>

#define LONGEST 72 /* more than any unrolled part of a routine */

static void copies_up_to(unsigned long end, size_t before)
{
	void __user *u = (void __user *)(end - before);
	u8 in[LONGEST + 8], out[LONGEST + 8];

	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (u8)(i + 1);
	memset(out, 0xee, sizeof(out));
	KT_EQ(arch_copy_to_user(u, in, LONGEST), LONGEST - before);
	KT_EQ(arch_copy_from_user(out, u, LONGEST), LONGEST - before);
	KT_ASSERT(!memcmp(out, in, before) && out[before] == 0xee);
	KT_EQ(arch_clear_user(u, LONGEST), LONGEST - before);
	KT_EQ(arch_copy_from_user(out, u, before), 0);
	for (size_t i = 0; i < before; i++)
		KT_ASSERT(out[i] == 0);
}

/* Two pages are mapped, the third is not: copies that run into it stop at its first byte. */
KTEST(copies_stop_at_the_exact_byte)
{
	struct mm *mm = mm_create(), *old = current_thread()->mm;
	unsigned long at = 0;
	irqflags_t f;

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 3 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_unmap(mm, at + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	mm_activate(mm);
	for (size_t before = 0; before <= LONGEST; before++)
		copies_up_to(at + 2 * PAGE_SIZE, before);
	arch_icache_sync(at, 3 * PAGE_SIZE); /* runs into it, too */
	if (old) {
		mm_activate(old);
	} else {
		f = arch_irq_save();
		arch_mmu_switch(0, 0);
		arch_irq_restore(f);
	}
	current_thread()->mm = old;
	mm_put(mm);
}
