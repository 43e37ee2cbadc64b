/* exec.c - replacing a process's program, and the way into user mode.
 *
 * Theory. Three steps. exec_open() finds the program, follows #! lines and maps the ELF file into a
 * new address space; it changes nothing of the process. exec_stack() makes that address space
 * current and builds the first stack in it; if that fails the old one comes back. Then there is no
 * return: exec_commit() gives back what the old program had, and enter_user() goes to user mode.
 *
 * The first program is loaded by load_init() with the file system's root lock held over the whole
 * of step one, so that the look-up of the candidates and of their interpreters is one consistent
 * view; later programs take the lock in each look-up. Nobody may hold it in enter_user(): the call
 * in there never returns, so it could never be released.
 *
 * Stack of a new program, from high to low (System V psABI; Linux's order): strings, random bytes,
 * auxiliary vector, envp, argv, argc at the stack pointer, which is 16-byte aligned.
 */
#define LOG_TAG "exec"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/bugpoint.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <task/call.h>
#include <task/files.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <tracing/events.h>
#include <uapi/elf.h>
#include <uapi/fcntl.h>
#include <uapi/process.h>
#include "elf.h"
#include "exec_args.h"
#include "task.h"

#define SCRIPT_DEPTH 4              /* interpreters that are scripts themselves: Linux's limit */
#define SCRIPT_LINE  256            /* Linux's BINPRM_BUF_SIZE */
#define STACK_FIRST  (128 * 1024ul) /* mapped at once; more grows by faults */
#define STACK_SPARE  (64 * 1024ul)  /* below what the arguments need */

struct exec {
	struct inode *cwd;
	bool root_locked; /* the caller holds the root lock */
	struct exec_args args;
	char *path; /* PATH_MAX bytes: as named by the caller, for AT_EXECFN */
	char *line; /* PATH_MAX bytes: the script line, then the interpreter's path in it */
	struct elf_image image;
	struct mm *mm;
	unsigned long sp;
	u64 ino;
	unsigned long vdso; /* where its ELF header is mapped */
};

struct file *task_random;

/* ---- step one: find and map ----------------------------------------------------------------- */

static struct inode *exec_find(struct exec *x, const char *path)
{
	struct inode *i = x->root_locked ? vfs_lookup_locked(x->cwd, path, true)
					 : vfs_lookup(x->cwd, path, true);

	if (IS_ERR(i))
		return i;
	if (!S_ISREG(i->mode) || !(i->mode & 0111)) {
		inode_put(i);
		return ERR_PTR(-EACCES);
	}
	return i;
}

/* Splits "#!  /path  one argument" in place. -ENOEXEC if there is no path, or no end of it in what
 * was read; a longer argument is cut, as on Linux. */
static int script_parse(char *line, size_t len, const char **interp, const char **arg)
{
	char *end, *p = line + 2, *a;

	line[len] = '\0';
	end = strchr(line, '\n');
	if (!end && len == SCRIPT_LINE) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!strchr(p, ' ') && !strchr(p, '\t'))
			return -ENOEXEC;
		end = line + SCRIPT_LINE - 1;
	}
	if (!end)
		end = line + strlen(line);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	while (*p == ' ' || *p == '\t')
		p++;
	if (!*p)
		return -ENOEXEC;
	*interp = p;
	*arg = NULL;
	for (a = p; *a && *a != ' ' && *a != '\t'; a++)
		;
	if (*a) {
		*a++ = '\0';
		while (*a == ' ' || *a == '\t')
			a++;
		*arg = a;
	}
	return 0;
}

/* If the file is a script: rewrites the arguments and returns 1 with the interpreter in *path. */
static int exec_script(struct exec *x, struct inode *inode, const char **path)
{
	const char *with[3], *interp, *arg;
	char head[SCRIPT_LINE + 1];
	ssize_t n = inode_read(inode, head, SCRIPT_LINE, 0);
	u32 nwith = 0;
	int err;

	if (n < 0)
		return (int)n;
	if (n < 2 || head[0] != '#' || head[1] != '!')
		return 0;
	err = script_parse(head, (size_t)n, &interp, &arg);
	if (err)
		return err;
	with[nwith++] = interp;
	if (arg)
		with[nwith++] = arg;
	with[nwith++] = *path;
	err = exec_args_replace_first(&x->args, with, nwith);
	if (err)
		return err;
	strscpy(x->line, interp, PATH_MAX);
	*path = x->line;
	return 1;
}

static int exec_open(struct exec *x)
{
	const char *path = x->path;
	struct inode *inode;
	int ret;

	for (u32 depth = 0;; depth++) {
		inode = exec_find(x, path);
		if (IS_ERR(inode))
			return (int)PTR_ERR(inode);
		ret = exec_script(x, inode, &path);
		if (ret <= 0)
			break;
		inode_put(inode);
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
	}
	if (ret == 0) {
		x->mm = mm_create();
		if (IS_ERR(x->mm)) {
			ret = (int)PTR_ERR(x->mm);
			x->mm = NULL;
		} else {
			ret = elf_load(x->mm, inode, &x->image);
		}
	}
	x->ino = inode->ino;
	inode_put(inode);
	return ret;
}

static int exec_alloc(struct exec *x)
{
	x->path = kmalloc(PATH_MAX);
	x->line = kmalloc(PATH_MAX);
	return x->path && x->line ? 0 : -ENOMEM;
}

/* Everything that a failed or finished exec still holds, but for the address space in use. */
static void exec_free(struct exec *x)
{
	exec_args_free(&x->args);
	kfree(x->path);
	kfree(x->line);
	x->path = x->line = NULL;
}

/* ---- step two: the stack -------------------------------------------------------------------- */

struct vec {
	u64 *p;
	u32 n;
};

static void vec_aux(struct vec *v, u64 type, u64 value)
{
	v->p[v->n++] = type;
	v->p[v->n++] = value;
}

#define AUX_MAX 19u

/* argc, argv, envp, auxv; returns the number of words. `strings`: where the packed strings will be.
 */
static u32 stack_vector(const struct exec *x, u64 *words, u64 strings, u64 random, u64 platform,
			u64 execfn)
{
	struct vec v = {.p = words};
	const char *s = x->args.buf;

	v.p[v.n++] = x->args.argc;
	for (u32 i = 0; i < x->args.argc + x->args.envc; i++) {
		if (i == x->args.argc)
			v.p[v.n++] = 0;
		v.p[v.n++] = strings + (u64)(s - x->args.buf);
		s += strlen(s) + 1;
	}
	if (x->args.envc == 0)
		v.p[v.n++] = 0;
	v.p[v.n++] = 0;
	vec_aux(&v, AT_HWCAP, arch_hwcap());
	vec_aux(&v, AT_PAGESZ, PAGE_SIZE);
	vec_aux(&v, AT_CLKTCK, USER_HZ);
	if (x->image.phdr) /* not every program maps its headers */
		vec_aux(&v, AT_PHDR, x->image.phdr);
	vec_aux(&v, AT_PHENT, sizeof(struct elf64_phdr));
	vec_aux(&v, AT_PHNUM, x->image.phnum);
	vec_aux(&v, AT_BASE, x->image.base);
	vec_aux(&v, AT_FLAGS, 0);
	vec_aux(&v, AT_ENTRY, x->image.entry);
	vec_aux(&v, AT_UID, 0);
	vec_aux(&v, AT_EUID, 0);
	vec_aux(&v, AT_GID, 0);
	vec_aux(&v, AT_EGID, 0);
	vec_aux(&v, AT_SECURE, 0);
	vec_aux(&v, AT_RANDOM, random);
	vec_aux(&v, AT_EXECFN, execfn);
	vec_aux(&v, AT_PLATFORM, platform);
	vec_aux(&v, AT_SYSINFO_EHDR, x->vdso);
	vec_aux(&v, AT_NULL, 0);
	return v.n;
}

/* 16 random bytes, from the same source as getrandom. */
static int stack_random(u64 at)
{
	loff_t pos = 0;
	ssize_t n;

	if (!task_random)
		return -ENODEV;
	n = task_random->ops->read(task_random, (void __user *)at, 16, &pos);
	return n == 16 ? 0 : -EFAULT;
}

/* Fills the first stack of the current address space, which ends at `top`; sets x->sp. */
static int stack_fill(struct exec *x, unsigned long top, u64 *words)
{
	size_t fn_len = strlen(x->path) + 1, platform_len = strlen(arch_name) + 1;
	u64 execfn = top - 8 - fn_len; /* a zero word ends the stack */
	u64 strings = execfn - x->args.len;
	u64 platform = strings - platform_len;
	u64 random = ALIGN_DOWN(platform - 16, 16ul);
	u32 n = stack_vector(x, words, strings, random, platform, execfn);

	x->sp = ALIGN_DOWN(random - n * sizeof(u64), 16ul);
	if (copy_to_user((void __user *)execfn, x->path, fn_len) ||
	    copy_to_user((void __user *)strings, x->args.buf, x->args.len) ||
	    copy_to_user((void __user *)platform, arch_name, platform_len) ||
	    copy_to_user((void __user *)x->sp, words, n * sizeof(u64)))
		return -EFAULT;
	return stack_random(random);
}

/* Maps the stack into x->mm, makes that current and fills it. On failure the old one is current. */
static int exec_stack(struct exec *x, struct mm *old)
{
	size_t nwords = 1 + x->args.argc + 1 + x->args.envc + 1 + 2 * AUX_MAX;
	size_t need = nwords * sizeof(u64) + x->args.len + strlen(x->path) + STACK_SPARE;
	unsigned long size = ALIGN_UP(MAX(need, STACK_FIRST), PAGE_SIZE);
	unsigned long addr = x->mm->stack_top - size;
	u32 flags = VMA_READ | VMA_WRITE | VMA_STACK | (x->image.exec_stack ? VMA_EXEC : 0);
	u64 *words;
	int err = vm_map(x->mm, &addr, size, flags, NULL, 0, 0) ?: vdso_map(x->mm, &x->vdso);

	if (err)
		return err;
	words = kmalloc(nwords * sizeof(u64));
	if (!words)
		return -ENOMEM;
	x->mm->brk_start = x->mm->brk = x->image.end;
	mm_activate(x->mm);
	err = stack_fill(x, x->mm->stack_top, words);
	if (err)
		mm_activate(old);
	kfree(words);
	return err;
}

/* ---- step three: no way back
 * --------------------------------------------------------------------- */

/* The process is the new program's from here on. */
static void exec_commit(struct exec *x, struct mm *old)
{
	struct process *p = current_process();
	const char *base = strrchr(x->path, '/');

	spin_lock(&process_tree_lock);
	p->mm = x->mm;
	spin_unlock(&process_tree_lock);
	x->mm = NULL;
	if (old)
		mm_put(old);
	files_close_cloexec(p);
	signal_exec(p);
	p->clear_child_tid = NULL;
	strscpy(p->name, base ? base + 1 : x->path, sizeof(p->name));
	thread_set_name(current_thread(), p->name);
	trace(exec, p->pid, x->ino, x->image.entry);
	exec_free(x);
}

/* Into user mode with the program of x. Returns only if its stack cannot be built. */
static __noinline int enter_user(struct exec *x)
{
	struct process *p = current_process();
	struct mm *old = p->mm;
	int err = exec_stack(x, old);

	if (err)
		return err;
	exec_commit(x, old);
	arch_thread_reset_user();
	arch_user_frame_init(arch_user_frame(), x->image.entry, x->sp);
	call_end_if_any(current_thread()->bb, 0);
	trace(enter_user, p->pid, x->image.entry, task_here());
	task_leaving_here();
	arch_enter_user();
	return 0;
}

static long exec_once(const char __user *path, const unsigned long __user *argv,
		      const unsigned long __user *envp)
{
	struct exec x = {.cwd = current_process()->cwd};
	ssize_t len;
	int err = exec_alloc(&x);

	if (err)
		goto out;
	len = strncpy_from_user(x.path, path, PATH_MAX);
	err = len < 0 ? (int)len : len == 0 ? -ENOENT : 0;
	if (err)
		goto out;
	err = exec_args_from_user(&x.args, argv, envp);
	if (err)
		goto out;
	err = exec_open(&x);
	if (!err)
		err = enter_user(&x);
	if (x.mm)
		mm_put(x.mm);
out:
	exec_free(&x);
	return err;
}

long process_exec(const char __user *path, const unsigned long __user *argv,
		  const unsigned long __user *envp)
{
	long ret = exec_once(path, argv, envp);

	for (u32 n = 0; ret == -ENOMEM && n < ROOM_TRIES && process_make_room(); n++)
		ret = exec_once(path, argv, envp);
	return ret;
}

/* ---- the first program
 * ---------------------------------------------------------------------------- */

/* Words of the command line behind " -- ", with "double quotes" around words that have spaces. */
static int init_words(struct exec *x)
{
	const char *s = boot_info.cmdline;
	int err = 0;

	while (*s && strncmp(s, " -- ", 4) != 0)
		s++;
	if (!*s)
		return 0;
	s += 4;
	while (!err) {
		const char *start;
		char stop = ' ';

		while (*s == ' ')
			s++;
		if (!*s)
			break;
		if (*s == '"')
			stop = *s++;
		for (start = s; *s && *s != stop; s++)
			;
		err = exec_args_add(&x->args, start, (size_t)(s - start), &x->args.argc);
		if (*s)
			s++;
	}
	return err;
}

static int init_args(struct exec *x)
{
	static const char *const env[] = {"PATH=/bin:/sbin:/usr/bin", "HOME=/", "TERM=vt100"};
	int err = exec_args_add(&x->args, x->path, strlen(x->path), &x->args.argc);

	if (!err)
		err = init_words(x);
	for (u32 i = 0; i < ARRAY_SIZE(env) && !err; i++)
		err = exec_args_add(&x->args, env[i], strlen(env[i]), &x->args.envc);
	return err;
}

static int init_try(struct exec *x, const char *path, size_t len)
{
	int err;

	exec_args_free(&x->args);
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(x->path, path, len);
	x->path[len] = '\0';
	err = init_args(x);
	if (!err)
		err = exec_open(x);
	if (err && x->mm) {
		mm_put(x->mm);
		x->mm = NULL;
	}
	if (err && err != -ENOENT)
		pr_err("%s: cannot be run as the first program: error %d", x->path, -err);
	return err;
}

/* Finds and maps the first program: init= from the command line or /sbin/init. */
static __noinline int load_init(struct exec *x) BUGPOINT_NO_TSA
{
	struct mutex *root_lock = vfs_root_sb->root_lock;
	const char *asked;
	size_t len = 0;
	int err;

	asked = cmdline_get("init", &len);
	mutex_lock(root_lock);
	x->root_locked = true;
	if (asked)
		err = init_try(x, asked, len);
	else
		err = init_try(x, "/sbin/init", strlen("/sbin/init"));
	x->root_locked = false;
	if (!bugpoint("exec-deadlock"))
		mutex_unlock(root_lock);
	return err;
}

static void init_open_console(struct process *p)
{
	struct file *f = vfs_open(p->cwd, "/dev/console", O_RDWR, 0);

	if (IS_ERR(f)) {
		pr_warn("no /dev/console (error %ld): the first program has no files", -PTR_ERR(f));
		return;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (fd > 0)
			file_get(f);
		if (fd_install(f, 0, false) != fd)
			panic("the first program's table of files is not empty");
	}
}

/* The kernel thread that runs this becomes the one thread of pid 1. */
static struct process *init_adopt(void)
{
	struct thread *t = current_thread();
	struct process *p = process_alloc(1);
	struct bb_task *bb = t->bb;

	if (!p)
		panic("no memory for the first process");
	p->cwd = vfs_root_sb->root;
	inode_get(p->cwd);
	strscpy(p->name, "init", sizeof(p->name));
	WRITE_ONCE(bb->ident_seq, bb->ident_seq + 1);
	smp_wmb();
	bb->tid = bb->pid = 1;
	bb->flags &= ~BB_TASK_KTHREAD;
	smp_wmb();
	WRITE_ONCE(bb->ident_seq, bb->ident_seq + 1);
	trace(task_new, 1, 1, trace_str8(p->name), trace_str8_2(p->name));
	process_attach(p, t);
	spin_lock(&process_tree_lock);
	process_one = p;
	process_link(p, NULL);
	spin_unlock(&process_tree_lock);
	return p;
}

void process_start_init(void)
{
	struct process *p = init_adopt();
	struct exec x = {.cwd = p->cwd};
	int err = exec_alloc(&x);

	init_open_console(p);
	task_random = vfs_open(p->cwd, "/dev/urandom", O_RDONLY, 0);
	if (IS_ERR(task_random))
		panic("no /dev/urandom: programs cannot start");
	if (!err)
		err = load_init(&x);
	if (!err)
		err = enter_user(&x);
	panic("no first program: %s (error %d); give init=/path", x.path ? x.path : "no memory",
	      -err);
}
