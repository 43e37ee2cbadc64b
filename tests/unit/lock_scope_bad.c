/* lock_scope_bad.c - must NOT compile: leaves the kernel inside a block that holds a lock. With
 * -DLOCK_SCOPE_FIXED the lock's block ends first, and it must compile. */
#include <sync/mutex.h>
#include <task/lock_scope.h>
#include <arch/user.h>

void lock_scope_bad(struct mutex *m);
void lock_scope_bad(struct mutex *m)
{
	{
		MUTEX_GUARD_SCOPE;

		mutex_lock(m);
		mutex_unlock(m);
#ifdef LOCK_SCOPE_FIXED
	}
	{
#endif
		ENTER_USER_CHECKED(arch_enter_user());
	}
}
