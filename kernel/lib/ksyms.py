#!/usr/bin/env python3
"""Turns `llvm-nm -n -S` output into the kernel's own symbol table (assembly on stdout).

  --empty        the table of the first link pass: no entries
  --check FILE   instead of writing: does FILE still describe the symbols on stdin?
"""
import sys

BASE = 0xFFFFFFFF80000000


def read_symbols(stream):
    syms = []
    for line in stream:
        part = line.split()
        # "address [size] type name"; no size for assembly labels
        if len(part) == 4 and part[2] in "tTwW":
            syms.append((int(part[0], 16), int(part[1], 16), part[3]))
        elif len(part) == 3 and part[1] in "tTwW":
            syms.append((int(part[0], 16), 0, part[2]))
    out = []
    for addr, size, name in sorted(syms, key=lambda s: (s[0], -s[1])):
        if addr < BASE or name.startswith((".", "$", "__start_", "__stop_")):
            continue
        if out and out[-1][0] == addr:
            continue
        out.append((addr, size, name))
    fixed = []
    for i, (addr, size, name) in enumerate(out):
        if size == 0 and i + 1 < len(out):
            size = min(out[i + 1][0] - addr, 4096)
        fixed.append((addr, size, name))
    return fixed


def write(syms, out):
    offset = 0
    base = syms[0][0] & ~0x1FFFFF if syms else BASE
    out.write('.section .ksyms,"a",%progbits\n.balign 16\n.globl __ksyms\n__ksyms:\n')
    for addr, size, name in syms:
        out.write(f".long {addr - base:#x}, {size}, {offset}, 0\n")
        offset += len(name) + 1
    out.write(".globl __ksym_names\n__ksym_names:\n")
    for _, _, name in syms:
        out.write(f'.asciz "{name}"\n')
    out.write('.byte 0\n.balign 4\n.globl __ksyms_count\n__ksyms_count: .long %d\n' % len(syms))
    out.write(".globl __ksym_names_size\n__ksym_names_size: .long %d\n" % (offset + 1))


def main(argv):
    if argv[1:] == ["--empty"]:
        write([], sys.stdout)
        return 0
    syms = read_symbols(sys.stdin)
    if argv[1:2] == ["--check"]:
        import io

        text = io.StringIO()
        write(syms, text)
        with open(argv[2]) as f:
            if f.read() != text.getvalue():
                print("ksyms.py: code moved between the two link passes", file=sys.stderr)
                return 1
        return 0
    write(syms, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
