/* lib/bugpoint.h - places where the hang benchmark can put a bug in. `bug=NAME` on the command line
 * arms one, in CONFIG_HANGBENCH builds only; elsewhere every test is the constant false and the
 * code behind it is gone. A function whose lock pairing a bug point breaks is marked
 * BUGPOINT_NO_TSA: the analysis still covers it in builds without bug points. */
#ifndef LIB_BUGPOINT_H
#define LIB_BUGPOINT_H

#include <lib/annotate.h>
#include <lib/boot.h>

#ifdef CONFIG_HANGBENCH
#define bugpoint(name)  unlikely(cmdline_is("bug", name))
#define BUGPOINT_NO_TSA NO_TSA
#else
#define bugpoint(name) false
#define BUGPOINT_NO_TSA
#endif

#endif
