//! What the core says about a fault: its fault status registers (Armv7-M Architecture Reference Manual, B3.2.15; Armv8-M, D1.2.35).
#![allow(unsafe_code)]

use trident::wire::{Text, text};

use super::guard::{GUARD_LEN, stack_end};

const DACCVIOL: u32 = 1 << 1;
const MSTKERR: u32 = 1 << 4;
const MMARVALID: u32 = 1 << 7;
const PRECISERR: u32 = 1 << 9;
const STKERR: u32 = 1 << 12;
const BFARVALID: u32 = 1 << 15;
const STKOF: u32 = 1 << 20;

/// Reasons without an address.
const PLAIN: [(u32, &str); 10] = [
    (1 << 0, "instruction at a forbidden address"),
    (1 << 8, "bus error on an instruction"),
    (1 << 10, "bus error, address unknown"),
    (1 << 16, "undefined instruction"),
    (1 << 17, "invalid state"),
    (1 << 18, "invalid return"),
    (1 << 19, "no coprocessor"),
    (1 << 24, "unaligned access"),
    (1 << 25, "division by zero"),
    (STKERR | MSTKERR, "no stack for an exception"),
];

/// The registers, read before anything else can fault.
pub struct Cause {
    configurable: u32,
    forbidden_address: u32,
    bus_address: u32,
}

impl Cause {
    /// As they are now.
    pub fn read() -> Self {
        // SAFETY: the system control block lies there on every core of Armv7-M and Armv8-M; these reads change nothing.
        let scb = unsafe { &*cortex_m::peripheral::SCB::PTR };
        Self {
            configurable: scb.cfsr.read(),
            forbidden_address: scb.mmfar.read(),
            bus_address: scb.bfar.read(),
        }
    }

    fn has(&self, bits: u32) -> bool {
        self.configurable & bits != 0
    }

    /// Whether the core could store what it interrupted.
    pub fn frame_stored(&self, stack_pointer: usize) -> bool {
        // A limit that was met on the way into the exception leaves the pointer there, and nothing stored.
        let limited = self.has(STKOF) && stack_pointer == stack_end();
        !(limited || self.has(MSTKERR | STKERR))
    }

    /// Whether the stack's end was reached.
    pub fn is_overflow(&self) -> bool {
        let guard = stack_end() - GUARD_LEN..stack_end();
        let guarded = self.has(MMARVALID) && guard.contains(&(self.forbidden_address as usize));
        self.has(MSTKERR | STKOF) || guarded
    }

    /// It in words.
    pub fn words(&self) -> Text {
        if self.has(DACCVIOL) && self.has(MMARVALID) {
            return text(format_args!("forbidden access to {:#010x}", self.forbidden_address));
        }
        if self.has(PRECISERR) && self.has(BFARVALID) {
            return text(format_args!("bus error at {:#010x}", self.bus_address));
        }
        let found = PLAIN.iter().find(|(bits, _)| self.has(*bits));
        found.map_or_else(Text::new, |(_, words)| text(words))
    }
}
