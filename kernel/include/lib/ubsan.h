/* lib/ubsan.h - what clang's -fsanitize-trap=undefined says about a trap (CONFIG=ubsan). */
#ifndef LIB_UBSAN_H
#define LIB_UBSAN_H

/* The check with this number, as a phrase; the number is in the trapping instruction. Any context.
 */
const char *ubsan_kind(unsigned int kind);

#endif
