//! Says whether the target has the SIMD instructions of Armv7E-M, since `cfg(target_feature = "dsp")` is never set on stable Rust.
//!
//! A Cortex-M33 has them too, but shares its target's name with cores that do not: there the compiler must be told of it
//! (`-C target-cpu=cortex-m33`). A Cortex-M55 has better ones, which the compiler makes of plain loops.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(dsp)");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let switched_off = flags.contains("-dsp") || flags.contains("nodsp");
    let m33 = target.starts_with("thumbv8m.main-") && flags.contains("target-cpu=cortex-m33");
    if target.starts_with("thumbv7em-") || m33 && !switched_off {
        println!("cargo:rustc-cfg=dsp");
    }
}
