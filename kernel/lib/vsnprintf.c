/* vsnprintf.c - printf's subset (lib/string.h lists it). Any context, NMI and panic included: no
 * lock, no allocation, about 100 bytes of stack. An unknown conversion is shown as it stands. */
#include <lib/string.h>

#define F_ZERO  1u
#define F_LEFT  2u
#define F_PLUS  4u
#define F_SPACE 8u
#define F_ALT   16u
#define F_UPPER 32u

struct out {
	char *buf;
	size_t size; /* of buf */
	size_t len;  /* that the whole text needs so far */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_n(struct out *o, char c, int n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_text(struct out *o, const char *s, size_t n, int width, unsigned int flags)
{
	int pad = width > (int)n ? width - (int)n : 0;

	if (!(flags & F_LEFT))
		put_n(o, ' ', pad);
	for (size_t i = 0; i < n; i++)
		put(o, s[i]);
	if (flags & F_LEFT)
		put_n(o, ' ', pad);
}

/* precision -1 = not given. `sign` is 0 or the character before the digits. */
static void put_number(struct out *o, u64 v, unsigned int base, char sign, int width, int precision,
		       unsigned int flags)
{
	const char *set = flags & F_UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[24];
	int n = 0, zeros, pad, prefix = flags & F_ALT && base == 16 && v ? 2 : 0;

	for (; v; v /= base)
		digits[n++] = set[v % base];
	if (!n && precision)
		digits[n++] = '0';
	if (flags & F_ALT && base == 8 && precision <= n && !(n && digits[n - 1] == '0'))
		digits[n++] = '0'; /* an octal number shows that it is one */
	zeros = precision > n ? precision - n : 0;
	pad = width - n - zeros - prefix - (sign ? 1 : 0);
	if (pad > 0 && flags & F_ZERO && !(flags & F_LEFT) && precision < 0) {
		zeros = pad;
		pad = 0;
	}
	if (!(flags & F_LEFT))
		put_n(o, ' ', pad);
	if (sign)
		put(o, sign);
	if (prefix) {
		put(o, '0');
		put(o, flags & F_UPPER ? 'X' : 'x');
	}
	put_n(o, '0', zeros);
	while (n)
		put(o, digits[--n]);
	if (flags & F_LEFT)
		put_n(o, ' ', pad);
}

/* Decimal digits of a width or precision; absurd ones are cut. */
static const char *scan_int(const char *f, int *v)
{
	*v = 0;
	for (; *f >= '0' && *f <= '9'; f++)
		if (*v < 100000)
			*v = *v * 10 + (*f - '0');
	return f;
}

static const char *scan_flags(const char *f, unsigned int *flags)
{
	for (*flags = 0;; f++) {
		if (*f == '0')
			*flags |= F_ZERO;
		else if (*f == '-')
			*flags |= F_LEFT;
		else if (*f == '+')
			*flags |= F_PLUS;
		else if (*f == ' ')
			*flags |= F_SPACE;
		else if (*f == '#')
			*flags |= F_ALT;
		else
			return f;
	}
}

/* size: -2 hh, -1 h, 0 int, 1 l, 2 ll, 3 z: the argument's type. */
static const char *scan_size(const char *f, int *size)
{
	*size = 0;
	if (*f == 'h') {
		*size = -1;
		if (*++f == 'h') {
			*size = -2;
			f++;
		}
	} else if (*f == 'l') {
		*size = 1;
		if (*++f == 'l') {
			*size = 2;
			f++;
		}
	} else if (*f == 'z') {
		*size = 3;
		f++;
	}
	return f;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {.buf = buf, .size = size};

	for (const char *f = fmt; *f; f++) {
		const char *start = f;
		unsigned int flags;
		int width = 0, precision = -1, argsize;
		char sign = 0;
		const char *s;
		char c;
		u64 v;

		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = scan_flags(f + 1, &flags);
		if (*f == '*') {
			width = va_arg(ap, int);
			if (width < 0) {
				flags |= F_LEFT;
				width = width < -100000 ? 100000 : -width;
			}
			f++;
		} else {
			f = scan_int(f, &width);
		}
		if (*f == '.') {
			f++;
			if (*f == '*') {
				precision = va_arg(ap, int);
				f++;
			} else {
				f = scan_int(f, &precision);
			}
		}
		f = scan_size(f, &argsize);

		switch (*f) {
		case 'd':
		case 'i': {
			s64 n;

			if (argsize >= 2)
				n = va_arg(ap, long long);
			else if (argsize == 1)
				n = va_arg(ap, long);
			else
				n = va_arg(ap, int);
			if (argsize == -1)
				n = (short)n;
			else if (argsize == -2)
				n = (signed char)n;
			sign = n < 0 ? '-' : flags & F_PLUS ? '+' : flags & F_SPACE ? ' ' : 0;
			v = n < 0 ? -(u64)n : (u64)n;
			put_number(&o, v, 10, sign, width, precision, flags & ~F_ALT);
			break;
		}
		case 'o':
		case 'u':
		case 'x':
		case 'X':
			if (argsize >= 2)
				v = va_arg(ap, unsigned long long);
			else if (argsize == 1)
				v = va_arg(ap, unsigned long);
			else
				v = va_arg(ap, unsigned int);
			if (argsize == -1)
				v = (unsigned short)v;
			else if (argsize == -2)
				v = (unsigned char)v;
			if (*f == 'X')
				flags |= F_UPPER;
			put_number(&o, v,
				   *f == 'o'   ? 8
				   : *f == 'u' ? 10
					       : 16,
				   0, width, precision, flags);
			break;
		case 'p':
			v = (uintptr_t)va_arg(ap, void *);
			put_text(&o, "0x", 2, 0, 0);
			put_number(&o, v, 16, 0, 0, 16, 0);
			break;
		case 's':
			s = va_arg(ap, const char *);
			if (!s)
				s = "(null)";
			put_text(&o, s, precision < 0 ? strlen(s) : strnlen(s, (size_t)precision),
				 width, flags);
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_text(&o, &c, 1, width, flags);
			break;
		case '%':
			put(&o, '%');
			break;
		default:
			/* Unknown: show it, and stop if the text ends within it. */
			for (; start < f; start++)
				put(&o, *start);
			if (!*f)
				f--;
			else
				put(&o, *f);
			break;
		}
	}
	if (size)
		buf[MIN(o.len, size - 1)] = 0;
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
