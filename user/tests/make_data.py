#!/usr/bin/env python3
"""make_data.py DIR PROGRAM TEST... - fills DIR with what the test programs read: the list of tests,
known files, scripts, and broken copies of PROGRAM (always the same ones)."""
import os
import random
import struct
import sys

LINE = b"The quick brown fox jumps over the lazy dog.\n"


def put(path, data, mode=0o644):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def patched(elf, offset, fmt, *values):
    out = bytearray(elf)
    struct.pack_into("<" + fmt, out, offset, *values)
    return bytes(out)


def main():
    base, program, tests = sys.argv[1], sys.argv[2], sys.argv[3:]

    put(base + "/list", "".join(t + "\n" for t in tests).encode())
    put(base + "/data", (LINE * (20000 // len(LINE) + 1))[:20000])
    put(base + "/empty", b"")
    put(base + "/text", b"neither a program nor a script\n", 0o755)
    put(base + "/script", b"#! ./argv_echo  one arg \n", 0o755)
    put(base + "/script2", b"#!./script\n", 0o755)
    put(base + "/script_long", b"#!./argv_echo " + b"a" * 300 + b"\n", 0o755)
    put(base + "/script_endless", b"#!./" + b"x" * 300 + b"\n", 0o755)
    put(base + "/script_bad", b"#!/no/such/interpreter\n", 0o755)
    put(base + "/script_loop", b"#!./script_loop\n", 0o755)
    os.symlink("data", base + "/link")
    os.symlink("loop", base + "/loop")
    os.mkdir(base + "/many")
    for name, to in (("link_4095", "data"), ("dir_4095", "many")):  # as long as a link can be
        os.symlink("./" * 2045 + "/" + to, base + "/" + name)
    for i in range(300):
        put(f"{base}/many/file-with-a-long-name-{i:03}", b"%d\n" % i)

    with open(program, "rb") as f:
        elf = f.read()
    phoff, phnum = struct.unpack_from("<Q", elf, 32)[0], struct.unpack_from("<H", elf, 56)[0]
    os.mkdir(base + "/bad")
    bad = {
        "magic": patched(elf, 0, "B", 0x7E),
        "magic2": patched(elf, 3, "B", 0x47),
        "type-object": patched(elf, 16, "H", 1),
        "type-core": patched(elf, 16, "H", 4),
        "machine": patched(elf, 18, "H", 8),
        "phentsize": patched(elf, 54, "H", 55),
        "phnum-0": patched(elf, 56, "H", 0),
        "phnum-max": patched(elf, 56, "H", 0xFFFF),
        "phoff-outside": patched(elf, 32, "Q", len(elf) + 4096),
        "one-byte": elf[:1],
        "half-header": elf[:40],
    }
    for name, data in bad.items():
        put(f"{base}/bad/{name}", data, 0o755)

    os.mkdir(base + "/fuzz")
    rnd = random.Random(42)
    edges = [0, 1, 7, 0xFFF, 0x1000, 1 << 31, 1 << 47, (1 << 47) - 4096, 1 << 63, (1 << 64) - 1,
             (1 << 64) - 4096, 0xFFFF800000000000, 0xFFFFFFFF80000000]
    n = 0
    for i in range(min(phnum, 4)):
        for field, at in (("offset", 8), ("vaddr", 16), ("filesz", 32), ("memsz", 40), ("align", 48)):
            for value in rnd.sample(edges, 4):
                put(f"{base}/fuzz/{n:03}-ph{i}-{field}", patched(elf, phoff + 56 * i + at, "Q", value), 0o755)
                n += 1
    for value in edges:
        put(f"{base}/fuzz/{n:03}-entry", patched(elf, 24, "Q", value), 0o755)
        n += 1
    for i in range(30):
        out = bytearray(elf)
        for _ in range(rnd.randint(1, 4)):
            out[rnd.randrange(4, phoff + 56 * phnum)] = rnd.randrange(256)
        put(f"{base}/fuzz/{n:03}-random", bytes(out), 0o755)
        n += 1
    for size in (65, 200, 1000, 4096, len(elf) // 2):
        put(f"{base}/fuzz/{n:03}-cut", elf[:size], 0o755)
        n += 1


main()
