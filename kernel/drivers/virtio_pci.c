/* virtio_pci.c - the modern (1.x) PCI transport: register blocks found through vendor capabilities,
 * feature negotiation, queue set-up, notification. Start-up is single-threaded; afterwards only
 * virtio_notify() and virtio_interrupted() run, both plain register accesses.
 */
#define LOG_TAG "virtio"
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <mm/mm.h>
#include <arch/mmio.h>
#include <arch/time.h>
#include "virtio.h"

/* virtio 1.x, 4.1.4: kinds of capability */
#define CAP_COMMON 1u
#define CAP_NOTIFY 2u
#define CAP_ISR    3u
#define CAP_DEVICE 4u
/* 4.1.4.3: common configuration */
#define COMMON_SIZE             56u
#define C_DEVICE_FEATURE_SELECT 0x00
#define C_DEVICE_FEATURE        0x04
#define C_DRIVER_FEATURE_SELECT 0x08
#define C_DRIVER_FEATURE        0x0c
#define C_CONFIG_VECTOR         0x10
#define C_STATUS                0x14
#define C_GENERATION            0x15
#define C_QUEUE_SELECT          0x16
#define C_QUEUE_SIZE            0x18
#define C_QUEUE_VECTOR          0x1a
#define C_QUEUE_ENABLE          0x1c
#define C_QUEUE_NOTIFY_OFF      0x1e
#define C_QUEUE_DESC            0x20
#define C_QUEUE_DRIVER          0x28
#define C_QUEUE_DEVICE          0x30
#define STATUS_ACKNOWLEDGE      1u
#define STATUS_DRIVER           2u
#define STATUS_DRIVER_OK        4u
#define STATUS_FEATURES_OK      8u
#define STATUS_FAILED           128u
#define NO_VECTOR               0xffffu
#define PCI_COMMAND             0x04
#define PCI_NO_INTX             0x400u
#define RESET_READS             100000u /* a reset takes a register read or two; this is for broken devices */

static void virtio_add_status(struct virtio_dev *v, u8 bit)
{
	mmio_write8(v->common + C_STATUS, mmio_read8(v->common + C_STATUS) | bit);
}

void virtio_fail(struct virtio_dev *v)
{
	virtio_add_status(v, STATUS_FAILED);
}

/* The first usable block of each kind, as the specification asks. */
static void virtio_map_blocks(struct virtio_dev *v)
{
	struct pci_dev *d = v->pci;
	struct pci_caps walk = {0};
	u8 cap;

	while ((cap = pci_cap_next(d, &walk, PCI_CAP_VENDOR)) != 0) {
		u8 kind = pci_read8(d, cap + 3u), bar = pci_read8(d, cap + 4u);
		u32 offset = pci_read32(d, cap + 8u), size = pci_read32(d, cap + 12u);

		if (kind == CAP_COMMON && !v->common && size >= COMMON_SIZE) {
			v->common = pci_map(d, bar, offset, size);
		} else if (kind == CAP_NOTIFY && !v->notify) {
			v->notify = pci_map(d, bar, offset, size);
			v->notify_size = size;
			v->notify_mult = pci_read32(d, cap + 16u);
		} else if (kind == CAP_ISR && !v->isr) {
			v->isr = pci_map(d, bar, offset, size);
		} else if (kind == CAP_DEVICE && !v->config) {
			v->config = pci_map(d, bar, offset, size);
			v->config_size = v->config ? size : 0;
		}
	}
}

static u64 virtio_offered(struct virtio_dev *v)
{
	u64 f;

	mmio_write32(v->common + C_DEVICE_FEATURE_SELECT, 0);
	f = mmio_read32(v->common + C_DEVICE_FEATURE);
	mmio_write32(v->common + C_DEVICE_FEATURE_SELECT, 1);
	return f | (u64)mmio_read32(v->common + C_DEVICE_FEATURE) << 32;
}

static int virtio_negotiate(struct virtio_dev *v, u64 wanted)
{
	u64 offered = virtio_offered(v);

	if (!(offered & VIRTIO_F_VERSION_1))
		return -ENODEV;
	v->features = offered & (wanted | VIRTIO_F_VERSION_1);
	mmio_write32(v->common + C_DRIVER_FEATURE_SELECT, 0);
	mmio_write32(v->common + C_DRIVER_FEATURE, (u32)v->features);
	mmio_write32(v->common + C_DRIVER_FEATURE_SELECT, 1);
	mmio_write32(v->common + C_DRIVER_FEATURE, (u32)(v->features >> 32));
	virtio_add_status(v, STATUS_FEATURES_OK);
	return mmio_read8(v->common + C_STATUS) & STATUS_FEATURES_OK ? 0 : -EIO;
}

int virtio_open(struct virtio_dev *v, struct pci_dev *pci, u64 wanted)
{
	unsigned int reads = 0;
	int err;

	*v = (struct virtio_dev){.pci = pci};
	pci_enable(pci);
	virtio_map_blocks(v);
	if (!v->common || !v->notify || !v->isr) {
		pr_warn("%02x:%02x.%u: no modern (1.x) register blocks; use disable-legacy=on",
			pci->bus, pci->dev, pci->fn);
		return -ENODEV;
	}
	mmio_write8(v->common + C_STATUS, 0);
	while (mmio_read8(v->common + C_STATUS) != 0) {
		if (++reads == RESET_READS) {
			pr_err("%02x:%02x.%u: reset does not end", pci->bus, pci->dev, pci->fn);
			return -EIO;
		}
	}
	virtio_add_status(v, STATUS_ACKNOWLEDGE);
	virtio_add_status(v, STATUS_DRIVER);
	err = virtio_negotiate(v, wanted);
	if (err) {
		pr_err("%02x:%02x.%u: no agreement on features", pci->bus, pci->dev, pci->fn);
		virtio_fail(v);
	}
	return err;
}

unsigned int virtio_queue_size(struct virtio_dev *v, unsigned int queue)
{
	mmio_write16(v->common + C_QUEUE_SELECT, (u16)queue);
	return mmio_read16(v->common + C_QUEUE_SIZE);
}

static void virtio_write_addr(struct virtio_dev *v, unsigned int reg, const void *p)
{
	u64 pa = virt_to_phys(p);

	mmio_write32(v->common + reg, (u32)pa);
	mmio_write32(v->common + reg + 4, (u32)(pa >> 32));
}

int virtio_start(struct virtio_dev *v, unsigned int queue, struct virtq *q, const char *name,
		 irq_handler_t fn, void *arg)
{
	u64 notify_at;

	v->irq_kind = pci_irq_request(v->pci, name, fn, arg);
	if (v->irq_kind < 0) {
		pr_err("%s: no interrupt: error %d", name, v->irq_kind);
		return v->irq_kind;
	}
	mmio_write16(v->common + C_CONFIG_VECTOR, NO_VECTOR);
	mmio_write16(v->common + C_QUEUE_SELECT, (u16)queue);
	mmio_write16(v->common + C_QUEUE_SIZE, q->size);
	if (v->irq_kind == PCI_IRQ_MSIX) {
		mmio_write16(v->common + C_QUEUE_VECTOR, 0);
		if (mmio_read16(v->common + C_QUEUE_VECTOR) != 0) {
			pr_err("%s: the device refuses its interrupt vector", name);
			return -EIO;
		}
	}
	notify_at = (u64)mmio_read16(v->common + C_QUEUE_NOTIFY_OFF) * v->notify_mult;
	if (notify_at + 2 > v->notify_size) {
		pr_err("%s: notification register outside its block", name);
		return -EIO;
	}
	q->notify = v->notify + notify_at;
	virtio_write_addr(v, C_QUEUE_DESC, q->desc);
	virtio_write_addr(v, C_QUEUE_DRIVER, q->avail);
	virtio_write_addr(v, C_QUEUE_DEVICE, q->used);
	arch_device_mb(); /* zeroed rings before the device may look */
	mmio_write16(v->common + C_QUEUE_ENABLE, 1);
	virtio_add_status(v, STATUS_DRIVER_OK);
	return 0;
}

void virtio_mute(struct virtio_dev *v, unsigned int queue)
{
	u16 command = (u16)pci_read32(v->pci, PCI_COMMAND);

	mmio_write16(v->common + C_QUEUE_SELECT, (u16)queue);
	mmio_write16(v->common + C_QUEUE_VECTOR, NO_VECTOR);
	mmio_write16(v->pci->cfg + PCI_COMMAND, command | PCI_NO_INTX);
}

void virtio_notify(struct virtq *q, u16 queue)
{
	u32 called, idx;

	arch_device_mb(); /* the chain before the call */
	idx = READ_ONCE(q->avail->idx);
	mmio_write16(q->notify, queue);
	/* Callers may pass each other here: the mark only goes forward. */
	called = q->box ? atomic_load(&q->box->kicked) : idx;
	while ((s16)(idx - called) > 0 && !atomic_try_cmpxchg(&q->box->kicked, &called, idx))
		;
}

bool virtio_interrupted(struct virtio_dev *v, struct virtq *q)
{
	if (v->irq_kind != PCI_IRQ_MSIX && !(mmio_read8(v->isr) & 1))
		return false;
	if (q->box) {
		WRITE_ONCE(q->box->cpu, this_cpu());
		WRITE_ONCE(q->box->last_irq, arch_ticks());
		WRITE_ONCE(q->box->irqs, q->box->irqs + 1);
	}
	return true;
}

u32 virtio_config32(struct virtio_dev *v, unsigned int off)
{
	return off + 4 <= v->config_size ? mmio_read32(v->config + off) : 0;
}

u64 virtio_config64(struct virtio_dev *v, unsigned int off)
{
	u64 value;
	u8 gen;

	/* A device that changes its configuration for ever gets its last answer believed. */
	for (unsigned int n = 0; n < 16; n++) {
		gen = mmio_read8(v->common + C_GENERATION);
		value = virtio_config32(v, off) | (u64)virtio_config32(v, off + 4) << 32;
		if (gen == mmio_read8(v->common + C_GENERATION))
			break;
	}
	return value;
}
