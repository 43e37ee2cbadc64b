/* main.c - what starts when. Read it as the list of the kernel's parts; every step may rely on
 * those above it and on nothing below. */
#include <debug/debug.h>
#include <drivers/block.h>
#include <drivers/block.h>
#include <drivers/init.h>
#include <fs/vfs.h>
#include <irq/timer.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include <sync/mutex.h>
#include <task/process.h>
#include <trace/glue.h>
#include <tty/tty.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/upcalls.h>
#include <tracing/events.h>

#define LOG_TAG "boot"
#include <lib/printk.h>

static void stage(const char *name)
{
	trace(boot_stage, trace_str8(name), trace_str8_2(name));
}

/* The first kernel thread; becomes process 1. Here sleeping is allowed. */
static void init_thread(void *arg)
{
	size_t len;
	const char *tests;
	int err;

	stage("drivers");
	pci_init();
	virtio_blk_init();
	vmcoreinfo_publish();
	stage("fs");
	vfs_init();
	tty_init();
	err = vfs_mount_root("vda");
	process_init();
	if (cmdline_is("bench", "1")) {
		trace_bench();
		sync_bench();
		arch_poweroff(true);
	}
	tests = cmdline_get("ktest", &len);
	if (tests)
		arch_poweroff(ktest_run(tests, len) == 0);
	if (err == -ENODEV)
		panic("no root file system: there is no disk vda: %s", block_none_reason());
	if (err)
		panic("no root file system on vda: error %d, see the message above", err);
	stage("init");
	bugs_start();
	process_start_init();
}

void kmain(u64 entry_ticks)
{
	struct thread *init;

	arch_early_console();
	console_init();
	debug_init();
	sched_init_early();
	trace_early_init(entry_ticks);
	arch_trap_init_cpu();

	stage("firmware");
	arch_boot_init();
	boot_alloc_init();
	trace_box_init();
	percpu_init();
	trace_cpus_init();

	stage("memory");
	mm_init();

	stage("irq");
	arch_irqchip_init(vm_map_mmio);
	arch_time_init();
	clock_init();
	timers_init_cpu();

	stage("sched");
	sched_init();
	arch_irq_enable();
	pr_info("%s on %s (%s), %u CPUs, clock %llu kHz", HS_RELEASE, boot_info.machine, arch_name,
		nr_cpus, (unsigned long long)arch_ticks_hz() / 1000);
	stage("smp");
	watchdog_init();
	cpus_start();

	init = thread_create("init", init_thread, NULL, 1, 0);
	if (IS_ERR(init))
		panic("cannot create the first thread: error %ld", PTR_ERR(init));
	thread_run(init);
	sched_idle_loop();
}
