//! Hands the board's memory map and the linker scripts to the linker.

use std::path::PathBuf;
use std::{env, fs};

/// The boards' features, as Cargo passes them to a build script, their folders, and the lines of their interrupt controllers, for each
/// of which a Cortex-M takes a vector.
const BOARDS: [(&str, &str, usize); 9] = [
    ("CARGO_FEATURE_BOARD_MPS2_AN385", "mps2", 32),
    ("CARGO_FEATURE_BOARD_MPS2_AN386", "mps2", 32),
    ("CARGO_FEATURE_BOARD_MPS2_AN500", "mps2", 64),
    ("CARGO_FEATURE_BOARD_MPS2_AN505", "mps2_an505", 124),
    ("CARGO_FEATURE_BOARD_MPS3_AN547", "mps3_an547", 128),
    ("CARGO_FEATURE_BOARD_NETDUINOPLUS2", "netduinoplus2", 96),
    ("CARGO_FEATURE_BOARD_LM3S6965EVB", "lm3s6965evb", 64),
    ("CARGO_FEATURE_BOARD_MICROBIT", "microbit", 32),
    ("CARGO_FEATURE_BOARD_VIRT_RISCV32", "virt_riscv32", 0),
];

/// Architectures of the cores, and what the names of the compiler's targets for them begin with.
const ARCHITECTURES: [(&str, &str); 3] = [
    ("armv6m", "thumbv6m"),
    ("armv7m", "thumbv7"),
    ("armv8m", "thumbv8m.main"),
];

fn main() {
    println!("cargo:rerun-if-changed=src/boards");
    println!("cargo:rerun-if-env-changed=TRIDENT_PUBLIC_KEY");
    let target = env::var("TARGET").expect("Cargo sets TARGET");
    for (architecture, prefix) in ARCHITECTURES {
        println!("cargo:rustc-check-cfg=cfg({architecture})");
        if target.starts_with(prefix) {
            println!("cargo:rustc-cfg={architecture}");
        }
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let chosen: Vec<_> = BOARDS
        .iter()
        .filter(|(feature, ..)| env::var_os(feature).is_some())
        .collect();
    let [(_, folder, interrupts)] = chosen[..] else {
        panic!("choose exactly one board feature, not {}", chosen.len());
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    let memory = format!("src/boards/{folder}/memory.x");
    fs::copy(&memory, out.join("memory.x")).unwrap_or_else(|error| panic!("{memory}: {error}"));
    println!("cargo:rustc-env=TRIDENT_INTERRUPTS={interrupts}");
    // `link.x` of cortex-m-rt asks for handlers that belong to one device; all boards leave theirs to the default one.
    fs::write(out.join("device.x"), "").unwrap_or_else(|error| panic!("device.x: {error}"));
    println!("cargo:rustc-link-search={}", out.display());
    for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
