//! Peripherals of ARM's Cortex-M System Design Kit, which the MPS boards have.

#[cfg(not(feature = "board-mps3-an547"))]
mod timer;
mod uart;
mod watchdog;

#[cfg(not(feature = "board-mps3-an547"))]
pub use timer::TimerCounter;
pub use uart::Uart;
pub use watchdog::ApbWatchdog;
