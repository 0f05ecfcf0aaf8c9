//! The interrupts' part of a Cortex-M's vector table, as long as the board's interrupt controller has lines.
#![allow(unsafe_code)]

/// How many lines the board has: `build.rs` says it.
const LINES: usize = match usize::from_str_radix(env!("TRIDENT_INTERRUPTS"), 10) {
    Ok(lines) => lines,
    Err(_) => panic!("TRIDENT_INTERRUPTS is a number"),
};

unsafe extern "C" {
    /// What `cortex-m-rt` has for everything that nobody handles.
    fn DefaultHandler();
}

/// No interrupt is expected, and none is left without a handler. The linker puts the table where the core looks for it.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [unsafe extern "C" fn(); LINES] = [DefaultHandler; LINES];
