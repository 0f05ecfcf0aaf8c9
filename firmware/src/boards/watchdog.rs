//! What resets a board whose program no longer goes on.

/// A watchdog: warns by an interrupt when it was not fed for a period, and resets the board if nothing withdraws the warning
/// within another.
///
/// A program counts as hung after some warnings in a row. One period would not do: by QEMU's virtual clock an instruction takes
/// a microsecond, so that checking and loading a model of many megabytes takes minutes.
pub trait Watchdog {
    /// The number of the exception by which it warns; 0 if it never does.
    fn exception(&self) -> u32;

    /// How many warnings in a row mean that the program hangs.
    fn warnings(&self) -> u32;

    /// Starts it.
    fn start(&self);

    /// Withdraws a warning and begins a new period.
    fn fed(&self);
}
