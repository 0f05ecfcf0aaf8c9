//! Thumb-2 machine code, as far as its price depends on it: what kind of instruction it is and which registers it joins.
//!
//! Covers what an ARMv7E-M core with single-precision floating point executes (ARM DDI 0403E, A5 and A6). It is no
//! disassembler: operands that no price depends on are not looked at.

use super::float;

/// Core registers, one bit each: bit 13 is the stack pointer, bit 15 the program counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers(pub u16);

impl Registers {
    /// None.
    pub const NONE: Self = Self(0);
    /// The stack pointer.
    pub const STACK_POINTER: Self = Self(1 << 13);
    /// The program counter.
    pub const PROGRAM_COUNTER: Self = Self(1 << 15);

    /// The register whose number is in the four bits of `code` from `bit` up.
    pub(super) fn wide(code: u16, bit: u32) -> Self {
        Self(1 << (code >> bit & 15))
    }

    /// The register whose number is in the three bits of `code` from `bit` up.
    fn low(code: u16, bit: u32) -> Self {
        Self(1 << (code >> bit & 7))
    }

    /// Those of either.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of `self` alone.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether some register is in both.
    pub fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Kinds of instructions that are priced alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Data processing, DSP and multiplication with a 32 or 64-bit result; whatever else goes straight on.
    Simple,
    /// `SDIV`, `UDIV`.
    Divide,
    /// A load of one core register.
    Load,
    /// A store of one core register.
    Store {
        /// Whether its address is a sum of two registers.
        register_offset: bool,
    },
    /// A load or store of several core registers, or of floating-point registers.
    Multiple {
        /// Words moved.
        words: u32,
    },
    /// A branch that may be taken: its counts tell.
    Branch {
        /// Whether it leaves its return address behind.
        call: bool,
    },
    /// `TBB`, `TBH`.
    TableBranch,
    /// `IT`, before instructions that may be skipped.
    Condition {
        /// How many.
        instructions: u32,
    },
    /// Floating-point arithmetic, and moves between the two kinds of registers.
    Float {
        /// Its price.
        cycles: u32,
    },
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Its kind.
    pub class: Class,
    /// Core registers that get a result: of data processing, of a load.
    pub writes: Registers,
    /// Core registers that an address is made of.
    pub address: Registers,
}

impl Instruction {
    pub(super) fn new(class: Class, writes: Registers) -> Self {
        let address = Registers::NONE;
        Self { class, writes, address }
    }

    pub(super) fn at(mut self, address: Registers) -> Self {
        self.address = address.without(Registers::PROGRAM_COUNTER);
        self
    }
}

/// Decodes the instruction that begins with `code[0]`; `code[1]` is looked at if it is a 32-bit one.
///
/// `None` if ARMv7E-M has no such instruction.
pub fn decode(code: [u16; 2]) -> Option<Instruction> {
    match code[0] >> 11 {
        0b11101..=0b11111 => long(code[0], code[1]),
        _ => short(code[0]),
    }
}

/// Data processing with that result. One that writes the program counter is a branch.
fn simple(writes: Registers) -> Instruction {
    match writes {
        Registers::PROGRAM_COUNTER => Instruction::new(Class::Branch { call: false }, Registers::NONE),
        _ => Instruction::new(Class::Simple, writes),
    }
}

fn quiet(class: Class) -> Option<Instruction> {
    Some(Instruction::new(class, Registers::NONE))
}

fn short(code: u16) -> Option<Instruction> {
    Some(match code >> 12 {
        0b0000 | 0b0001 => simple(Registers::low(code, 0)),
        0b0010 | 0b0011 => match code >> 11 & 3 {
            0b01 => simple(Registers::NONE), // CMP
            _ => simple(Registers::low(code, 8)),
        },
        0b0100 => match code >> 10 & 3 {
            0b00 => match code >> 6 & 15 {
                0b1000 | 0b1010 | 0b1011 => simple(Registers::NONE), // TST, CMP, CMN
                _ => simple(Registers::low(code, 0)),
            },
            0b01 => match code >> 8 & 3 {
                0b01 => simple(Registers::NONE), // CMP
                0b11 => {
                    return quiet(Class::Branch {
                        call: code & 1 << 7 != 0,
                    });
                }
                _ => simple(Registers(1 << (code & 7 | code >> 4 & 8))),
            },
            _ => Instruction::new(Class::Load, Registers::low(code, 8)), // of a literal
        },
        0b0101 => {
            let address = Registers::low(code, 3).and(Registers::low(code, 6));
            match code >> 9 & 7 {
                0..=2 => Instruction::new(Class::Store { register_offset: true }, Registers::NONE),
                _ => Instruction::new(Class::Load, Registers::low(code, 0)),
            }
            .at(address)
        }
        0b0110..=0b1000 => one(code & 1 << 11 != 0, Registers::low(code, 0)).at(Registers::low(code, 3)),
        0b1001 => one(code & 1 << 11 != 0, Registers::low(code, 8)).at(Registers::STACK_POINTER),
        0b1010 => simple(Registers::low(code, 8)), // ADR, ADD to SP
        0b1011 => return miscellaneous(code),
        0b1100 => several(code & 1 << 11 != 0, code & 0xff).at(Registers::low(code, 8)),
        0b1101 if code >> 8 & 15 >= 14 => return quiet(Class::Simple), // UDF, SVC
        0b1101 | 0b1110 => return quiet(Class::Branch { call: false }),
        _ => return None,
    })
}

fn miscellaneous(code: u16) -> Option<Instruction> {
    Some(match code >> 8 & 15 {
        0b0000 => simple(Registers::STACK_POINTER), // ADD, SUB
        0b0001 | 0b0011 | 0b1001 | 0b1011 => return quiet(Class::Branch { call: false }), // CBZ, CBNZ
        0b0010 | 0b1010 => simple(Registers::low(code, 0)), // SXTB and the like, REV and the like
        0b0100 | 0b0101 => several(false, code & 0xff | code << 6 & 1 << 14).at(Registers::STACK_POINTER),
        0b1100 | 0b1101 => several(true, code & 0xff | code << 7 & 1 << 15).at(Registers::STACK_POINTER),
        0b1111 if code & 15 != 0 => {
            return quiet(Class::Condition {
                instructions: 4 - (code & 15).trailing_zeros(),
            });
        }
        0b0110 | 0b1110 | 0b1111 => return quiet(Class::Simple), // CPS, BKPT, hints
        _ => return None,
    })
}

/// A load or store of one register, at an address that is no sum of registers.
fn one(load: bool, register: Registers) -> Instruction {
    match load {
        true => Instruction::new(Class::Load, register),
        false => Instruction::new(Class::Store { register_offset: false }, Registers::NONE),
    }
}

/// A load or store of a list of registers.
fn several(load: bool, list: u16) -> Instruction {
    let class = Class::Multiple {
        words: list.count_ones(),
    };
    Instruction::new(class, if load { Registers(list) } else { Registers::NONE })
}

fn long(first: u16, second: u16) -> Option<Instruction> {
    let result = Registers::wide(second, 8);
    Some(match (first >> 11 & 3, first >> 4 & 0x7f) {
        (0b01, op) if op & 0b110_0100 == 0b000_0000 => match op >> 3 & 3 {
            0b01 | 0b10 => several(op & 1 != 0, second).at(Registers::wide(first, 0)),
            _ => return None,
        },
        (0b01, op) if op & 0b110_0100 == 0b000_0100 => return double_or_exclusive(first, second),
        (0b01, op) if op & 0b110_0000 == 0b010_0000 => compared_or(result),
        (0b01 | 0b11, op) if op & 0b100_0000 != 0 => return float::decode(first, second),
        (0b10, _) if second & 1 << 15 != 0 => return branch_or_control(first, second),
        (0b10, op) if op & 0b010_0000 == 0 => compared_or(result),
        (0b10, _) => simple(result),
        (0b11, op) if op & 0b111_0001 == 0 => store(first, second),
        (0b11, op) if op & 0b110_0001 == 1 && op & 0b000_0110 != 0b000_0110 => load(first, second),
        (0b11, op) if op & 0b111_1000 == 0b011_1000 => return long_multiply_or_divide(first, second),
        (0b11, op) if op & 0b110_0000 == 0b010_0000 => simple(result),
        _ => return None,
    })
}

/// Data processing whose result goes to the flags alone if it would go to the program counter: `CMP`, `TST` and the like.
fn compared_or(result: Registers) -> Instruction {
    Instruction::new(Class::Simple, result.without(Registers::PROGRAM_COUNTER))
}

fn double_or_exclusive(first: u16, second: u16) -> Option<Instruction> {
    let (base, target) = (Registers::wide(first, 0), Registers::wide(second, 12));
    let load = first & 1 << 4 != 0;
    if first & (1 << 8 | 1 << 5) != 0 {
        let class = Class::Multiple { words: 2 };
        let both = target.and(Registers::wide(second, 8));
        return Some(Instruction::new(class, if load { both } else { Registers::NONE }).at(base));
    }
    let table = first & 1 << 7 != 0 && load && matches!(second >> 4 & 15, 0 | 1);
    match table {
        true => quiet(Class::TableBranch),
        false => Some(one(load, target).at(base)),
    }
}

fn branch_or_control(first: u16, second: u16) -> Option<Instruction> {
    match (second >> 14 & 1, second >> 12 & 1) {
        (1, _) => quiet(Class::Branch { call: true }),
        (0, 1) => quiet(Class::Branch { call: false }),
        _ if first >> 7 & 7 != 7 => quiet(Class::Branch { call: false }),
        _ if first >> 5 & 0x3f == 0b01_1111 => Some(simple(Registers::wide(second, 8))), // MRS
        _ => quiet(Class::Simple),                                                       // MSR, hints, barriers
    }
}

/// Whether the address of a load or store of one register is a sum of registers.
fn has_register_offset(first: u16, second: u16) -> bool {
    first & 1 << 7 == 0 && second >> 6 & 0x3f == 0
}

fn address_of_one(first: u16, second: u16) -> Registers {
    let base = Registers::wide(first, 0);
    match has_register_offset(first, second) && base != Registers::PROGRAM_COUNTER {
        true => base.and(Registers::wide(second, 0)),
        false => base,
    }
}

fn store(first: u16, second: u16) -> Instruction {
    let register_offset = has_register_offset(first, second);
    Instruction::new(Class::Store { register_offset }, Registers::NONE).at(address_of_one(first, second))
}

fn load(first: u16, second: u16) -> Instruction {
    let target = Registers::wide(second, 12);
    let word = first >> 5 & 3 == 0b10;
    match target {
        Registers::PROGRAM_COUNTER if !word => simple(Registers::NONE), // PLD, PLI
        _ => Instruction::new(Class::Load, target).at(address_of_one(first, second)),
    }
}

fn long_multiply_or_divide(first: u16, second: u16) -> Option<Instruction> {
    let high = Registers::wide(second, 8);
    match (first >> 4 & 7, second >> 4 & 15) {
        (0b001 | 0b011, 0b1111) => Some(Instruction::new(Class::Divide, high)),
        (0b000 | 0b010 | 0b100 | 0b101 | 0b110, _) => Some(simple(high.and(Registers::wide(second, 12)))),
        _ => None,
    }
}
