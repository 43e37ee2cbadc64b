/* fdt.h - reading a flattened device tree. Nothing in it is trusted: every offset is checked
 * against the blob, malformed parts read as absent. A node is the offset of its begin token; 0 is
 * no node. Pure functions on constant memory, any context. Format: Devicetree Specification 0.3,
 * chapter 5. */
#ifndef AARCH64_FDT_H
#define AARCH64_FDT_H
#include <lib/types.h>

struct fdt {
	const u8 *blob;
	u32 size;
	u32 struct_off, struct_end, strings_off, strings_end, rsvmap_off;
};

/* False if this is no device tree, or one longer than `limit` bytes. */
bool fdt_open(struct fdt *f, const void *blob, u64 limit);
u32 fdt_root(const struct fdt *f);
u32 fdt_first_child(const struct fdt *f, u32 node);
u32 fdt_next_sibling(const struct fdt *f, u32 node);
u32 fdt_parent(const struct fdt *f, u32 node);
/* All nodes in document order; fdt_next(f, 0) is the root. */
u32 fdt_next(const struct fdt *f, u32 node);
const char *fdt_name(const struct fdt *f, u32 node); /* "memory@40000000" */

/* The value of a property, NULL if absent; *len in bytes. */
const u8 *fdt_prop(const struct fdt *f, u32 node, const char *name, u32 *len);
/* A text property, NULL if absent or not terminated. */
const char *fdt_string(const struct fdt *f, u32 node, const char *name);
u32 fdt_u32(const struct fdt *f, u32 node, const char *name, u32 dflt);
/* Is `value` one of the texts in the property's list? */
bool fdt_lists(const struct fdt *f, u32 node, const char *name, const char *value);
/* No status, or "okay". */
bool fdt_enabled(const struct fdt *f, u32 node);
/* The next enabled node after `after` (0: from the start) with this compatible value. */
u32 fdt_find_compatible(const struct fdt *f, u32 after, const char *compatible);
/* Entry i of "reg", with the parent's cell counts, as a CPU address. False if there is none or a
 * bus in between translates addresses. */
bool fdt_reg(const struct fdt *f, u32 node, u32 i, u64 *base, u64 *size);
/* Entry i of the memory reservation block. */
bool fdt_reservation(const struct fdt *f, u32 i, u64 *base, u64 *size);

static inline u32 fdt_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}
/* A number of n <= 2 cells. */
static inline u64 fdt_cells(const u8 *p, u32 n)
{
	u64 v = 0;

	for (u32 i = 0; i < n; i++)
		v = v << 32 | fdt_be32(p + 4 * i);
	return v;
}

#endif
