//! The inner loops in assembly, for cores with the SIMD instructions of Armv7E-M (Cortex-M4, M7, M33).
//!
//! Floating-point registers, where the target's name says that there are any, hold what core registers have no room for (`pixels`). They
//! take no part in arithmetic here.
//!
//! Each function is a section of its own, which the linker drops if nothing calls it. `.arch` is named everywhere because the assembler does
//! not know that a Cortex-M33 has these instructions. Codes may lie at any address: words of them are read by `LDR`, which may be
//! unaligned; only words are read by `LDM`.

pub mod bytes;
mod columns;
pub mod depthwise;
mod doubled;
pub mod linear;
pub mod narrow;
#[cfg(fpu)]
mod pixels;
pub mod tile;
pub mod upsample;
pub mod winograd;

/// Whether so many bytes lie inside from a place on.
#[inline(always)]
const fn holds(arena: &[u8], place: usize, len: usize) -> bool {
    len <= arena.len() && place <= arena.len() - len
}
