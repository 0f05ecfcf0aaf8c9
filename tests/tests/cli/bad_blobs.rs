//! Files that are no blobs, and blobs that were damaged.

use trident_host::quantize::writer::AlignedBytes;
use trident_tests::tamper::Parts;
use trident_tests::tiny;

use crate::{folder, trained};

#[test]
fn a_whole_blob_is_described_and_verified() {
    let folder = trained();
    let said = folder.trident("inspect run/model.tri --verify").succeeds();
    for phrase in [
        "4 readings: a, b, c, d",
        "no, yes",
        "RGB picture 16×16",
        "ground, disc, bar",
        "3 readings: x, y, z",
        "level",
        "golden vectors: 2 run, every answer equal to the bit",
    ] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
    let json = folder
        .trident("inspect run/model.tri --verify --json")
        .succeeds()
        .json();
    assert_eq!(json["golden_vectors"], 2);
    assert_eq!(json["golden_verified"], true);
    assert_eq!(json["blob_bytes"], folder.read("run/model.tri").len());
}

#[test]
fn an_arena_larger_than_any_device_is_not_made() {
    let folder = folder();
    let mut builder = tiny::tiny();
    builder.arena_len = (256 << 20) + 16;
    folder.write("vast.tri", builder.pack().bytes());
    for words in ["inspect vast.tri", "inspect vast.tri --verify", "plan vast.tri"] {
        folder.trident(words).fails(&[
            "vast.tri is refused",
            "an arena of 268435472 bytes",
            "more than 256 MiB",
        ]);
    }
}

#[test]
fn a_truncated_blob_is_refused_wherever_it_ends() {
    let folder = trained();
    let whole = folder.read("run/model.tri");
    for len in [0, 1, 31, 32, 100, whole.len() / 2, whole.len() - 1] {
        folder.write("cut.tri", &whole[..len]);
        let phrase = format!("{len} found");
        folder
            .trident("inspect cut.tri --verify")
            .fails(&["cut.tri is refused: truncated: ", &phrase]);
    }
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_stands() {
    let folder = trained();
    let whole = folder.read("run/model.tri");
    for byte in (0..whole.len()).step_by(whole.len() / 40).chain(0..32) {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        folder.write("flipped.tri", &flipped);
        let said = folder
            .trident("inspect flipped.tri")
            .fails(&["flipped.tri is refused: "]);
        if !(4..32).contains(&byte) {
            assert!(said.stderr.contains("damaged: CRC-32 stored"), "byte {byte}: {said:#?}");
        }
    }
}

#[test]
fn what_follows_a_blob_in_a_file_is_refused() {
    let folder = trained();
    let mut long = folder.read("run/model.tri");
    long.push(0);
    folder.write("long.tri", &long);
    folder.trident("inspect long.tri").fails(&["long.tri is refused: "]);
}

#[test]
fn other_files_are_refused() {
    let folder = trained();
    folder
        .trident("inspect nowhere.tri")
        .fails(&["cannot read nowhere.tri"]);
    folder.trident("inspect run").fails(&["cannot read run"]);
    folder
        .trident("inspect images/000.png")
        .fails(&["images/000.png is refused: not a trident blob"]);
}

#[test]
fn a_file_without_end_is_refused() {
    for command in ["inspect", "plan"] {
        let reason = ["cannot read /dev/zero", "it has more than 64 MiB, no blob is that long"];
        folder().trident(&format!("{command} /dev/zero")).fails(&reason);
    }
}

#[test]
fn words_in_a_blob_do_not_steer_the_terminal() {
    let mut builder = tiny::tiny();
    builder.inputs[0].names = vec!["\x1b]0;title\x07", "\u{9b}2J"];
    builder.heads[0].name = "a\rb";
    builder.heads[1].classes = vec!["\u{202e}soil", "\x1b[31mplant"];
    builder.metrics = vec![("\x1b[1A\x1b[2K", 1.0)];
    let folder = folder();
    folder.write("hostile.tri", builder.pack().bytes());
    for words in [
        "inspect hostile.tri --verify",
        "inspect hostile.tri --json",
        "plan hostile.tri",
    ] {
        let said = folder.trident(words).succeeds();
        assert!(said.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{said:#?}");
    }
    let said = folder.trident("inspect hostile.tri").succeeds();
    for phrase in [
        r"readings: \u{1b}]0;title\u{7}, \u{9b}2J",
        r"a\u{d}b",
        r"\u{202e}soil, \u{1b}[31mplant",
        r"figure at export  \u{1b}[1A\u{1b}[2K 1.0000",
    ] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
}

#[test]
fn a_wrong_golden_vector_fails_the_verification_only() {
    let folder = trained();
    let bytes = AlignedBytes::copy_of(&folder.read("run/model.tri"));
    let mut parts = Parts::of(bytes.as_ref());
    parts.golden[1].value_bits = parts.golden[1].value_bits.map(|bits| bits ^ 1);
    folder.write("wrong.tri", parts.pack());
    folder.trident("inspect wrong.tri").succeeds();
    folder
        .trident("inspect wrong.tri --verify")
        .fails(&["wrong.tri fails its own golden vectors: golden vector 1: the regression head differs"]);
}

#[test]
fn a_damaged_blob_in_a_run_is_not_evaluated() {
    let folder = trained();
    let mut blob = folder.read("run/model.tri");
    let middle = blob.len() / 2;
    blob[middle] ^= 4;
    folder.write("run/model.tri", &blob);
    for place in ["int8", "qemu:mps2-an386"] {
        folder
            .trident(&format!("eval run --on {place}"))
            .fails(&["the blob is refused: damaged: CRC-32 stored"]);
    }
}
