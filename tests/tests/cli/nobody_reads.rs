//! Output that nobody takes, and two programs in one folder.

use std::fs::File;
use std::process::Stdio;

use trident_tests::own_data::three_heads;

use crate::{folder, trained};

#[test]
fn a_full_or_closed_output_is_an_error_and_no_panic() {
    let folder = trained();
    for words in [
        "inspect run/model.tri",
        "inspect run/model.tri --json",
        "eval run",
        "quantize run --json",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let full = File::options().write(true).open("/dev/full").unwrap();
        for stdout in [Stdio::from(writer), Stdio::from(full)] {
            let output = folder.command(words).stdout(stdout).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{words}: {error}");
            assert!(
                error.contains("error: cannot write the result to standard output: "),
                "{words}: {error}"
            );
        }
    }
}

#[test]
fn training_goes_on_where_nobody_reads_its_log() {
    let folder = folder();
    three_heads(&folder);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = folder.command("train -c trident.toml -o run --epochs 1");
    assert!(command.stderr(full).status().unwrap().success());
    assert!(folder.path("run/weights.bin").exists());
}

#[test]
fn two_programs_do_not_train_into_one_folder() {
    let folder = trained();
    let held = File::open(folder.path("run")).unwrap();
    held.lock().unwrap();
    folder
        .trident("train -o run --resume")
        .fails(&["run: another `trident` is training into this folder", "`-o`"]);
    drop(held);
    folder.trident("train -o run --resume").succeeds();
}
