//! `shared/FORMAT.md` tells the truth: its worked bytes are a real blob's, its reader compiles and reads, its tables are complete.
//! `BLESS=1` rewrites the worked bytes and streams and the reader's listing.

mod fields;
mod reader;
mod streams;

use std::fmt::Write;
use std::path::PathBuf;

use trident::blob::{ALIGNMENT, Blob, FORMAT_VERSION, HEADER_LEN, MAGIC, MAX_CALIBRATED_PIXELS};
use trident::check::{MAX_GOLDEN_VECTORS, MAX_MACS, MAX_TURNS};
use trident::graph::{MAX_NODES, MAX_TENSORS, NODE_LEN, Op, TENSOR_LEN};
use trident::input::MAX_INPUTS_PER_READING;
use trident::schedule::MAX_BAND;
use trident::signature::SIGNATURE_LEN;
use trident::{MAX_CLASSES, MAX_READINGS};
use trident_tests::golden::{blessing, workspace};
use trident_tests::tiny;

fn path() -> PathBuf {
    workspace().join("shared/FORMAT.md")
}

fn document() -> String {
    std::fs::read_to_string(path()).expect("shared/FORMAT.md is there")
}

/// Asserts that the document's block between those two lines is `expected`; with `BLESS=1` it is afterwards.
fn assert_block(begin: &str, end: &str, expected: &str) {
    let document = document();
    let start = document.find(begin).expect("the block begins") + begin.len();
    let len = document[start..].find(end).expect("the block ends");
    if blessing() {
        let blessed = [&document[..start], expected, &document[start + len..]].concat();
        std::fs::write(path(), blessed).expect("shared/FORMAT.md can be written");
    } else {
        let found = &document[start..start + len];
        assert!(
            found == expected,
            "the block after {begin:?} of FORMAT.md is out of date; BLESS=1 rewrites it\n{found}\nshould be\n{expected}"
        );
    }
}

/// One test, so that no two blocks are blessed at the same time.
#[test]
fn worked_bytes_streams_and_reader_are_as_documented() {
    let packed = tiny::minimal().pack();
    assert!(Blob::new_exact(packed.bytes()).is_ok());
    let (mut listing, mut at) = (String::new(), 0);
    for &(len, meaning) in fields::FIELDS {
        if len == 0 {
            writeln!(listing, "{meaning}").expect("a string takes all");
            continue;
        }
        for (line, bytes) in packed.bytes()[at..at + len].chunks(12).enumerate() {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let meaning = if line == 0 { meaning } else { "" };
            let text = format!("{:04x}  {:<35}  {meaning}", at + 12 * line, hex.join(" "));
            writeln!(listing, "{}", text.trim_end()).expect("a string takes all");
        }
        at += len;
    }
    assert_eq!(at, packed.bytes().len(), "every byte is explained");
    assert_block("<!-- worked bytes -->\n```text\n", "```\n", &listing);
    assert_block("<!-- worked streams -->\n```text\n", "```\n", &streams::listing());
    assert_block("<!-- reader -->\n```rust\n", "```\n", include_str!("reader.rs"));
}

#[test]
fn the_documents_reader_reads() {
    let minimal = tiny::minimal().pack();
    let expected = "model 3, trident.int8.v1, arena 32, 2 tensors, operators [0, 2, 12]";
    assert_eq!(reader::describe(minimal.bytes()).as_deref(), Some(expected));
    assert!(
        document().contains(expected),
        "the document says what its reader prints"
    );
    let tiny = tiny::tiny().pack();
    assert!(reader::describe(tiny.bytes()).is_some());
    for at in 0..tiny.bytes().len() {
        let mut damaged = tiny.bytes().to_vec();
        damaged[at] ^= 0x10;
        assert_eq!(reader::describe(&damaged), None, "byte {at}");
        assert_eq!(reader::describe(&tiny.bytes()[..at]), None, "cut at {at}");
    }
}

#[test]
fn operators_and_limits_are_documented() {
    let document = document();
    for op in Op::ALL {
        let row = format!("| {} | `{op:?}` |", op as u8);
        assert!(document.contains(&row), "FORMAT.md lacks the row {row}");
    }
    for (name, value) in [
        ("HEADER_LEN", HEADER_LEN as u64),
        ("ALIGNMENT", ALIGNMENT as u64),
        ("FORMAT_VERSION", FORMAT_VERSION.into()),
        ("TENSOR_LEN", TENSOR_LEN as u64),
        ("NODE_LEN", NODE_LEN as u64),
        ("MAX_TENSORS", MAX_TENSORS as u64),
        ("MAX_NODES", MAX_NODES as u64),
        ("MAX_BAND", MAX_BAND as u64),
        ("MAX_TURNS", MAX_TURNS.into()),
        ("MAX_READINGS", MAX_READINGS as u64),
        ("MAX_INPUTS_PER_READING", MAX_INPUTS_PER_READING as u64),
        ("MAX_CLASSES", MAX_CLASSES as u64),
        ("MAX_MACS", MAX_MACS),
        ("MAX_GOLDEN_VECTORS", MAX_GOLDEN_VECTORS as u64),
        ("MAX_CALIBRATED_PIXELS", MAX_CALIBRATED_PIXELS as u64),
        ("SIGNATURE_LEN", SIGNATURE_LEN as u64),
    ] {
        let row = format!("| `{name}` | {value} |");
        assert!(document.contains(&row), "FORMAT.md lacks the row {row}");
    }
    assert_eq!(MAGIC, *b"TRI\0");
    assert!(document.contains(trident::arithmetic::NAME));
}
