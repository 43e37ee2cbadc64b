# sources of kernel/drivers
kernel-y += kernel/drivers/console.c
kernel-y += kernel/drivers/block.c
kernel-y += kernel/drivers/pci.c
kernel-y += kernel/drivers/pci_cap.c
kernel-y += kernel/drivers/virtio.c
kernel-y += kernel/drivers/virtio_pci.c
kernel-y += kernel/drivers/virtio_blk.c
kernel-y += kernel/drivers/fwcfg.c
kernel-y += kernel/drivers/vmcoreinfo.c
