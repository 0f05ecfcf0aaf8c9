//! From reset to the exit status.

// Linked for what they provide: critical sections, and the logger that the board's linker script asks for.
use cortex_m as _;
use defmt_semihosting as _;

use core::panic::PanicInfo;

use semihosting::println;
use semihosting::process::exit;

use static_cell::ConstStaticCell;

use crate::buffers::Buffers;
use crate::figures::Instructions;
use crate::random::Random;

/// Exit status of a mismatch.
const MISMATCH: i32 = 101;

/// A module's name, its comparison, which gives the count of cases and panics on a difference, and its figures.
type Module = (
    &'static str,
    fn(&mut Random, &mut Buffers) -> u32,
    fn(&Instructions, &mut Buffers),
);

const MODULES: [Module; 8] = [
    ("bytes", crate::bytes::compare, crate::bytes::figures),
    ("linear", crate::linear::compare, crate::linear::figures),
    ("layers", crate::layers::compare, crate::layers::figures),
    ("narrow", crate::narrow::compare, crate::narrow::figures),
    ("tile", crate::tile::compare, crate::tile::figures),
    ("depthwise", crate::depthwise::compare, crate::depthwise::figures),
    ("upsample", crate::upsample::compare, crate::upsample::figures),
    ("winograd", crate::winograd::compare, crate::winograd::figures),
];

static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());

#[cortex_m_rt::entry]
fn main() -> ! {
    let (mut random, buffers) = (Random::new(), BUFFERS.take());
    for (name, compare, _) in MODULES {
        println!("{name}: {} cases equal", compare(&mut random, buffers));
    }
    let instructions = Instructions::start();
    for (_, _, figures) in MODULES {
        figures(&instructions, buffers);
    }
    exit(0)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    exit(MISMATCH)
}
