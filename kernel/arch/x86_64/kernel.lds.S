/* kernel.lds.S - the kernel's image. Linked at IMAGE_BASE + 2 MiB, loaded at physical 2 MiB.
 * Three segments, page aligned: R/X, R, RW (W^X). What must hold:
 *  - .ksyms differs in size between the two link passes, so it ends the read-only part: no text
 *    address depends on it;
 *  - .blackbox is last and occupies no file space; the box's dynamic part follows it in RAM;
 *  - section and symbol names are the same on both architectures. */
#define IMAGE_BASE 0xffffffff80000000
#define LOAD_PA 0x200000

ENTRY(x86_pvh_entry)
PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}
SECTIONS
{
	. = IMAGE_BASE + LOAD_PA;
	__image_start = .;
	.text : AT(ADDR(.text) - IMAGE_BASE) {
		__text_start = .;
		KEEP(*(.head.text))
		*(.text .text.*)
	} :text
	trace_emit_text : AT(ADDR(trace_emit_text) - IMAGE_BASE) {
		__start_trace_emit_text = .;
		*(trace_emit_text)
		__stop_trace_emit_text = .;
	} :text
	. = ALIGN(4096);
	__text_end = .;

	.rodata : AT(ADDR(.rodata) - IMAGE_BASE) {
		__rodata_start = .;
		*(.rodata .rodata.*)
		. = ALIGN(16);
		__trace_schema_start = .;
		KEEP(*(.trace_schema))
		__trace_schema_end = .;
		. = ALIGN(16);
		__trace_enums_start = .;
		KEEP(*(.trace_enums))
		__trace_enums_end = .;
		. = ALIGN(16);
		__ktest_start = .;
		KEEP(*(.ktest))
		__ktest_end = .;
		. = ALIGN(16);
		__ex_table_start = .;
		KEEP(*(.ex_table))
		__ex_table_end = .;
	} :rodata
	.note.gnu.build-id : AT(ADDR(.note.gnu.build-id) - IMAGE_BASE) {
		__build_id_note = .;
		KEEP(*(.note.gnu.build-id))
	} :rodata :note
	.note.pvh : AT(ADDR(.note.pvh) - IMAGE_BASE) {
		KEEP(*(.note.pvh))
	} :rodata :note
	.ksyms : AT(ADDR(.ksyms) - IMAGE_BASE) ALIGN(16) {
		KEEP(*(.ksyms))
	} :rodata
	. = ALIGN(4096);
	__rodata_end = .;

	.data.percpu : AT(ADDR(.data.percpu) - IMAGE_BASE) ALIGN(4096) {
		__data_start = .;
		__percpu_start = .;
		*(.data.percpu)
		. = ALIGN(64);
		__percpu_end = .;
	} :data
	.data.lockclass : AT(ADDR(.data.lockclass) - IMAGE_BASE) ALIGN(64) {
		__lockclass_start = .;
		KEEP(*(.data.lockclass))
		__lockclass_end = .;
	} :data
	.data : AT(ADDR(.data) - IMAGE_BASE) ALIGN(64) {
		*(.data .data.*)
	} :data
	.bss : AT(ADDR(.bss) - IMAGE_BASE) ALIGN(4096) {
		__bss_start = .;
		*(.bss)
		*(COMMON)
	} :data
	.blackbox (NOLOAD) : AT(ADDR(.blackbox) - IMAGE_BASE) ALIGN(4096) {
		__blackbox_start = .;
		KEEP(*(.bss.blackbox))
		. = ALIGN(4096);
		__blackbox_end = .;
	} :data
	. = ALIGN(4096);
	__image_end = .;

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
	.debug_pubnames 0 : { *(.debug_pubnames) }
	.debug_pubtypes 0 : { *(.debug_pubtypes) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }

	/DISCARD/ : {
		*(.eh_frame .eh_frame_hdr)
		*(.note.GNU-stack)
		*(.llvm_addrsig)
	}
}
