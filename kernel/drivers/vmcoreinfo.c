/* vmcoreinfo.c - tells a host that dumps this guest's memory where the black box is.
 *
 * QEMU's vmcoreinfo device (docs/specs/vmcoreinfo) takes the physical address of an ELF note from
 * the fw_cfg file etc/vmcoreinfo and puts the note into every ELF core that it writes. The note's
 * memory is never freed.
 */
#define LOG_TAG "vmcoreinfo"
#include <drivers/init.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <arch/time.h>
#include <tracing/box.h>
#include "fwcfg.h"

#define FORMAT_NONE     0u
#define FORMAT_ELF_NOTE 1u
#define NOTE_NAME       "VMCOREINFO"
#define TEXT_MAX        512u

struct fwcfg_vmcoreinfo { /* little-endian */
	u16 host_format, guest_format;
	u32 size;
	u64 paddr;
} __packed;
_Static_assert(sizeof(struct fwcfg_vmcoreinfo) == 16, "fw_cfg ABI");
struct note {
	u32 namesz, descsz, type;
	char name[12]; /* sizeof(NOTE_NAME) rounded up to 4 */
	char desc[TEXT_MAX];
};

static u32 vmcoreinfo_text(char *buf, size_t size, const struct bb_header *h)
{
	u32 len = MIN(h->build_id_len, (u32)sizeof(h->build_id));
	int at;

	at = snprintf(buf, size,
		      "HINDSIGHT_BOX=%#llx\nHINDSIGHT_VERSION=%u.%u\nCLOCK_HZ=%llu\nBUILD-ID=",
		      (unsigned long long)h->phys_base, h->version >> 16, h->version & 0xffff,
		      (unsigned long long)arch_ticks_hz());
	for (u32 i = 0; i < len; i++)
		at += snprintf(buf + at, size - (size_t)at, "%02x", h->build_id[i]);
	at += snprintf(buf + at, size - (size_t)at, "\n");
	return (u32)at;
}

void vmcoreinfo_publish(void)
{
	const struct bb_header *h = box_header();
	struct fwcfg_vmcoreinfo file = {.host_format = FORMAT_NONE,
					.guest_format = FORMAT_ELF_NOTE};
	struct note *note;
	int err;

	if (!h) {
		pr_warn("no black box to publish");
		return;
	}
	note = kzalloc(sizeof(*note));
	if (!note) {
		pr_warn("out of memory: not published");
		return;
	}
	note->namesz = sizeof(NOTE_NAME);
	strscpy(note->name, NOTE_NAME, sizeof(note->name));
	note->descsz = vmcoreinfo_text(note->desc, sizeof(note->desc), h);
	file.size = (u32)(offsetof(struct note, desc) + ALIGN_UP(note->descsz, 4));
	file.paddr = virt_to_phys(note);
	err = fwcfg_write_file("etc/vmcoreinfo", &file, sizeof(file));
	if (!err) {
		pr_info("black box at %#llx published", (unsigned long long)h->phys_base);
		return;
	}
	kfree(note);
	if (err == -ENODEV || err == -ENOENT)
		pr_info("no vmcoreinfo device: dumps are searched for the black box instead");
	else
		pr_warn("publishing failed: error %d", err);
}
