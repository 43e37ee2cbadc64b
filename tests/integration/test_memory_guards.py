"""Mistakes with memory (kernel/mm/misuse_ktest.c): each must stop the machine with a sentence that
names the mistake and the function that made it, on the console and in the black box."""
import re

import pytest

import qemu

# name: what the panic says, and who did it
MISUSES = {
    "past-the-end": (r"write past the end of the object: byte 40 .*40 bytes", "past_the_end"),
    "past-the-end-large": (r"write past the end of the object: byte 5000 ", "past_the_end_large"),
    "before-the-start": (r"write before the object: byte -1 ", "before_the_start"),
    "write-after-free": (r"object written after free: byte 600 ", "write_after_free"),
    "double-free": (r"double free: .*first freed in double_free\+", "double_free"),
    "double-free-large": (r"not an allocated object", "double_free_large"),
    "free-inside": (r"not the start of an object of kmalloc-192", "free_inside"),
    "free-of-constant": (r"not an allocated object", "free_of_constant"),
    "wrong-cache": (r"to cache misuse, but it is from kmalloc-64", "wrong_cache"),
    "page-write-after-free": (r"free page written after free: .* holds 0xf5eef5eef5eef501",
                              "page_write_after_free"),
    "page-double-free": (r"page .*: double free", "page_double_free"),
    "page-wrong-order": (r"page .*: freeing with another order", "page_wrong_order"),
    "page-extra-put": (r"page .*: reference dropped that was not held", "page_extra_put"),
    "stack-double-free": (r"not the start of a vmalloc area or kernel stack", "stack_double_free"),
    "boot-stack-overflow": (r"kernel stack overflow.* of idle/0", "dig"),
    "below-an-area": (r"write not allowed: .*guard page", "below_an_area"),
    "above-an-area": (r"write not allowed: .*guard page", "above_an_area"),
    "write-to-text": (r"write not allowed: .* is read-only text", "write_to_text"),
    "write-to-text-alias": (r"write not allowed: .*alias of the kernel image", "write_to_text_alias"),
    "write-to-constant": (r"write not allowed: .* is read-only data", "write_to_constant"),
    "run-data": (r"execution not allowed: .* is kernel data", "run_data"),
    "run-page": (r"execution not allowed: .* is direct map", "run_page"),
    "user-memory-directly": (r"write of user address .* outside the user copy functions",
                             "user_memory_directly"),
    "copy-from-guard-page": (r"read in the guard page of init", "copy_from_guard_page"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_named(arch, misuse):
    says, who = MISUSES[misuse]
    options = f"ktest=mm_misuse misuse={misuse} ring=1M"
    with qemu.Guest(arch, cpus=4, mem="128M", append=options, gdb=False) as guest:
        guest.wait_exit(60)
        console = guest.console()
        report = console[console.find("PANIC:"):]
        assert re.match(rf"PANIC: .*{says}", report), console[-3000:]
        assert who in report, console[-3000:]
        assert not guest.passed
        assert "not noticed" not in console and "PANIC inside" not in console, console[-3000:]
        code, words = guest.why()
        assert code == 1 and re.search(says, " ".join(words.split())), words


# overflow=: what the panic says. On aarch64 an NMI runs on the stack of whom it interrupts.
OVERFLOWS = {
    ("x86_64", "nmi"): "kernel stack overflow: the NMI stack of CPU 3",
    ("x86_64", "0"): "kernel stack overflow: the NMI stack of CPU 3",
    ("x86_64", "1"): "kernel stack overflow: the double fault stack of CPU 3",
    ("x86_64", "2"): "kernel stack overflow: the machine check stack of CPU 3",
    ("aarch64", "nmi"): "kernel stack overflow of digger",
    ("aarch64", "0"): "kernel stack overflow: the overflow stack of CPU 3",
}


@pytest.mark.parametrize("arch, stack", OVERFLOWS, ids="-".join)
def test_the_stack_that_overflows_is_named(arch, stack):
    options = f"ktest=exception_stack_overflow overflow={stack} ring=1M"
    with qemu.Guest(arch, cpus=4, mem="128M", append=options, gdb=False) as guest:
        guest.wait_exit(60)
        console = guest.console()
        report = console[console.find("PANIC:"):]
        assert report.startswith("PANIC: " + OVERFLOWS[arch, stack]), console[-3000:]
        assert "dig+" in report and "PANIC inside" not in report, report
        assert not guest.passed
