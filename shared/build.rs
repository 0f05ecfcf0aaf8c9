//! Says whether the target has the SIMD instructions of Armv7E-M (`cfg(dsp)`), since `cfg(target_feature = "dsp")` is never set on
//! stable Rust, whether it has floating-point registers besides (`cfg(fpu)`), and whether it has Helium (`cfg(helium)`), of which the
//! compiler makes use by itself.
//!
//! Cores of Armv8-M share one target's name with cores that have neither: there the compiler must be told the core
//! (`-C target-cpu=cortex-m33`, `cortex-m55`, `cortex-m85`).

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(dsp, fpu, helium)");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_core = |name: &str| flags.contains(&format!("target-cpu={name}"));
    let is_v8m = target.starts_with("thumbv8m.main-");
    let switched_off = flags.contains("-dsp") || flags.contains("nodsp");
    let helium = is_v8m && (is_core("cortex-m55") || is_core("cortex-m85"));
    let dsp = target.starts_with("thumbv7em-") || (helium || is_v8m && is_core("cortex-m33")) && !switched_off;
    if dsp {
        println!("cargo:rustc-cfg=dsp");
    }
    if dsp && target.ends_with("hf") {
        println!("cargo:rustc-cfg=fpu");
    }
    if dsp && helium {
        println!("cargo:rustc-cfg=helium");
    }
}
