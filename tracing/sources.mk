# sources of tracing/
kernel-y += tracing/ring.c tracing/schema.c tracing/box.c tracing/tracker.c
