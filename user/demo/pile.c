/* pile.c - starts sh, ls and cat at once: what init does first, as a program of its own. */
#include "run.h"

int main(void)
{
	return run_pile();
}
