# sources of kernel/mm
