//! RISC-V's exceptions.
//!
//! `start` leads them here, with the stack anew, and has forbidden writes to all that lies below the stack: an overflow is such a
//! write.
#![allow(unsafe_code)]

use core::ptr::addr_of;

use trident::wire::{Text, text};

use super::record::{Kind, Record};
use super::recovery::end;
use crate::start::image_start;

unsafe extern "C" {
    static _stack_end: u32;
}

/// How far below the stack a forbidden write is taken for an overflow, in bytes: more than any frame.
const GUARD_LEN: usize = 64 << 10;

const STORE_ACCESS_FAULT: usize = 7;

/// Start-up code has done it.
pub(super) fn guard_stack() {}

/// Where `start` leads every exception to, with the registers `mcause`, `mepc`, `mtval` and `ra`.
// SAFETY: no other symbol of the image has this name.
#[unsafe(no_mangle)]
extern "C" fn trident_fault(cause: usize, pc: u32, address: usize, ra: u32) -> ! {
    let stack_end = addr_of!(_stack_end) as usize;
    let overflow = cause == STORE_ACCESS_FAULT && (stack_end - GUARD_LEN..stack_end).contains(&address);
    let message = match cause {
        _ if overflow => Text::new(),
        1 => text("bus error on an instruction"),
        2 => text("undefined instruction"),
        STORE_ACCESS_FAULT if (image_start()..stack_end).contains(&address) => {
            text(format_args!("forbidden access to {address:#010x}"))
        }
        5 | STORE_ACCESS_FAULT => text(format_args!("bus error at {address:#010x}")),
        0 | 4 | 6 => text(format_args!("unaligned access to {address:#010x}")),
        _ => text(format_args!("exception {cause}")),
    };
    end(Record {
        kind: if overflow { Kind::StackOverflow } else { Kind::HardFault },
        pc: Some(pc),
        lr: Some(ra),
        message,
    })
}
