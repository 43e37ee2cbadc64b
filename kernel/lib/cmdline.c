/* cmdline.c - options of the kernel command line: words "name" or "name=value", separated by white
 * space, up to a word "--" (what follows belongs to the first program). No quoting. The line is
 * constant after boot, so every function works in any context. */
#define LOG_TAG "cmdline"
#include <lib/boot.h>
#include <lib/printk.h>
#include <lib/string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

const char *cmdline_get(const char *name, size_t *len)
{
	const char *p = boot_info.cmdline, *found = NULL;
	size_t nlen = strlen(name);

	*len = 0;
	while (p && *p) {
		const char *word;
		size_t n;

		while (is_space(*p))
			p++;
		word = p;
		while (*p && !is_space(*p))
			p++;
		n = (size_t)(p - word);
		if (n == 2 && word[0] == '-' && word[1] == '-')
			break;
		if (n < nlen || strncmp(word, name, nlen))
			continue;
		if (n == nlen) {
			found = "";
			*len = 0;
		} else if (word[nlen] == '=') {
			found = word + nlen + 1;
			*len = n - nlen - 1;
		}
	}
	return found;
}

bool cmdline_is(const char *name, const char *value)
{
	size_t len;
	const char *v = cmdline_get(name, &len);

	return v && len == strlen(value) && !strncmp(v, value, len);
}

u64 cmdline_u64(const char *name, u64 dflt)
{
	size_t len;
	const char *v = cmdline_get(name, &len);
	u64 n;

	if (!v)
		return dflt;
	if (parse_u64(v, len, &n)) {
		pr_warn("%s=%.*s is not a number; using %llu", name, (int)MIN(len, (size_t)64), v,
			(unsigned long long)dflt);
		return dflt;
	}
	return n;
}
