/* lib/rbtree.h - intrusive red-black tree. The caller walks down, links, then rebalances:
 *   struct rb_node **link = &root->node, *parent = NULL;
 *   while (*link) { parent = *link; link = less(new, parent) ? &parent->left : &parent->right; }
 *   rb_link(new, parent, link); rb_insert_fixup(root, new);
 * No allocation, no lock: the caller serialises. */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include <lib/types.h>

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};
struct rb_root {
	struct rb_node *node;
};

static inline void rb_link(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent = parent;
	n->left = n->right = NULL;
	n->red = true;
	*link = n;
}
void rb_insert_fixup(struct rb_root *root, struct rb_node *n);
void rb_erase(struct rb_root *root, struct rb_node *n);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);
#define rb_entry(p, type, member) container_of(p, type, member)

#endif
