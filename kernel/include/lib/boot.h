/* lib/boot.h - what the firmware or QEMU handed over, in one neutral form; and the boot allocator.
 */
#ifndef LIB_BOOT_H
#define LIB_BOOT_H

#include <lib/types.h>

enum mem_kind { MEM_RAM, MEM_RESERVED };
struct mem_range {
	phys_addr_t base;
	u64 size;
};
struct boot_info {
	struct mem_range *ram; /* usable RAM, page aligned, ascending, not overlapping */
	unsigned int nr_ram;
	struct mem_range *reserved; /* inside RAM but in use: image, initrd, DTB, ACPI tables */
	unsigned int nr_reserved;
	u64 *cpu_hwid;       /* [nr_cpus] APIC id or MPIDR; entry 0 is the boot CPU */
	const char *cmdline; /* never NULL; lives for ever */
	const char *machine; /* as the firmware names it, for the boot message */
};
extern struct boot_info boot_info;

/* The image's own symbols (kernel.ld); image_end is page aligned and ends the black box's static
 * part. */
extern char __image_start[], __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __image_end[];
extern char __percpu_start[], __percpu_end[];

/* Value of "name=value" on the command line, "" for a bare "name", NULL if absent. *len excludes
 * the terminator (values are not NUL-terminated). Last one wins. Any context. */
const char *cmdline_get(const char *name, size_t *len);
bool cmdline_is(const char *name, const char *value);
/* Number with K/M/G suffix; dflt when absent; complains and uses dflt when malformed. */
u64 cmdline_u64(const char *name, u64 dflt);

/* The boot allocator: bump allocation over boot_info.ram minus reserved, lowest address first,
 * zeroed, reachable by the early map. Panics when memory is out. Boot CPU only, before mm_init()
 * hands the rest to the page allocator. */
void boot_alloc_init(void);
void *boot_alloc(u64 size, u64 align) __attribute__((returns_nonnull));
/* Takes exactly [base, base+size) if free. 0 or -EBUSY. */
int boot_reserve(phys_addr_t base, u64 size) must_check;
/* Is the whole range usable and not yet taken? */
bool boot_range_free(phys_addr_t base, u64 size);

#endif
