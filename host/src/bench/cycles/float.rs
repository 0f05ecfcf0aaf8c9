//! Instructions of the floating-point unit (FPv4-SP, ARM DDI 0403E, A6), and their prices.

use super::decode::{Class, Instruction, Registers};

/// A sum, a product, a comparison, a conversion, a move of one word.
const ONE: u32 = 1;
/// A move of two words between core and floating-point registers.
const PAIR: u32 = 2;
/// A product that is added.
const MULTIPLY_ADD: u32 = 3;
/// A quotient, a square root.
const QUOTIENT: u32 = 14;

/// Decodes a coprocessor instruction; `None` if it is not the floating-point unit's.
pub(super) fn decode(first: u16, second: u16) -> Option<Instruction> {
    let ours = second >> 9 & 7 == 0b101 && first & 1 << 12 == 0;
    if !ours {
        return None;
    }
    match first >> 8 & 15 {
        0b1110 if second & 1 << 4 != 0 => Some(one_word(first, second)),
        0b1110 => arithmetic(first, second),
        0b1100 | 0b1101 => memory(first, second),
        _ => None,
    }
}

fn memory(first: u16, second: u16) -> Option<Instruction> {
    let is = |bit: u32| first & 1 << bit != 0;
    let (before, up, double, back, load) = (is(8), is(7), is(6), is(5), is(4));
    if !before && !up {
        let both = Registers::wide(second, 12).and(Registers::wide(first, 0));
        let to_core = if load { both } else { Registers::NONE };
        return (double && !back).then(|| Instruction::new(Class::Float { cycles: PAIR }, to_core));
    }
    let words = match before && !back {
        true => 1 + u32::from(second >> 8 & 1),
        false => u32::from(second & 0xff),
    };
    Some(Instruction::new(Class::Multiple { words }, Registers::NONE).at(Registers::wide(first, 0)))
}

fn one_word(first: u16, second: u16) -> Instruction {
    let to_core = first & 1 << 4 != 0;
    // VMRS to the program counter's number goes to the flags.
    let target = Registers::wide(second, 12).without(Registers::PROGRAM_COUNTER);
    Instruction::new(
        Class::Float { cycles: ONE },
        if to_core { target } else { Registers::NONE },
    )
}

fn arithmetic(first: u16, second: u16) -> Option<Instruction> {
    let square_root = first & 15 == 0b0001 && second >> 6 & 3 == 0b11;
    let cycles = match (first >> 7 & 1, first >> 4 & 3) {
        (0, 0b00 | 0b01) | (1, 0b01 | 0b10) => MULTIPLY_ADD,
        (1, 0b00) => QUOTIENT,
        (1, 0b11) if square_root => QUOTIENT,
        _ => ONE,
    };
    Some(Instruction::new(Class::Float { cycles }, Registers::NONE))
}
