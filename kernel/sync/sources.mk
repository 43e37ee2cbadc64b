# sources of kernel/sync
