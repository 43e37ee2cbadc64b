/* lock_held_bad.c - must NOT compile: an early return leaves the lock held, and Clang's
 * thread-safety analysis knows it from the annotations of the lock functions. With
 * -DLOCK_HELD_FIXED it must compile. */
#include <sync/mutex.h>

int lock_held_bad(struct mutex *m, int early);
int lock_held_bad(struct mutex *m, int early)
{
	mutex_lock(m);
#ifndef LOCK_HELD_FIXED
	if (early)
		return -1;
#endif
	mutex_unlock(m);
	return 0;
}
