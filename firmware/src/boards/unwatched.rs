//! A board without a watchdog.

use super::watchdog::Watchdog;

/// The watchdog of a board that has none, or none that QEMU models.
pub struct NoWatchdog;

impl Watchdog for NoWatchdog {
    fn exception(&self) -> u32 {
        0
    }

    fn warnings(&self) -> u32 {
        1
    }

    fn start(&self) {}

    fn fed(&self) {}
}
