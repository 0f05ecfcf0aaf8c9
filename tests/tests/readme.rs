//! What the README shows is what the sources hold. `BLESS=1` rewrites the example in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use trident_host::config::Config;
use trident_host::device::BOARDS;
use trident_host::toolchain::{Image, Toolchain};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README is there")
}

/// What stands between a marker's two comments.
fn block<'r>(readme: &'r str, marker: &str) -> &'r str {
    let (_, rest) = readme
        .split_once(&format!("<!-- {marker} -->\n"))
        .expect("the block begins");
    rest.split_once(&format!("<!-- /{marker} -->"))
        .expect("the block ends")
        .0
}

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
        std::fs::read_to_string(root().join("firmware/examples/three_heads.rs")).expect("the example is there");
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
fn the_boards_in_the_readme_are_the_hosts() {
    let mut table =
        "| board | core | flash for the image | RAM | arena | slots for a blob |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for board in BOARDS {
        let slots: Vec<String> = board
            .slots
            .iter()
            .map(|slot| format!("{} of {}", size(slot.len), slot.name))
            .collect();
        table.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            board.name,
            board.core,
            size(board.flash_len),
            size(board.ram_len),
            size(board.arena_len),
            slots.join(", ")
        ));
    }
    assert_shows("boards", &table);
}

/// `len` bytes in KB or MB.
fn size(len: usize) -> String {
    if len < 1 << 20 {
        format!("{} KB", len >> 10)
    } else {
        format!("{} MB", len >> 20)
    }
}

/// The README shows exactly this between the marker's two comments, or is made to.
fn assert_shows(marker: &str, expected: &str) {
    // Tests run at the same time; both would write the one file.
    static README: Mutex<()> = Mutex::new(());
    let _guard = README.lock();
    let readme = readme();
    let found = block(&readme, marker);
    if std::env::var_os("BLESS").is_some() {
        let (start, end) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
        let blessed = readme.replace(&format!("{start}{found}{end}"), &format!("{start}{expected}{end}"));
        std::fs::write(root().join("README.md"), blessed).expect("the README can be written");
    } else {
        assert_eq!(found, expected, "BLESS=1 writes it into the README");
    }
}

#[test]
fn the_example_runs_under_qemu() {
    let toolchain = Toolchain::new().expect("the sources are there");
    let board = &BOARDS[0];
    let example = toolchain.image(board, Image::Example).expect("the example builds");
    let output = Command::new(toolchain.qemu().expect("QEMU is there"))
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
