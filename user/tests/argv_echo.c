/* argv_echo.c - helper: prints its arguments in <>, one space between. `argv_echo -e NAME` prints
 * an environment variable, `argv_echo -f N` exits with 0 if descriptor N is open. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-e") == 0) {
		const char *v = getenv(argv[2]);

		printf("%s\n", v ? v : "(unset)");
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "-f") == 0)
		return fcntl(atoi(argv[2]), F_GETFD) < 0;
	for (int i = 0; i < argc; i++)
		printf("%s<%s>", i ? " " : "", argv[i]);
	printf("\n");
	return 0;
}
