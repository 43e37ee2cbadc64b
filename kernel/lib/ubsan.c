/* ubsan.c - clang's checks by number (its list of SanitizerHandler, in its order). */
#include <lib/compiler.h>
#include <lib/ubsan.h>

const char *ubsan_kind(unsigned int kind)
{
	static const char *const kinds[] = {
		"addition overflow",
		"unreachable code was reached",
		"control flow integrity",
		"division overflow or by zero",
		"wrong dynamic type",
		"float to integer overflow",
		"call through a pointer of another function type",
		"value-changing implicit conversion",
		"invalid argument of a builtin",
		"wrong Objective-C cast",
		"load of an invalid bool or enum",
		"function ends without a return",
		"multiplication overflow",
		"negation overflow",
		"null argument",
		"null return value",
		"null argument for nonnull",
		"null return for nonnull",
		"index out of bounds",
		"pointer overflow",
		"shift out of bounds",
		"subtraction overflow",
		"access through a null or misaligned pointer, or to an object too small",
		"alignment assumption",
		"array size not positive",
	};

	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown check";
}
