/* pci_cap.c - a function's list of capabilities. It is the device's, so nothing in it is trusted.
 */
#include <arch/mmio.h>
#include "pci.h"

#define REG_STATUS  0x06
#define REG_CAPS    0x34
#define STATUS_CAPS 0x10u
#define CAPS_FIRST  0x40u
#define CAPS_MAX    48u /* of four bytes each fill the space: a longer list is a circle */

u8 pci_cap_next(const struct pci_dev *d, struct pci_caps *walk, u8 id)
{
	if (!(mmio_read16(d->cfg + REG_STATUS) & STATUS_CAPS))
		return 0;
	while (walk->steps < CAPS_MAX) {
		u8 link = mmio_read8(d->cfg + (walk->at ? walk->at + 1u : REG_CAPS)) & 0xfcu;

		if (link < CAPS_FIRST)
			break;
		walk->at = link;
		walk->steps++;
		if (mmio_read8(d->cfg + link) == id)
			return link;
	}
	walk->steps = CAPS_MAX;
	return 0;
}
