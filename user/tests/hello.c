/* hello.c - what a new program finds: arguments, environment, auxiliary vector, stack. */
#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include "tap.h"

extern const char __ehdr_start[];

int main(int argc, char **argv)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	int loads = 0, sum = 0;
	struct utsname u;

	ok(argc == 3, "argc is %d", argc);
	ok(argv[argc] == NULL, "argv ends with NULL");
	ok(argc == 3 && strcmp(argv[1], "one") == 0 && strcmp(argv[2], "two words") == 0,
	   "argv has the strings");
	ok(getenv("TESTDIR") != NULL, "the environment came along");
	/* where argc was: the start code aligns the stack anew before it calls us */
	ok(((uintptr_t)(argv - 1) & 15) == 0, "the first stack pointer is a multiple of 16");
	ok(getauxval(AT_PAGESZ) == 4096, "AT_PAGESZ");
	ok(getauxval(AT_CLKTCK) == 100, "AT_CLKTCK");
	ok(getauxval(AT_PHENT) == sizeof(Elf64_Phdr), "AT_PHENT");
	for (unsigned long i = 0; ph && i < getauxval(AT_PHNUM); i++)
		loads += ph[i].p_type == PT_LOAD;
	ok(loads >= 1, "AT_PHDR shows %d segments", loads);
	ok(getauxval(AT_ENTRY) != 0, "AT_ENTRY");
	ok(getauxval(AT_SECURE) == 0 && getauxval(AT_UID) == getuid() &&
		   getauxval(AT_EGID) == getegid(),
	   "AT_SECURE, AT_UID, AT_EGID");
	for (int i = 0; random && i < 16; i++)
		sum |= random[i];
	ok(sum != 0, "AT_RANDOM points to bytes");
	ok(wrapped() || strstr((char *)getauxval(AT_EXECFN), "hello") != NULL, "AT_EXECFN");
	ok(uname(&u) == 0 && strcmp(u.sysname, "Linux") == 0, "uname says %s %s %s", u.sysname,
	   u.release, u.machine);
	ok(wrapped() || strcmp((char *)getauxval(AT_PLATFORM), u.machine) == 0,
	   "AT_PLATFORM is the machine");
	return tap_end();
}
