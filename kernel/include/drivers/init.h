/* drivers/init.h - what boot calls to bring devices up, in this order. Thread context, once. */
#ifndef DRIVERS_INIT_H
#define DRIVERS_INIT_H

/* Messages reach the serial port from here on. First thing after arch_early_console(). */
void console_init(void);
/* Finds PCI functions, gives them addresses where the firmware did not. No PCI is not an error. */
void pci_init(void);
/* Registers every virtio disk as "vda", "vdb", ... in the order of their PCI addresses. */
void virtio_blk_init(void);
/* Publishes the black box's address through QEMU's vmcoreinfo device. */
void vmcoreinfo_publish(void);

#endif
