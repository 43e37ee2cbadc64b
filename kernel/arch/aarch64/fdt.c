/* fdt.c - see fdt.h. A tree is a stream of tokens; fdt_token() is the only code that reads it and
 * the only place where bounds are checked. Searching is linear: trees are small and read at boot.
 */
#include <lib/string.h>
#include "fdt.h"

#define FDT_MAGIC           0xd00dfeedu
#define FDT_HEADER_SIZE     40u
#define FDT_LAST_COMPATIBLE 17u /* version that this reader knows */
#define MAX_DEPTH           32u

enum { TOK_BEGIN = 1, TOK_END_NODE = 2, TOK_PROP = 3, TOK_NOP = 4, TOK_END = 9 };

struct token {
	u32 kind;
	u32 next;         /* offset of the token after it */
	const char *name; /* of node or property */
	const u8 *value;
	u32 len;
};

/* The terminator of a text in at most n bytes, or NULL. */
static const u8 *find_nul(const u8 *p, u32 n)
{
	for (; n; n--, p++)
		if (!*p)
			return p;
	return NULL;
}

static bool fdt_token(const struct fdt *f, u32 off, struct token *t)
{
	const u8 *p = f->blob + off, *nul;

	if (off < f->struct_off || off > f->struct_end || f->struct_end - off < 4)
		return false;
	t->kind = fdt_be32(p);
	t->next = off + 4;
	switch (t->kind) {
	case TOK_END_NODE:
	case TOK_NOP:
		return true;
	case TOK_BEGIN:
		nul = find_nul(p + 4, f->struct_end - t->next);
		if (!nul)
			return false;
		t->name = (const char *)p + 4;
		t->next = ALIGN_UP((u32)(nul - f->blob) + 1, 4u);
		return true;
	case TOK_PROP: {
		u32 name;

		if (f->struct_end - t->next < 8)
			return false;
		t->len = fdt_be32(p + 4);
		name = fdt_be32(p + 8);
		t->next += 8;
		if (t->len > f->struct_end - t->next || name >= f->strings_end - f->strings_off)
			return false;
		name += f->strings_off;
		if (!find_nul(f->blob + name, f->strings_end - name))
			return false;
		t->name = (const char *)f->blob + name;
		t->value = p + 12;
		t->next = ALIGN_UP(t->next + t->len, 4u);
		return true;
	}
	default: /* the end, or damage */
		return false;
	}
}

bool fdt_open(struct fdt *f, const void *blob, u64 limit)
{
	const u8 *p = blob;
	u64 struct_off, struct_size, strings_off, strings_size;

	if (limit < FDT_HEADER_SIZE || fdt_be32(p) != FDT_MAGIC)
		return false;
	f->blob = p;
	f->size = fdt_be32(p + 4);
	struct_off = fdt_be32(p + 8);
	strings_off = fdt_be32(p + 12);
	f->rsvmap_off = fdt_be32(p + 16);
	strings_size = fdt_be32(p + 32);
	struct_size = fdt_be32(p + 36);
	/* Offsets stay far from the 32-bit limit, so that rounding up cannot wrap. */
	if (f->size < FDT_HEADER_SIZE || f->size > limit || f->size > 0x10000000u)
		return false;
	if (fdt_be32(p + 20) < 17 || fdt_be32(p + 24) > FDT_LAST_COMPATIBLE)
		return false;
	if (struct_off + struct_size > f->size || strings_off + strings_size > f->size ||
	    struct_off < FDT_HEADER_SIZE || struct_off % 4)
		return false;
	f->struct_off = (u32)struct_off;
	f->struct_end = (u32)(struct_off + struct_size);
	f->strings_off = (u32)strings_off;
	f->strings_end = (u32)(strings_off + strings_size);
	return fdt_root(f) != 0;
}

/* First begin token at or after `off`, within the same node. */
static u32 fdt_node_from(const struct fdt *f, u32 off)
{
	struct token t;

	for (; fdt_token(f, off, &t) && t.kind != TOK_END_NODE; off = t.next)
		if (t.kind == TOK_BEGIN)
			return off;
	return 0;
}

u32 fdt_root(const struct fdt *f)
{
	return fdt_node_from(f, f->struct_off);
}

u32 fdt_first_child(const struct fdt *f, u32 node)
{
	struct token t;

	return fdt_token(f, node, &t) ? fdt_node_from(f, t.next) : 0;
}

u32 fdt_next_sibling(const struct fdt *f, u32 node)
{
	u32 depth = 0;
	struct token t;

	for (u32 off = node; fdt_token(f, off, &t); off = t.next) {
		if (t.kind == TOK_BEGIN)
			depth++;
		else if (t.kind == TOK_END_NODE && --depth == 0)
			return fdt_node_from(f, t.next);
	}
	return 0;
}

u32 fdt_next(const struct fdt *f, u32 node)
{
	struct token t;
	u32 off;

	if (!node)
		return fdt_root(f);
	if (!fdt_token(f, node, &t))
		return 0;
	for (off = t.next; fdt_token(f, off, &t); off = t.next)
		if (t.kind == TOK_BEGIN)
			return off;
	return 0;
}

u32 fdt_parent(const struct fdt *f, u32 node)
{
	u32 open[MAX_DEPTH];
	u32 depth = 0;
	struct token t;

	for (u32 off = f->struct_off; fdt_token(f, off, &t); off = t.next) {
		if (off == node)
			return depth ? open[depth - 1] : 0;
		if (t.kind == TOK_BEGIN) {
			if (depth == MAX_DEPTH)
				return 0;
			open[depth++] = off;
		} else if (t.kind == TOK_END_NODE) {
			if (!depth)
				return 0;
			depth--;
		}
	}
	return 0;
}

const char *fdt_name(const struct fdt *f, u32 node)
{
	struct token t;

	return fdt_token(f, node, &t) && t.kind == TOK_BEGIN ? t.name : "";
}

const u8 *fdt_prop(const struct fdt *f, u32 node, const char *name, u32 *len)
{
	struct token t;
	u32 off;

	if (!fdt_token(f, node, &t) || t.kind != TOK_BEGIN)
		return NULL;
	for (off = t.next; fdt_token(f, off, &t); off = t.next) {
		if (t.kind == TOK_PROP && !strcmp(t.name, name)) {
			*len = t.len;
			return t.value;
		}
		if (t.kind != TOK_PROP && t.kind != TOK_NOP)
			break;
	}
	return NULL;
}

const char *fdt_string(const struct fdt *f, u32 node, const char *name)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	return p && find_nul(p, len) ? (const char *)p : NULL;
}

u32 fdt_u32(const struct fdt *f, u32 node, const char *name, u32 dflt)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	return p && len == 4 ? fdt_be32(p) : dflt;
}

bool fdt_lists(const struct fdt *f, u32 node, const char *name, const char *value)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len), *nul;

	while (p && len && (nul = find_nul(p, len))) {
		if (!strcmp((const char *)p, value))
			return true;
		len -= (u32)(nul + 1 - p);
		p = nul + 1;
	}
	return false;
}

bool fdt_enabled(const struct fdt *f, u32 node)
{
	const char *s = fdt_string(f, node, "status");

	return !s || !strcmp(s, "okay") || !strcmp(s, "ok");
}

u32 fdt_find_compatible(const struct fdt *f, u32 after, const char *compatible)
{
	for (u32 n = fdt_next(f, after); n; n = fdt_next(f, n))
		if (fdt_lists(f, n, "compatible", compatible) && fdt_enabled(f, n))
			return n;
	return 0;
}

bool fdt_reg(const struct fdt *f, u32 node, u32 i, u64 *base, u64 *size)
{
	u32 parent = fdt_parent(f, node), root = fdt_root(f);
	u32 ac, sc, len;
	const u8 *p;

	if (!parent)
		return false;
	ac = fdt_u32(f, parent, "#address-cells", 2);
	sc = fdt_u32(f, parent, "#size-cells", 1);
	if (ac < 1 || ac > 2 || sc > 2)
		return false;
	/* A bus maps addresses one to one exactly if it says so by empty "ranges". */
	for (u32 bus = parent; bus != root; bus = fdt_parent(f, bus)) {
		if (!bus)
			return false;
		p = fdt_prop(f, bus, "ranges", &len);
		if (sc && (!p || len))
			return false;
	}
	p = fdt_prop(f, node, "reg", &len);
	if (!p || ((u64)i + 1) * (ac + sc) * 4 > len)
		return false;
	p += (u64)i * (ac + sc) * 4;
	*base = fdt_cells(p, ac);
	*size = fdt_cells(p + 4 * ac, sc);
	return true;
}

bool fdt_reservation(const struct fdt *f, u32 i, u64 *base, u64 *size)
{
	u64 off = f->rsvmap_off + (u64)i * 16;

	if (off + 16 > f->size)
		return false;
	*base = fdt_cells(f->blob + off, 2);
	*size = fdt_cells(f->blob + off + 8, 2);
	return *base || *size;
}
