# tools/tracedump/tracedump.mk
