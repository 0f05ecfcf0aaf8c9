//! Runs a peer's inference twice: the second time, with whatever it allocates once in place, is the one that is traced.

use core::cell::UnsafeCell;

use cortex_m as _; // the critical section that an allocator asks for
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    crate::prepare();
    crate::trident_peer_run();
    crate::trident_peer_run();
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(1)
}

/// Memory that the compiler cannot know the contents of. There is one core and no interrupt, and each is used by one function.
#[repr(C, align(16))]
pub struct Memory<T>(UnsafeCell<T>);

// SAFETY: see above.
unsafe impl<T> Sync for Memory<T> {}

impl<T> Memory<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[allow(clippy::mut_from_ref)]
    pub fn get(&self) -> &mut T {
        // SAFETY: see above.
        unsafe { &mut *core::hint::black_box(self.0.get()) }
    }
}

/// A sequence of numbers that looks random (Marsaglia's xorshift).
pub struct Random(pub u32);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}
