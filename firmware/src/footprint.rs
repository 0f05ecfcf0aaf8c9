//! What the image takes of the board's memory: flash, statics, and how deep the stack has been.
//!
//! The start-up code paints the stack; what lies below the deepest use still has its colour.
#![allow(unsafe_code)]

use core::ptr::{addr_of, with_exposed_provenance};

use crate::start::{STACK_PAINT, image_start};

unsafe extern "C" {
    static _stack_start: u32;
    static _stack_end: u32;
    static __sidata: u32;
    static __sdata: u32;
    static __edata: u32;
    static __sbss: u32;
    static __ebss: u32;
    static __suninit: u32;
    static __euninit: u32;
}

/// The stack's size, in bytes.
pub fn stack_capacity() -> usize {
    addr_of!(_stack_start) as usize - addr_of!(_stack_end) as usize
}

/// The most of it that has been in use since reset, in bytes.
pub fn stack_high_water() -> usize {
    let end = addr_of!(_stack_end).expose_provenance();
    let start = addr_of!(_stack_start).expose_provenance();
    let mut address = end;
    // SAFETY: the linker script sets both symbols, 4-byte aligned, around the stack's memory, which is always readable. Below
    // the current frame no Rust object lives, and the loop ends there at the latest, since a frame holds other values
    // than paint. Reads are volatile because the compiler knows nothing of what is there.
    while address < start && unsafe { with_exposed_provenance::<u32>(address).read_volatile() } == STACK_PAINT {
        address += 4;
    }
    start - address
}

/// RAM that all statics of the image take, in bytes.
pub fn static_len() -> usize {
    let sections = [
        (addr_of!(__sdata), addr_of!(__edata)),
        (addr_of!(__sbss), addr_of!(__ebss)),
        (addr_of!(__suninit), addr_of!(__euninit)),
    ];
    sections
        .iter()
        .map(|(start, end)| *end as usize - *start as usize)
        .sum()
}

/// Flash that the image takes: code, constants, and the first values of statics, in bytes.
pub fn image_len() -> usize {
    let data_len = addr_of!(__edata) as usize - addr_of!(__sdata) as usize;
    addr_of!(__sidata) as usize + data_len - image_start()
}
