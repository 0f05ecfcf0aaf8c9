//! `netduinoplus2`: a board with an STM32F405 (Cortex-M4F), as QEMU models it: 1 MB of flash, 128 KB of RAM. The emulated USART
//! and flash are there; clocks, pins and watchdogs are not, so a real board needs its clock and pin set-up besides, and here nothing ends a hang.
//!
//! ```text
//! 0x0800_0000  image, 512 KB       0x2000_0000  stack, 12 KB         0x4000_0000  TIM2
//! 0x0808_0000  slots, 512 KB       0x2000_3000  statics, 116 KB      0x4001_1000  USART1
//! ```

mod counter;
mod memory;
mod uart;

use trident::slots::FlashMap;

use super::polled::Polled;
use super::rom::Rom;
use super::unwatched::NoWatchdog;
use super::{Board, rom_map};
use counter::Timer;
use uart::Uart;

/// The board.
pub enum NetduinoPlus2 {}

impl Board for NetduinoPlus2 {
    const NAME: &'static str = "netduinoplus2";
    const ARENA_LEN: usize = 64 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    const MAP: FlashMap = rom_map(256 << 10);
    type Flash = Rom;
    type Link = Polled<Uart>;
    type Counter = Timer;
    type Watchdog = NoWatchdog;
    const WATCHDOG: NoWatchdog = NoWatchdog;

    fn flash() -> Rom {
        Rom(memory::flash())
    }

    fn start() -> (Self::Link, Timer) {
        (Polled(Uart::new(memory::USART1)), Timer::new(memory::TIM2))
    }
}
