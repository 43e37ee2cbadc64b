/* vdso.lds.S - one segment, readable and executable, that starts with the ELF header; the page before it
 * is the kernel's data page. */
#include <asm/vdso.h>
SECTIONS
{
	PROVIDE_HIDDEN(vdso_data = . - 4096);
	. = SIZEOF_HEADERS;
	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.gnu.version : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }
	.note : { *(.note.*) } :text :note
	.dynamic : { *(.dynamic) } :text :dynamic
	.rodata : { *(.rodata .rodata.*) } :text
	.eh_frame_hdr : { *(.eh_frame_hdr) } :text :eh_frame_hdr
	.eh_frame : { *(.eh_frame) } :text
	.text : { *(.text .text.*) } :text
	/DISCARD/ : { *(.data .data.* .bss .bss.* .got .got.plt .comment .note.GNU-stack .llvm_addrsig) }
}
PHDRS
{
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	note PT_NOTE FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}
VDSO_VERSION
