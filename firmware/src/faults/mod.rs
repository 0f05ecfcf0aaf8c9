//! When the program cannot go on: say why, remember it, start anew.
//!
//! ```text
//! panic ────────────┐
//! HardFault ────────┤                                                ┌─► serve the model
//! stack overflow ───┼─► keep a record in RAM ─► log it ─► reset ─► boot, log the record
//! hang ─► watchdog ─┘                                                └─► SAFE_AFTER in a row: serve without a model
//! ```
//! A stack overflow is a `HardFault` whose cause is the guard at the stack's end (see `cortex_m` and `riscv`). A watchdog warns by an interrupt
//! first; only if even that is not handled does it reset without a record.
//!
//! The count of faults in a row ends with the first request that is answered. Without that, a model or an input that brings the
//! program down at every boot would do so for ever; in the safe state the device answers, and takes an update.

#[cfg(all(target_os = "none", target_arch = "arm"))]
mod cortex_m;
#[cfg(target_os = "none")]
mod kept;
mod record;
#[cfg(target_os = "none")]
mod recovery;
#[cfg(all(target_os = "none", target_arch = "riscv32"))]
mod riscv;

#[cfg(all(target_os = "none", target_arch = "arm"))]
use self::cortex_m as architecture;
#[cfg(all(target_os = "none", target_arch = "riscv32"))]
use self::riscv as architecture;

#[cfg(target_os = "none")]
pub use self::recovery::{answered, fed, safe_state, start, told};
