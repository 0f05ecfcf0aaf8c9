//! The command line as a user types it: bad input, own data, Ctrl-C.

mod bad_blobs;
mod bad_data;
mod bad_pictures;
mod bad_runs;
mod bad_settings;
mod compare;
mod nobody_reads;
mod other_data;
mod own_data;
mod plan;
mod process;
mod quantisation;
mod repeat;
mod report;
mod soft_labels;
mod sweep;
mod teachers;
mod too_large;

use std::sync::OnceLock;

use trident_tests::command::Folder;
use trident_tests::own_data::three_heads;

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

/// An empty folder to run the program in.
fn folder() -> Folder {
    Folder::new(TRIDENT)
}

/// A copy of a folder with data for three heads and a finished, quantised run called `run`.
fn trained() -> Folder {
    static TRAINED: OnceLock<Folder> = OnceLock::new();
    let trained = TRAINED.get_or_init(|| {
        let folder = folder();
        three_heads(&folder);
        folder.trident("train -c trident.toml -o run --epochs 2").succeeds();
        folder.trident("quantize run").succeeds();
        folder
    });
    trained.copy()
}

/// Asserts that training on what lies in the folder fails for a reason that holds every phrase, and leaves nothing behind.
#[track_caller]
fn refuses_to_train(folder: &Folder, phrases: &[&str]) {
    let before = folder.files();
    folder.trident("train -c trident.toml -o run").fails(phrases);
    assert_eq!(folder.files(), before, "training left something behind");
}
