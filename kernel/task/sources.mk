# sources of kernel/task
