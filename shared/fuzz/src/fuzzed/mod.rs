//! What must hold for any bytes: of a [`blob`](blob()), of a stream of [`frames`](frames()), of a flash with [`slots`](slots()).
//!
//! Each is a function of any bytes that panics where a promise is broken. The fuzz targets of `shared/fuzz` call it on bytes that libFuzzer
//! makes up, the tests on those that are kept in `shared/fuzz/corpus`.

mod blob;
mod frames;
mod memory;
mod portions;
mod slots;

pub use blob::{blob, shallow_reason};
pub use frames::frames;
pub use slots::slots;
