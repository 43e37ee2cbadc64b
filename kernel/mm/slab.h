/* slab.h - start of the slab allocator, for mm_init(). */
#ifndef MM_SLAB_H
#define MM_SLAB_H
void slab_init(void); /* after the page allocator */
#endif
