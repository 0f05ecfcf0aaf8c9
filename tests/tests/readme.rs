//! What the README shows is what the sources hold. `BLESS=1` rewrites the example in it.

use std::path::Path;
use std::process::{Command, Stdio};

use trident_host::config::Config;
use trident_host::device::BOARDS;
use trident_host::toolchain::{Image, Toolchain};
use trident_tests::golden::workspace;
use trident_tests::readme::{assert_shows, readme};

#[test]
fn the_configuration_in_the_readme_is_one() {
    let readme = readme();
    let (_, rest) = readme
        .split_once("```toml\n")
        .expect("the README shows a configuration");
    let toml = rest.split_once("```").expect("it ends").0;
    let config = Config::parse(toml, Path::new("trident.toml")).expect("it is valid");
    assert!(config.classification.is_some() && config.segmentation.is_some() && config.regression.is_some());
}

#[test]
fn the_firmware_in_the_readme_is_the_example() {
    let source =
        std::fs::read_to_string(workspace().join("firmware/examples/three_heads.rs")).expect("the example is there");
    let (_, body) = source.split_once("mod device {\n").expect("the example's device part");
    let body = body.rsplit_once("\n}").expect("it ends").0;
    let lines = body.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    let expected = format!(
        "```rust\n#![no_std]\n#![no_main]\n{}\n```\n",
        lines.collect::<Vec<_>>().join("\n")
    );
    assert_shows("example", &expected);
}

#[test]
fn the_example_runs_under_qemu() {
    let toolchain = Toolchain::new().expect("the sources are there");
    let board = &BOARDS[0];
    let example = toolchain.image(board, Image::Example).expect("the example builds");
    let output = Command::new(toolchain.qemu(board).expect("QEMU is there"))
        .args(["-M", board.qemu_machine, "-nographic", "-monitor", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(example)
        .stdin(Stdio::null())
        .output()
        .expect("QEMU runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the example fails: {log}");
    assert!(!output.stdout.is_empty(), "the example logs its three answers");
}
