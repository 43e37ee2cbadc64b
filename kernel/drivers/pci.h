/* pci.h - PCI functions as drivers see them. All thread context, at boot, one thread. */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include <irq/irq.h>
#include <lib/types.h>

#define PCI_BARS       6
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

struct pci_bar {
	phys_addr_t base;
	u64 size; /* 0 = no memory BAR here */
};
struct pci_dev {
	struct pci_dev *next;
	u8 *cfg; /* this function's 4 KiB of configuration space */
	u8 bus, dev, fn;
	u8 irq_dev, irq_pin; /* the line on the root bus that INTx arrives at; pin 0 = none */
	u16 vendor, device;
	struct pci_bar bar[PCI_BARS];
};

/* The next function with these ids after `prev` (NULL: the first); NULL when there is none. */
struct pci_dev *pci_find(struct pci_dev *prev, u16 vendor, u16 device);
/* A walk over the capabilities of one kind; start with zero. */
struct pci_caps {
	u8 at;    /* offset of the one found last */
	u8 steps; /* of the list, so far */
};
/* The next capability `id`: its offset, also in walk->at; 0 = no more. A list that is damaged or a
 * circle ends. */
u8 pci_cap_next(const struct pci_dev *d, struct pci_caps *walk, u8 id) must_check;
u8 pci_read8(struct pci_dev *d, unsigned int off);
u32 pci_read32(struct pci_dev *d, unsigned int off);
/* Turns on memory decoding and bus mastering. */
void pci_enable(struct pci_dev *d);
/* Maps `size` bytes at `offset` of a BAR; NULL if they are not inside it. */
void *pci_map(struct pci_dev *d, unsigned int bar, u64 offset, u64 size);

enum pci_irq_kind { PCI_IRQ_MSIX, PCI_IRQ_INTX };
/* Registers fn for the device: its MSI-X entry 0 where device and platform can, else its pin (then
 * fn is also called for others on the line). Returns enum pci_irq_kind, or -errno. */
int pci_irq_request(struct pci_dev *d, const char *name, irq_handler_t fn, void *arg) must_check;

#endif
