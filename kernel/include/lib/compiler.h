/* lib/compiler.h - attributes the kernel uses. No dependency, safe to include anywhere. */
#ifndef LIB_COMPILER_H
#define LIB_COMPILER_H

#define likely(x)       __builtin_expect(!!(x), 1)
#define unlikely(x)     __builtin_expect(!!(x), 0)
#define __packed        __attribute__((packed))
#define __aligned(n)    __attribute__((aligned(n)))
#define __section(s)    __attribute__((section(s)))
#define __used          __attribute__((used))
#define __unused        __attribute__((unused))
#define __weak          __attribute__((weak))
#define __noreturn      __attribute__((noreturn))
#define __noinline      __attribute__((noinline))
#define fallthrough     __attribute__((fallthrough))
#define __always_inline inline __attribute__((always_inline))
#define __printf(f, a)  __attribute__((format(printf, f, a)))
#define __cold          __attribute__((cold))
/* Part of what the linker collects and others walk or copy: no red zone of an address sanitizer
 * between them. */
#define __collected(s) __attribute__((section(s), no_sanitize("address")))
#define must_check     __attribute__((warn_unused_result))
/* A pointer into the user half. Clang refuses to dereference it or to mix it with others. */
#define __user __attribute__((noderef, address_space(1)))

#define barrier() __asm__ volatile("" ::: "memory")
/* One whole access, neither repeated nor left out. Order: none. */
#define READ_ONCE(x)     __atomic_load_n((const volatile __typeof__(x) *)&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n((volatile __typeof__(x) *)&(x), (v), __ATOMIC_RELAXED)

#define container_of(p, type, member) ((type *)((char *)(p) - __builtin_offsetof(type, member)))
#define ARRAY_SIZE(a)                 (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)                (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a)              ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a)              (((x) & ((__typeof__(x))(a)-1)) == 0)
#define MIN(a, b)                     ((a) < (b) ? (a) : (b))
#define MAX(a, b)                     ((a) > (b) ? (a) : (b))
#define BIT(n)                        (1ul << (n))

/* Address of the instruction after the call to the current (non-inlined) function. */
#define RET_IP ((unsigned long)__builtin_return_address(0))

#endif
