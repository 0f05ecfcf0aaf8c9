//! The kernels' inner loops in assembly give the same bytes as those in plain Rust, on the target itself.

use trident_host::device::{self, Board};
use trident_host::toolchain::{Image, Toolchain};

/// One board per core that has the instructions.
const BOARDS: [&str; 4] = ["mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"];

/// The image compares thousands of drawn cases of every inner loop and ends with another status than 0 at the first difference.
#[test]
fn assembly_equals_plain_rust_on_the_target() {
    let toolchain = Toolchain::new().expect("the sources are there");
    for name in BOARDS {
        let board = Board::named(name).expect("a board");
        let emulator = toolchain.qemu(board).unwrap_or_else(|error| panic!("{error}"));
        let image = toolchain
            .image(board, Image::Selftest)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Err(error) = device::run_to_end(&emulator, board, &image, &[0; 16], &[]) {
            panic!("{name}: {error}");
        }
    }
}
