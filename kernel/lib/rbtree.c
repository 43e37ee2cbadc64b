/* rbtree.c - intrusive red-black tree with parent pointers.
 *
 * Invariants: the root is black; a red node has no red child; every path from a node down to a
 * missing child crosses the same number of black nodes. A missing child counts as black. The caller
 * serialises; nothing here allocates or looks at keys. */
#include <lib/rbtree.h>

/* Puts `to` (may be NULL) in the place that `from` has under its parent. */
static void replace_child(struct rb_root *root, struct rb_node *from, struct rb_node *to)
{
	struct rb_node *p = from->parent;

	if (!p)
		root->node = to;
	else if (p->left == from)
		p->left = to;
	else
		p->right = to;
	if (to)
		to->parent = p;
}

static void rotate_left(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *r = n->right;

	replace_child(root, n, r);
	n->right = r->left;
	if (n->right)
		n->right->parent = n;
	r->left = n;
	n->parent = r;
}

static void rotate_right(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *l = n->left;

	replace_child(root, n, l);
	n->left = l->right;
	if (n->left)
		n->left->parent = n;
	l->right = n;
	n->parent = l;
}

void rb_insert_fixup(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *p;

	while ((p = n->parent) && p->red) {
		struct rb_node *g = p->parent; /* exists: a red node is not the root */
		struct rb_node *uncle = p == g->left ? g->right : g->left;

		if (uncle && uncle->red) {
			p->red = uncle->red = false;
			g->red = true;
			n = g;
			continue;
		}
		if (p == g->left) {
			if (n == p->right) {
				rotate_left(root, p);
				p = n;
			}
			p->red = false;
			g->red = true;
			rotate_right(root, g);
		} else {
			if (n == p->left) {
				rotate_right(root, p);
				p = n;
			}
			p->red = false;
			g->red = true;
			rotate_left(root, g);
		}
		break;
	}
	root->node->red = false;
}

static bool is_black(const struct rb_node *n)
{
	return !n || !n->red;
}

/* The subtree at n (maybe NULL), a child of p, is one black node short. */
static void erase_fixup(struct rb_root *root, struct rb_node *p, struct rb_node *n)
{
	while (p && is_black(n)) {
		bool left = n == p->left;
		struct rb_node *s =
			left ? p->right : p->left; /* exists: it has a black height >= 1 */

		if (s->red) {
			s->red = false;
			p->red = true;
			if (left)
				rotate_left(root, p);
			else
				rotate_right(root, p);
			s = left ? p->right : p->left;
		}
		if (is_black(s->left) && is_black(s->right)) {
			s->red = true;
			n = p;
			p = n->parent;
			continue;
		}
		if (left) {
			if (is_black(s->right)) {
				s->left->red = false;
				s->red = true;
				rotate_right(root, s);
				s = p->right;
			}
			s->red = p->red;
			p->red = false;
			s->right->red = false;
			rotate_left(root, p);
		} else {
			if (is_black(s->left)) {
				s->right->red = false;
				s->red = true;
				rotate_left(root, s);
				s = p->left;
			}
			s->red = p->red;
			p->red = false;
			s->left->red = false;
			rotate_right(root, p);
		}
		return;
	}
	if (n)
		n->red = false;
}

void rb_erase(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *child, *parent;
	bool removed_red;

	if (n->left && n->right) {
		/* The successor takes n's place and colour; what is missing is the successor's. */
		struct rb_node *s = n->right;

		while (s->left)
			s = s->left;
		removed_red = s->red;
		child = s->right;
		parent = s->parent;
		if (parent == n) {
			parent = s;
		} else {
			replace_child(root, s, child);
			s->right = n->right;
			s->right->parent = s;
		}
		replace_child(root, n, s);
		s->left = n->left;
		s->left->parent = s;
		s->red = n->red;
	} else {
		removed_red = n->red;
		child = n->left ? n->left : n->right;
		parent = n->parent;
		replace_child(root, n, child);
	}
	if (!removed_red)
		erase_fixup(root, parent, child);
	n->parent = n->left = n->right = NULL;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while (n->parent && n == n->parent->right)
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while (n->parent && n == n->parent->left)
		n = n->parent;
	return n->parent;
}
