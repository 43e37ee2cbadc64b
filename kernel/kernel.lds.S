/* kernel.lds.S - layout of the image, for every architecture; <asm/image.h> says where it is loaded.
 *
 * Three segments, page aligned, none both writable and executable: code, constants, data. What must
 * hold: .ksyms ends the constants, so that its second, full version moves no code address; .blackbox
 * ends the image and occupies no file space: the box's dynamic part follows it in RAM.
 *
 * Link address: IMAGE_BASE shows physical IMAGE_SHOWS, the image is loaded 2 MiB above it. */
#include <asm/image.h>

#define IMAGE_BASE 0xffffffff80000000
#define LMA(s) AT(ADDR(s) - (IMAGE_BASE - IMAGE_SHOWS))

ENTRY(IMAGE_ENTRY)
PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = IMAGE_BASE + 0x200000;
	__image_start = .;
	.text : LMA(.text) {
		__text_start = .;
		KEEP(*(.head.text))
		*(.text .text.*)
	} :text
	/* lld gives __start_ and __stop_ symbols to a section of such a name. */
	trace_emit_text : LMA(trace_emit_text) { *(trace_emit_text) } :text
	. = ALIGN(4096);
	__text_end = .;

	__rodata_start = .;
	.rodata : LMA(.rodata) {
		*(.rodata .rodata.* .data.rel.ro .data.rel.ro.*)
		. = ALIGN(16);
		__trace_schema_start = .;
		KEEP(*(.trace_schema))
		__trace_schema_end = .;
		. = ALIGN(16);
		__trace_enums_start = .;
		KEEP(*(.trace_enums))
		__trace_enums_end = .;
		. = ALIGN(16);
		__ex_table_start = .;
		KEEP(*(.ex_table))
		__ex_table_end = .;
		. = ALIGN(16);
		__ktest_start = .;
		KEEP(*(.ktest))
		__ktest_end = .;
	} :rodata
	.note.gnu.build-id : LMA(.note.gnu.build-id) {
		__build_id_note = .;
		KEEP(*(.note.gnu.build-id))
	} :rodata :note
	.note.boot : LMA(.note.boot) { KEEP(*(.note.boot)) } :rodata :note
	.ksyms : LMA(.ksyms) { KEEP(*(.ksyms)) } :rodata
	. = ALIGN(4096);
	__rodata_end = .;

	__data_start = .;
	.data : LMA(.data) {
		__percpu_start = .;
		*(.data.percpu)
		. = ALIGN(64);
		__percpu_end = .;
		__lockclass_start = .;
		KEEP(*(.data.lockclass))
		__lockclass_end = .;
		. = ALIGN(64);
		*(.data .data.*)
		*(.got .got.plt)
	} :data
	. = ALIGN(4096);
	.bss (NOLOAD) : LMA(.bss) {
		__bss_start = .;
		*(.bss)
		. = ALIGN(16);
		__bss_end = .;
	} :data
	. = ALIGN(4096);
	.blackbox (NOLOAD) : LMA(.blackbox) {
		__blackbox_start = .;
		KEEP(*(.bss.blackbox))
		. = ALIGN(4096);
		__blackbox_end = .;
	} :data
	. = ALIGN(4096);
	__image_end = .;
	image_size = ABSOLUTE(__image_end - __image_start);

	.comment 0 : { *(.comment) }
	.debug_abbrev 0 : { *(.debug_abbrev) }
	.debug_addr 0 : { *(.debug_addr) }
	.debug_aranges 0 : { *(.debug_aranges) }
	.debug_frame 0 : { *(.debug_frame) }
	.debug_info 0 : { *(.debug_info) }
	.debug_line 0 : { *(.debug_line) }
	.debug_line_str 0 : { *(.debug_line_str) }
	.debug_loc 0 : { *(.debug_loc) }
	.debug_loclists 0 : { *(.debug_loclists) }
	.debug_macinfo 0 : { *(.debug_macinfo) }
	.debug_macro 0 : { *(.debug_macro) }
	.debug_pubnames 0 : { *(.debug_pubnames) }
	.debug_pubtypes 0 : { *(.debug_pubtypes) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.debug_types 0 : { *(.debug_types) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }
	/DISCARD/ : { *(.eh_frame .eh_frame_hdr .note.GNU-stack .llvm_addrsig .interp) }
}

ASSERT(image_size <= 0x3fe00000, "the image does not fit the 1 GiB that the early map shows")
