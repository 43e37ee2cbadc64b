/* box_setup.c - reserves and fills the black box.
 *
 * The static part is the end of the image; the dynamic part takes the memory right behind it, so
 * both are one physical region that decodes by itself. It is reached through the direct map. The
 * ring size shrinks, with a message, if a full one does not fit before the next reserved range. */
#include <debug/debug.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/string.h>
#include <sched/sched.h>
#include <syscall/table.h>
#include <trace/glue.h>
#include <trace/lock_class.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "debug_private.h"

#define LOG_TAG "trace"
#include <lib/printk.h>

#define RING_BYTES     (4u << 20)
#define RING_BYTES_MIN (64u << 10)
#define DEFAULT_TASKS  4096u
#define DEFAULT_LOCKS  4096u

extern struct track_class __lockclass_start[], __lockclass_end[];
extern const struct bb_sym __ksyms[];
extern const u32 __ksyms_count;
extern const char __ksym_names[];
extern const u32 __ksym_names_size;
extern const struct bb_line __klines[];
extern const struct bb_place __kplaces[];
extern const char __kplace_names[];
extern const u32 __klines_count, __kplaces_count, __kplace_names_size;
extern const u8 __build_id_note[]; /* ELF note: namesz, descsz, type, "GNU\0", bytes */

void trace_early_init(u64 entry_ticks)
{
	if (TRACING)
		trace_default_events();
	trace_box.control.checks_on = TRACING;
	trace_box.control.bare = !TRACING;
	box_counter("reports_lost");
	box_counter("console_dropped");
	trace_box.header.clock_anchor = entry_ticks;
	for (struct track_class *c = __lockclass_start; c < __lockclass_end; c++)
		track_class_add(c);
	trace(boot_entry, entry_ticks);
}

static void apply_options(void)
{
	size_t len;
	const char *list = cmdline_get("trace", &len);
	int bad = TRACING && list ? box_trace_select(list, (u32)len) : 0;

	if (!TRACING) {
		if (list || cmdline_is("checks", "on"))
			pr_err("trace=, checks=: this kernel is built without recorder and checks");
		return;
	}
	if (bad)
		pr_err("trace=: word %d is neither a category nor an event; no switch was changed",
		       bad);
	if (cmdline_is("checks", "off"))
		WRITE_ONCE(trace_box.control.checks_on, 0);
#ifndef CONFIG_DEBUG
	/* The lean configuration is the base line of cost figures: compiled in, switched off. */
	if (!list)
		memset(trace_box.control.event_on, 0, sizeof(trace_box.control.event_on));
	if (!cmdline_is("checks", "on"))
		WRITE_ONCE(trace_box.control.checks_on, 0);
#endif
}

static u32 pow2_floor(u64 v)
{
	u32 p = 1;

	while ((u64)p * 2 <= v)
		p *= 2;
	return p;
}

static void header_facts(struct bb_header *h, phys_addr_t phys)
{
	u64 ram = 0;

	for (unsigned int i = 0; i < boot_info.nr_ram; i++)
		ram += boot_info.ram[i].size;
	*h = (struct bb_header){
		.machine = arch_elf_machine,
		.phys_base = phys,
		.virt_base = (unsigned long)&trace_box,
		.image_virt = (unsigned long)__image_start,
		.image_phys = virt_to_phys(__image_start),
		.image_size = (u64)(__image_end - __image_start),
		.direct_virt = DIRECT_MAP_BASE,
		.direct_phys = arch_direct_map_pa(),
		.ram_size = ram,
		.clock_kind = arch_elf_machine == 62 ? BB_CLOCK_TSC : BB_CLOCK_CNTVCT,
		.clock_anchor = trace_box.header.clock_anchor,
		.build_id_len = 20,
	};
	memcpy(h->build_id, __build_id_note + 16, 20);
	strscpy(h->release, HS_RELEASE, sizeof(h->release));
}

void trace_box_init(void)
{
	phys_addr_t phys = virt_to_phys(&trace_box), dynamic = virt_to_phys(__image_end);
	u64 ring = cmdline_u64("ring", RING_BYTES), tasks = cmdline_u64("tasks", DEFAULT_TASKS);
	struct bb_header facts;
	struct box_plan plan = {
		.cpus = nr_cpus,
		.tasks = (u32)MIN(MAX(tasks, 64), 1u << 20),
		.locks = DEFAULT_LOCKS,
		.enums = {{syscall_names, syscall_names_count}, {errno_rows, errno_rows_count}},
		.calls = syscall_calls,
		.ncalls = syscall_calls_count,
		.syms = __ksyms,
		.nsyms = __ksyms_count,
		.symnames = __ksym_names,
		.symnames_bytes = __ksym_names_size,
		.lines = __klines,
		.nlines = __klines_count,
		.places = __kplaces,
		.nplaces = __kplaces_count,
		.placenames = __kplace_names,
		.placenames_bytes = __kplace_names_size,
		.cmdline = boot_info.cmdline,
		.dynamic_virt = phys_to_virt(dynamic),
	};
	u64 size;

	apply_options();
	ring = TRACING ? MAX(ring, RING_BYTES_MIN) : RING_BYTES_MIN;
	for (;;) {
		plan.ring_units = pow2_floor(ring / BB_UNIT);
		size = ALIGN_UP(box_dynamic_size(&plan), PAGE_SIZE);
		if (dynamic + size <= arch_early_map_end() && !boot_reserve(dynamic, size))
			break;
		if (ring <= RING_BYTES_MIN)
			panic("no room for the black box: %llu KiB behind the image at 0x%llx",
			      (unsigned long long)size >> 10, (unsigned long long)dynamic);
		ring /= 2;
	}
	if (TRACING && ring < cmdline_u64("ring", RING_BYTES))
		pr_warn("ring size cut to %llu KiB a CPU: no room for more behind the image",
			(unsigned long long)ring >> 10);
	memset(plan.dynamic_virt, 0, size);
	header_facts(&facts, phys);
	box_build(&plan, &facts);
	thread_adopt_boot();
}

void trace_cpus_init(void)
{
	struct bb_ring *rings = box_section(BB_SEC_RINGS, NULL);
	struct bb_cpu *cpus = box_section(BB_SEC_CPUS, NULL);

	trace_ring_move(&rings[0], &trace_early_ring);
	for_each_cpu (c) {
		*per_cpu_ptr(&trace_ring, c) = &rings[c];
		*per_cpu_ptr(&trace_cpu, c) = &cpus[c];
		cpus[c].hwid = (u32)boot_info.cpu_hwid[c];
		trace_context_cpu_init(c, &cpus[c]);
	}
	thread_runs_on(arch_current(), 0);
	trace(boot_cpu, 0, cpus[0].hwid);
	for (unsigned int i = 0; i < boot_info.nr_ram; i++)
		trace(boot_memory, boot_info.ram[i].base, boot_info.ram[i].size);
	pr_info("black box at 0x%llx, %llu KiB, ring %u KiB a CPU",
		(unsigned long long)box_header()->phys_base,
		(unsigned long long)box_header()->total_size >> 10,
		(u32)(rings[0].units * BB_UNIT >> 10));
}
