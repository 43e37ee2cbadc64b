# sources of kernel/drivers
