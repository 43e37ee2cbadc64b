# versions.mk - the tools and their versions, chosen in this one place. Debian 12's packages.
LLVM    ?= 16
CC      := clang-$(LLVM)
LD      := ld.lld-$(LLVM)
NM      := llvm-nm-$(LLVM)
OBJCOPY := llvm-objcopy-$(LLVM)
OBJDUMP := llvm-objdump-$(LLVM)
SYMBOLIZER := llvm-symbolizer-$(LLVM)
HOSTCC  := clang-$(LLVM)
GDB     := gdb-multiarch
QEMU_aarch64 := qemu-system-aarch64
QEMU_x86_64  := qemu-system-x86_64
# What `make setup` installs, and why (shown to the user):
HOST_PACKAGES := clang-$(LLVM) lld-$(LLVM) llvm-$(LLVM) libclang-rt-$(LLVM)-dev qemu-system-arm \
	qemu-system-x86 qemu-user-static gdb-multiarch e2fsprogs elfutils libdw-dev libelf-dev zlib1g-dev libcmocka-dev \
	python3 python3-pytest tmux nodejs npm spin clang-format-$(LLVM)
export CC LD NM OBJCOPY HOSTCC GDB QEMU_aarch64 QEMU_x86_64 LLVM HOST_PACKAGES
