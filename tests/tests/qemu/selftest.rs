//! The kernels' inner loops in assembly give the same bytes as those in plain Rust, on the target itself.

use trident_host::device;
use trident_host::toolchain::{Image, Toolchain};

use super::BOARD;

/// The image compares thousands of drawn cases of every inner loop and ends with another status than 0 at the first difference.
#[test]
fn assembly_equals_plain_rust_on_the_target() {
    let toolchain = Toolchain::new().expect("the sources are there");
    let image = toolchain
        .image(BOARD, Image::Selftest)
        .unwrap_or_else(|error| panic!("{error}"));
    let emulator = toolchain.qemu().unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = device::run_to_end(&emulator, BOARD, &image, &[0; 16], &[]) {
        panic!("{error}");
    }
}

/// The README's example checks, loads, tests and runs the model that is linked into it.
#[test]
fn the_example_of_the_readme_runs() {
    let toolchain = Toolchain::new().expect("the sources are there");
    let image = toolchain
        .image(BOARD, Image::Example)
        .unwrap_or_else(|error| panic!("{error}"));
    let emulator = toolchain.qemu().unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = device::run_to_end(&emulator, BOARD, &image, &[0; 16], &[]) {
        panic!("{error}");
    }
}
