//! From a fault to the reset, and what boot makes of it.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use trident::wire::{Faults, Text, text};

use super::record::{History, Kind, Record};
use super::{architecture, kept};
use crate::boards::{Board, Chosen, Watchdog};
use crate::start;

/// So many faults without an answered request between them, and no model is loaded any more.
const SAFE_AFTER: u32 = 3;

/// Whether a fault is being dealt with: another one on the way changes nothing.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Whether this boot has answered a request.
static ANSWERED: AtomicBool = AtomicBool::new(false);
/// Warnings of the watchdog since it was fed.
static WARNINGS: AtomicU32 = AtomicU32::new(0);

/// Guards the stack, starts the watchdog, and logs what ended the program before. To be called as soon as the board is started: on
/// one, counter and watchdog are the same timer.
pub fn start() {
    architecture::guard_stack();
    Chosen::WATCHDOG.start();
    if let Some(History { last, total, in_a_row }) = kept::read() {
        defmt::warn!(
            "back after fault {=u32}, {=u32} in a row: {}",
            total,
            in_a_row,
            defmt::Display2Format(&last)
        );
    }
}

/// What a host is told of the faults since power came on.
pub fn told() -> Faults {
    kept::read().map_or_else(Faults::default, |History { last, total, .. }| Faults {
        total,
        last: text(last),
    })
}

/// The reason why no model should be loaded, if there is one.
pub fn safe_state() -> Option<Text> {
    let History { last, in_a_row, .. } = kept::read()?;
    (in_a_row >= SAFE_AFTER).then(|| text(format_args!("safe state after {in_a_row} faults in a row: {last}")))
}

/// The program does its work: the watchdog may wait as long again.
pub fn fed() {
    WARNINGS.store(0, Ordering::Relaxed);
    Chosen::WATCHDOG.fed();
}

/// A request has been answered: whatever comes now is not the same fault at every boot.
pub fn answered() {
    if ANSWERED.load(Ordering::Relaxed) {
        return;
    }
    ANSWERED.store(true, Ordering::Relaxed);
    if let Some(history) = kept::read() {
        kept::write(&History { in_a_row: 0, ..history });
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let message = match info.location() {
        // The last two parts of the path name the file well enough, and leave room for the words.
        Some(location) => {
            let path = location.file();
            let file = path
                .rmatch_indices('/')
                .nth(1)
                .map_or(path, |(slash, _)| &path[slash + 1..]);
            text(format_args!("{file}:{}: {}", location.line(), info.message()))
        }
        None => text(info.message()),
    };
    end(Record {
        kind: Kind::Panic,
        pc: None,
        lr: None,
        message,
    })
}

/// An interrupt: the watchdog's, or one that should not be. Returns if the program may go on.
#[cfg_attr(target_arch = "riscv32", expect(dead_code, reason = "no interrupt is enabled there"))]
pub(super) fn interrupted(number: u32, pc: u32, lr: u32) {
    let (kind, message) = if number == Chosen::WATCHDOG.exception() {
        let warnings = WARNINGS.load(Ordering::Relaxed) + 1;
        if warnings < Chosen::WATCHDOG.warnings() {
            WARNINGS.store(warnings, Ordering::Relaxed);
            return Chosen::WATCHDOG.fed();
        }
        (Kind::Watchdog, Text::new())
    } else {
        (Kind::Interrupt, text(format_args!("exception {number}")))
    };
    end(Record {
        kind,
        pc: Some(pc),
        lr: Some(lr),
        message,
    })
}

/// Keeps the record, logs it, and resets.
pub(super) fn end(record: Record) -> ! {
    if !ENDING.load(Ordering::Relaxed) {
        ENDING.store(true, Ordering::Relaxed);
        // First, since logging takes time and may itself fail.
        kept::write(&History::after(kept::read().as_ref(), record.clone()));
        defmt::error!("{}", defmt::Display2Format(&record));
    }
    start::reset()
}
