/* cpu.c - this processor: idle, halt, power, PSCI calls, what user programs may use. */
#include <lib/errno.h>
#include <lib/extable.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include "arch.h"

const char arch_name[] = "aarch64";
const u16 arch_elf_machine = 183;

/* WFI wakes for what PSTATE.I holds back, but not for what the priority mask holds back. So: hold
 * back by I, open the mask, wait, take it. */
void arch_idle_wait(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
	arch_irq_enable();
	dsb(sy);
	__asm__ volatile("wfi\n\tmsr daifclr, #2\n\tisb" ::: "memory");
}

void arch_halt(void)
{
	__asm__ volatile("msr daifset, #0xf" ::: "memory");
	for (;;)
		__asm__ volatile("wfi");
}

/* SMC Calling Convention: arguments and result in x0..x3, the callee may change x4..x17. */
long psci_call(u64 fn, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = fn;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	if (platform.psci_smc)
		__asm__ volatile("smc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7",
				   "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
				   "x17", "memory");
	else
		__asm__ volatile("hvc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7",
				   "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
				   "x17", "memory");
	return (long)x0;
}

/* Semihosting SYS_EXIT_EXTENDED hands QEMU an exit status. Without -semihosting HLT is undefined:
 * the exception table steps over it, and PSCI turns the machine off (status 0). */
void arch_poweroff(bool ok)
{
	u64 block[2] = {0x20026 /* ADP_Stopped_ApplicationExit */, ok ? 0 : 1};
	register u64 x0 __asm__("x0") = 0x20;
	register u64 x1 __asm__("x1") = (u64)block;

	__asm__ volatile("1: hlt #0xf000\n"
			 "2:\n" EX_TABLE("1b", "2b")
			 : "+r"(x0)
			 : "r"(x1)
			 : "memory");
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	arch_halt();
}

/* The HWCAP_* bits whose instructions use only the general and the 128-bit registers. Source: Linux
 * UAPI asm/hwcap.h; each row is a field of an ID register and the least value that sets the bit. */
unsigned long arch_hwcap(void)
{
	u64 isar0 = sysreg_read(id_aa64isar0_el1), isar1 = sysreg_read(id_aa64isar1_el1);
	u64 pfr0 = sysreg_read(id_aa64pfr0_el1), mmfr2 = sysreg_read(id_aa64mmfr2_el1);
	const struct {
		u64 reg;
		u8 shift, min, bit;
	} rows[] = {
		{isar0, 4, 1, 3},   /* AES */
		{isar0, 4, 2, 4},   /* PMULL */
		{isar0, 8, 1, 5},   /* SHA1 */
		{isar0, 12, 1, 6},  /* SHA2 */
		{isar0, 16, 1, 7},  /* CRC32 */
		{isar0, 20, 2, 8},  /* ATOMICS */
		{isar0, 28, 1, 12}, /* ASIMDRDM */
		{isar1, 12, 1, 13}, /* JSCVT */
		{isar1, 16, 1, 14}, /* FCMA */
		{isar1, 20, 1, 15}, /* LRCPC */
		{isar1, 0, 1, 16},  /* DCPOP */
		{isar0, 32, 1, 17}, /* SHA3 */
		{isar0, 36, 1, 18}, /* SM3 */
		{isar0, 40, 1, 19}, /* SM4 */
		{isar0, 44, 1, 20}, /* ASIMDDP */
		{isar0, 12, 2, 21}, /* SHA512 */
		{isar0, 48, 1, 23}, /* ASIMDFHM */
		{pfr0, 48, 1, 24},  /* DIT */
		{mmfr2, 32, 1, 25}, /* USCAT */
		{isar1, 20, 2, 26}, /* ILRCPC */
		{isar0, 52, 1, 27}, /* FLAGM */
	};
	unsigned long caps = 0;

	/* FP and ASIMD: 0xf = absent, 1 = with half precision. */
	if ((pfr0 >> 16 & 0xf) != 0xf)
		caps |= BIT(0) | ((pfr0 >> 16 & 0xf) == 1 ? BIT(9) : 0);
	if ((pfr0 >> 20 & 0xf) != 0xf)
		caps |= BIT(1) | ((pfr0 >> 20 & 0xf) == 1 ? BIT(10) : 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if ((rows[i].reg >> rows[i].shift & 0xf) >= rows[i].min)
			caps |= BIT(rows[i].bit);
	return caps;
}
