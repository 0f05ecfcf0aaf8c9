//! What executed instructions cost on a Cortex-M4 whose memories answer without wait states.
//!
//! Prices are ARM's published timings (ARM 100166, Cortex-M4 Technical Reference Manual, instruction set summary and
//! load/store timings), in cycles:
//!
//! | instructions | price |
//! |---|---|
//! | data processing, DSP, multiplication, 64-bit accumulation | 1 |
//! | division | 7, in the middle of 2 to 12 |
//! | load of one register | 2, or 1 right after another one that its address does not need |
//! | store of one register | 1; with an address that is a sum of registers, as a load |
//! | load or store of N words: `LDM`, `LDRD`, `PUSH`, `VLDR` and the like | 1 + N |
//! | branch | 1, and 2 more when taken, as for anything else that loads the program counter |
//! | table branch | 6 |
//! | floating point: sum, product, comparison, conversion | 1 |
//! | floating point: product that is added; quotient or square root | 3; 14 |
//! | moves between core and floating-point registers: one word, two | 1, 2 |
//! | `IT` | 1 |
//! | an address made of a register that data processing wrote right before | 1 more |
//! | an unaligned access | 1 more per further transfer |
//!
//! An instruction that an `IT` skips is priced as if it were executed. Not modelled: flash wait states and caches, waits for
//! the bus, interrupts, an `IT` that is folded into the instruction before it, floating-point results that are waited for.

use super::counts::Count;
use super::decode::{Class, Instruction, Registers, decode};

/// Cycles to fill the pipeline at the target of a branch.
const REFILL: u64 = 2;
const DIVISION: u64 = 7;
const TABLE_BRANCH: u64 = 4 + REFILL;

/// An executed instruction that is not one of ARMv7E-M, or that the image does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the instruction at {address:#x} has no price")]
pub struct Unpriced {
    /// Where it lies.
    pub address: u32,
}

/// Cycles of each instruction, for all its executions.
///
/// `counts` are in ascending order; `code` gives the two halfwords from an address on.
///
/// # Errors
/// [`Unpriced`].
pub fn price(counts: &[Count], code: impl Fn(u32) -> Option<[u16; 2]>) -> Result<Vec<u64>, Unpriced> {
    let mut before: Option<Before> = None;
    let mut conditional = 0;
    let mut prices = Vec::with_capacity(counts.len());
    for count in counts {
        let address = count.address;
        let instruction = code(address).and_then(decode).ok_or(Unpriced { address })?;
        before = before.filter(|before| before.count.end() == address);
        conditional = before.map_or(0, |_| conditional);
        prices.push(cycles(count, &instruction, before.as_ref()));
        before = Some(Before {
            count: *count,
            instruction,
            conditional: conditional > 0,
        });
        conditional = match instruction.class {
            Class::Condition { instructions } => instructions,
            _ => conditional.saturating_sub(1),
        };
    }
    Ok(prices)
}

/// The instruction that lies right before another one.
#[derive(Clone, Copy)]
struct Before {
    count: Count,
    instruction: Instruction,
    /// Whether it may have been skipped.
    conditional: bool,
}

fn cycles(count: &Count, instruction: &Instruction, before: Option<&Before>) -> u64 {
    let executions = count.executions;
    let own = match instruction.class {
        Class::Simple | Class::Condition { .. } => executions,
        Class::Divide => DIVISION * executions,
        Class::Store { register_offset: false } => executions,
        Class::Load | Class::Store { register_offset: true } => 2 * executions - overlapped(count, instruction, before),
        Class::Multiple { words } => (1 + u64::from(words)) * executions,
        Class::Branch { .. } => executions,
        Class::TableBranch => TABLE_BRANCH * executions,
        Class::Float { cycles } => u64::from(cycles) * executions,
    };
    let jumps =
        matches!(instruction.class, Class::Branch { .. }) || instruction.writes.meet(Registers::PROGRAM_COUNTER);
    let refills = if jumps { REFILL * count.departures } else { 0 };
    own + refills + awaited_addresses(count, instruction, before) + count.extra_transfers
}

/// How often it overlapped a load right before it.
fn overlapped(count: &Count, instruction: &Instruction, before: Option<&Before>) -> u64 {
    let overlaps = |before: &&Before| {
        let load = before.instruction.class == Class::Load && !before.conditional;
        load && !before.instruction.writes.meet(instruction.address)
    };
    before.filter(overlaps).map_or(0, |before| passages(before, count))
}

/// How often its address waited for data processing right before it.
fn awaited_addresses(count: &Count, instruction: &Instruction, before: Option<&Before>) -> u64 {
    let waits = |before: &&Before| {
        let processing = before.instruction.class == Class::Simple;
        processing && before.instruction.writes.meet(instruction.address)
    };
    before.filter(waits).map_or(0, |before| passages(before, count))
}

/// How often execution passed from one to the next. An emulator that ends amid a pass would count one too many.
fn passages(before: &Before, count: &Count) -> u64 {
    before.count.passages().min(count.executions)
}
