//! What depends on the processor's architecture, from reset to the entry point.
//!
//! | | Cortex-M | RISC-V |
//! |---|---|---|
//! | from reset to the entry point | `cortex-m-rt` | `riscv-rt` |
//! | vectors of interrupts | `vectors.rs` here | one trap |
//! | critical sections | `cortex-m` | `riscv` |
//! | paint on the stack | `cortex-m-rt` | `riscv.rs` here |
//! | nothing overwrites the image | it lies in flash | `riscv.rs` here |
//! | a reset from within | the core | a peripheral of the board |
//! | a fault, with a record | `faults/cortex_m` | `faults/riscv.rs` |
//! | a fault, without | `exits/cortex_m.rs` | `exits/riscv.rs` |
//!
//! A further architecture is a file beside each of these, and a line below. Start-up must paint the stack, from `_stack_end`
//! to where it is in use, with [`STACK_PAINT`], and the linker scripts must have the symbols that `footprint` names.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_arch = "arm")]
mod vectors;

#[cfg(target_arch = "arm")]
pub use self::cortex_m::*;
#[cfg(target_arch = "riscv32")]
pub use self::riscv::*;
