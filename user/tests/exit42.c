/* exit42.c - helper: exits with 42. Its file is also what broken programs are made from. */
int main(void)
{
	return 42;
}
