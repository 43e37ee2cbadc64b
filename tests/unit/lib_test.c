/* lib_test.c - kernel/lib on the host. The kernel's functions are compiled with the prefix k_ so
 * that they can be compared with the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <lib/boot.h>
#include <lib/rbtree.h>

void *k_memcpy(void *d, const void *s, size_t n);
void *k_memmove(void *d, const void *s, size_t n);
void *k_memset(void *d, int c, size_t n);
int k_memcmp(const void *a, const void *b, size_t n);
void *k_memchr_inv(const void *s, int c, size_t n);
size_t k_strnlen(const char *s, size_t n);
int k_strcmp(const char *a, const char *b);
int k_strncmp(const char *a, const char *b, size_t n);
char *k_strchr(const char *s, int c);
char *k_strrchr(const char *s, int c);
long k_strscpy(char *d, const char *s, size_t n);
int k_snprintf(char *b, size_t n, const char *f, ...) __attribute__((format(printf, 3, 4)));
int k_parse_u64(const char *s, size_t len, uint64_t *out);
const char *k_cmdline_get(const char *name, size_t *len);
_Bool k_cmdline_is(const char *name, const char *value);
uint64_t k_cmdline_u64(const char *name, uint64_t dflt);

static void memory_functions(void **state)
{
	static unsigned char a[300], b[300], c[300];

	for (unsigned int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % 130, x = (size_t)rand() % 80, y = (size_t)rand() % 80;

		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = b[i] = c[i] = (unsigned char)rand();
		switch (round % 4) {
		case 0:
			assert_ptr_equal(k_memmove(a + x, a + y, n), a + x);
			memmove(b + x, b + y, n);
			break;
		case 1:
			assert_ptr_equal(k_memcpy(a + x, c + y, n), a + x);
			memcpy(b + x, c + y, n);
			break;
		case 2:
			assert_ptr_equal(k_memset(a + x, (int)y, n), a + x);
			memset(b + x, (int)y, n);
			break;
		default:
			if (n)
				b[x + (size_t)rand() % n] ^= (unsigned char)(rand() & 1);
			assert_int_equal(
				(k_memcmp(a + x, b + x, n) > 0) - (k_memcmp(a + x, b + x, n) < 0),
				(memcmp(a + x, b + x, n) > 0) - (memcmp(a + x, b + x, n) < 0));
			continue;
		}
		assert_memory_equal(a, b, sizeof(a));
	}
}

static void first_other_byte(void **state)
{
	static unsigned char a[300];

	for (unsigned int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % 130, x = (size_t)rand() % 80, at = (size_t)rand() % 140;

		memset(a, 0xa5, sizeof(a));
		a[x - (x > 0)] = x ? 1 : a[0]; /* in front of it and behind it: not looked at */
		a[x + n] = 2;
		assert_null(k_memchr_inv(a + x, 0xa5, n));
		if (at < n) {
			a[x + at] ^= (unsigned char)(1u << rand() % 8);
			a[x + n - 1] ^= (unsigned char)(at == n - 1 ? 0 : 1);
			assert_ptr_equal(k_memchr_inv(a + x, 0xa5, n), a + x + at);
		}
	}
}

static void string_functions(void **state)
{
	char d[4];

	assert_int_equal(k_strcmp("a", "a"), 0);
	assert_true(k_strcmp("a", "b") < 0 && k_strcmp("b", "a") > 0 && k_strcmp("a", "") > 0);
	assert_true(k_strcmp("\xff", "a") > 0);
	assert_int_equal(k_strncmp("abc", "abd", 2), 0);
	assert_true(k_strncmp("abc", "abd", 3) < 0);
	assert_int_equal(k_strnlen("abc", 2), 2);
	assert_string_equal(k_strchr("abcb", 'b'), "bcb");
	assert_string_equal(k_strrchr("abcb", 'b'), "b");
	assert_string_equal(k_strchr("abc", 0), "");
	assert_null(k_strchr("abc", 'x'));
	assert_null(k_strrchr("abc", 'x'));
	assert_int_equal(k_strscpy(d, "abc", 4), 3);
	assert_string_equal(d, "abc");
	assert_int_equal(k_strscpy(d, "abcd", 4), -7);
	assert_string_equal(d, "abc");
}

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char x_[200], y_[200];                                                             \
		for (size_t n_ = 0; n_ < sizeof(x_); n_ = n_ * 2 + 1) {                            \
			memset(x_, '#', sizeof(x_));                                               \
			memset(y_, '#', sizeof(y_));                                               \
			assert_int_equal(k_snprintf(x_, n_, __VA_ARGS__),                          \
					 snprintf(y_, n_, __VA_ARGS__));                           \
			assert_memory_equal(x_, y_, sizeof(x_));                                   \
		}                                                                                  \
	} while (0)

static void formatting(void **state)
{
	char b[64];

	SAME("plain %% text");
	SAME("%d %i %u", -5, 7, 4000000000u);
	SAME("[%5d] [%-5d] [%05d] [%+d] [% d] [%.3d] [%8.3d]", 42, 42, -42, 42, 42, 7, -7);
	SAME("%o %#o %#o %06o %#8o %llo", 0755u, 0100644u, 0u, 0644u, 0755u, ~0ull);
	SAME("%x %X %#x %#X %#x %08x %#10x %-#10x|", 255u, 255u, 255u, 255u, 0u, 255u, 255u, 255u);
	SAME("%ld %lu %lld %llu %zu %zd", -1l, 1ul, -1ll, ~0ull, (size_t)5, (ssize_t)-5);
	SAME("%lld %llx", -0x7fffffffffffffffll - 1, 1ull << 63);
	SAME("%hd %hhd %hx %hhx", (short)-1, (signed char)-1, (unsigned short)0xabcd,
	     (unsigned char)0xef);
	SAME("%s|%10s|%-10s|%.2s|%5.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%*d|%-*d|%.*s|%*s", 6, 42, 6, 42, 2, "abc", -6, "x");
	SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	SAME("%.0d|%.0u|%5.0x|", 0, 0u, 0u);
	assert_int_equal(k_snprintf(b, sizeof(b), "%p", (void *)0x1234), 18);
	assert_string_equal(b, "0x0000000000001234");
	assert_int_equal(k_snprintf(b, sizeof(b), "%s", (char *)(uintptr_t)0), 6);
}

static int parse(const char *s, uint64_t *v)
{
	return k_parse_u64(s, strlen(s), v);
}

static void numbers(void **state)
{
	static const char *const bad[] = {"", "x", "0x", "12z", "-1", "K", "0xg", "1 ", "0xK"};
	uint64_t v;

	assert_int_equal(parse("0", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(parse("18446744073709551615", &v), 0);
	assert_true(v == ~0ull);
	assert_int_equal(parse("18446744073709551616", &v), -34);
	assert_int_equal(parse("0xffffffffffffffff", &v), 0);
	assert_int_equal(parse("0x10000000000000000", &v), -34);
	assert_int_equal(parse("4K", &v), 0);
	assert_int_equal(v, 4096);
	assert_int_equal(parse("0x10M", &v), 0);
	assert_int_equal(v, 16 << 20);
	assert_int_equal(parse("17179869184G", &v), -34);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], &v), -22);
}

static void command_line(void **state)
{
	size_t len;
	const char *v;

	boot_info.cmdline = "  a=1 quiet\tab=2 a=33  size=8K bad=zz -- a=9 tail";
	v = k_cmdline_get("a", &len);
	assert_int_equal(len, 2);
	assert_memory_equal(v, "33", 2);
	assert_string_equal(k_cmdline_get("quiet", &len), "");
	assert_int_equal(len, 0);
	assert_null(k_cmdline_get("tail", &len));
	assert_null(k_cmdline_get("b", &len));
	assert_true(k_cmdline_is("ab", "2"));
	assert_false(k_cmdline_is("ab", "22"));
	assert_int_equal(k_cmdline_u64("size", 1), 8192);
	assert_int_equal(k_cmdline_u64("bad", 7), 7);
	assert_int_equal(k_cmdline_u64("none", 9), 9);
}

struct item {
	struct rb_node node;
	int key;
	_Bool in;
};

/* Black height; fails on a broken rule. */
static int check_tree(const struct rb_node *n, const struct rb_node *parent)
{
	int l, r;

	if (!n)
		return 1;
	assert_ptr_equal(n->parent, parent);
	if (n->red && parent)
		assert_false(parent->red);
	l = check_tree(n->left, n);
	r = check_tree(n->right, n);
	assert_int_equal(l, r);
	return l + !n->red;
}

static void tree(void **state)
{
	static struct item items[200];
	struct rb_root root = {0};

	for (int i = 0; i < 200; i++)
		items[i].key = i;
	for (int round = 0; round < 20000; round++) {
		struct item *it = &items[rand() % 200];

		if (it->in) {
			rb_erase(&root, &it->node);
		} else {
			struct rb_node **link = &root.node, *parent = NULL;

			while (*link) {
				parent = *link;
				link = it->key < rb_entry(parent, struct item, node)->key
					       ? &parent->left
					       : &parent->right;
			}
			rb_link(&it->node, parent, link);
			rb_insert_fixup(&root, &it->node);
		}
		it->in = !it->in;
		if (round % 16)
			continue;
		assert_false(root.node && root.node->red);
		check_tree(root.node, NULL);
		struct rb_node *n = rb_first(&root), *last = NULL;

		for (int i = 0; i < 200; i++) {
			if (!items[i].in)
				continue;
			assert_ptr_equal(n, &items[i].node);
			assert_ptr_equal(rb_prev(n), last);
			last = n;
			n = rb_next(n);
		}
		assert_null(n);
		assert_ptr_equal(rb_last(&root), last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_functions),
		cmocka_unit_test(first_other_byte),
		cmocka_unit_test(string_functions),
		cmocka_unit_test(formatting),
		cmocka_unit_test(numbers),
		cmocka_unit_test(command_line),
		cmocka_unit_test(tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
