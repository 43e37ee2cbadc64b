# sources of tracing/
tracing-y := tracing/schema.c tracing/box.c
tracing-records := tracing/ring.c tracing/held.c tracing/waits.c tracing/frames.c tracing/walk.c \
	tracing/lives.c tracing/report.c
tracing-y += $(tracing-records)
ifneq ($(CONFIG),bare)
kernel-y += $(tracing-y)
else
kernel-y += $(filter-out $(tracing-records),$(tracing-y))
endif
