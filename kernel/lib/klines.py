#!/usr/bin/env python3
"""Makes the kernel's own line table (assembly on stdout) from a linked kernel with DWARF.

  klines.py --empty                 the table of the first link pass: no entries
  klines.py OBJDUMP SYMBOLIZER ELF  a row for each call in the code: the address that it returns to, and
                                    the line (and the inlined function) that the call stands in

Only calls have rows: what the records hold are return addresses. The table lies behind all code, so the
second link moves nothing that it describes.
"""
import json
import re
import subprocess
import sys

BASE = 0xFFFFFFFF80000000
CALL = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)")
CALLS = ("call", "callq", "bl", "blr")


def return_addresses(objdump, elf):
    text = subprocess.run([objdump, "-d", "-z", "--no-show-raw-insn", elf], capture_output=True, text=True, check=True)
    found, after_call = [], False
    for line in text.stdout.splitlines():
        m = CALL.match(line)
        if not m:
            continue
        if after_call:
            found.append(int(m[1], 16))
        after_call = m[2] in CALLS
    return found


def places(symbolizer, elf, addresses):
    """[(file, line, function, outer function)], innermost first as a debugger shows it."""
    asked = "".join(f"{a - 1:#x}\n" for a in addresses)
    run = subprocess.run([symbolizer, f"--obj={elf}", "--output-style=JSON", "--inlines", "--functions=short"],
                         input=asked, capture_output=True, text=True, check=True)
    out = []
    for line in run.stdout.splitlines():
        frames = json.loads(line).get("Symbol") or [{}]
        f = frames[0]
        out.append((f.get("FileName", "").removeprefix("./"), f.get("Line", 0), f.get("FunctionName", ""),
                    len(frames) > 1))
    if len(out) != len(addresses):
        sys.exit(f"klines.py: asked for {len(addresses)} places, was told {len(out)}")
    return out


class Strings:
    def __init__(self):
        self.at, self.size, self.list = {"": 0}, 1, [""]

    def add(self, text):
        if text not in self.at:
            self.at[text] = self.size
            self.size += len(text) + 1
            self.list.append(text)
        return self.at[text]


def write(rows, out):
    """rows: (address, file, line, inlined function or "")"""
    strings, index = Strings(), {}
    base = rows[0][0] & ~0x1FFFFF if rows else BASE
    out.write('.section .ksyms,"a",%progbits\n.balign 8\n.globl __klines\n__klines:\n')
    for address, file, line, func in rows:
        place = index.setdefault((file, func), len(index))
        if place > 0xFFFF or line > 0xFFFF:
            sys.exit("klines.py: more places or lines than a row can hold")
        out.write(f".long {address - base:#x}\n.short {place}, {line}\n")
    out.write(".globl __kplaces\n__kplaces:\n")
    for file, func in index:
        out.write(f".long {strings.add(file)}, {strings.add(func)}\n")
    out.write(".globl __kplace_names\n__kplace_names:\n")
    for text in strings.list:
        out.write(f'.asciz "{text}"\n')
    out.write(f".balign 4\n.globl __klines_count, __kplaces_count, __kplace_names_size\n"
              f"__klines_count: .long {len(rows)}\n__kplaces_count: .long {len(index)}\n"
              f"__kplace_names_size: .long {strings.size}\n")
    return 8 * len(rows) + 8 * len(index) + strings.size


def main(argv):
    if argv[1:] == ["--empty"]:
        write([], sys.stdout)
        return 0
    objdump, symbolizer, elf = argv[1:]
    addresses = sorted(set(return_addresses(objdump, elf)))
    rows = [(a, file, line, func if inlined else "")
            for a, (file, line, func, inlined) in zip(addresses, places(symbolizer, elf, addresses))
            if file and line > 0]
    size = write(rows, sys.stdout)
    print(f"  LINES    {len(rows)} call sites, {size / 1024:.0f} KiB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
