# sources of tracing/
tracing-y := tracing/ring.c tracing/schema.c tracing/box.c
tracing-y += tracing/held.c tracing/waits.c tracing/frames.c tracing/walk.c tracing/report.c
kernel-y += $(tracing-y)
