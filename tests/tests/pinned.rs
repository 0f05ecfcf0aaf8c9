//! Firmware for one model: the same answers as that of any model, and no other blob.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use trident::blob::BlobError;
use trident::check::GraphError;
use trident::graph::Op;
use trident::{Blob, HeadSet, Inputs, LoadError, Network, Pin, arithmetic};
use trident_host::bench::{self, Workload};
use trident_host::device::{self, Board, DeviceError};
use trident_host::pin;
use trident_host::quantize::optimize::Optimize;
use trident_host::quantize::writer::AlignedBytes;
use trident_host::toolchain::Toolchain;
use trident_tests::aligned::Aligned;
use trident_tests::command::Folder;
use trident_tests::golden::workspace;
use trident_tests::layer::Layer;
use trident_tests::tiny;

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

fn pin_of(bytes: &[u8]) -> Pin {
    let blob = Blob::new_exact(bytes).expect("a blob");
    Pin::of(&blob).expect("its weights are in order")
}

/// Every head's answer, to the bit.
fn answers(network: &mut Network<'_>, inputs: &Inputs<'_>) -> (Vec<u32>, Vec<i8>, u32) {
    let outputs = network.run(HeadSet::ALL, inputs).expect("it runs");
    let probabilities = outputs.classification().expect("asked for");
    (
        probabilities.iter().map(|one| one.to_bits()).collect(),
        outputs.segmentation().expect("asked for").codes.to_vec(),
        outputs.regression().expect("asked for").to_bits(),
    )
}

#[test]
fn a_pinned_network_answers_as_any_other() {
    let packed = tiny::tiny().pack();
    let pin = pin_of(packed.bytes());
    assert_eq!(pin.heads, HeadSet::ALL);
    let picture = tiny::picture();
    let inputs = tiny::inputs(&picture);
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    assert_eq!(pin.arena_len(), blob.graph().arena_len());
    let mut arena = Aligned::zeroed(pin.arena_len());
    let mut any = Network::load(blob, arena.bytes_mut()).expect("it loads");
    let expected = answers(&mut any, &inputs);

    let pinned = pin.open(packed.bytes()).expect("the pinned bytes");
    let mut arena = Aligned::zeroed(pin.arena_len());
    let mut network = Network::load_pinned(pinned, arena.bytes_mut()).expect("it loads");
    assert_eq!(network.heads(), HeadSet::ALL);
    assert_eq!(answers(&mut network, &inputs), expected);
    network
        .self_test()
        .expect("what the blob says of itself holds, read from the pinned blob");
}

#[test]
fn inputs_of_the_first_golden_vector_lie_where_the_pin_says() {
    let packed = tiny::tiny().pack();
    let pin = pin_of(packed.bytes());
    let pinned = pin.open(packed.bytes()).expect("the pinned bytes");
    let [classification, picture, regression] = pin.golden_inputs.map(|span| span.of(pinned.blob().parameters()));
    assert_eq!(classification, Some(bytemuck::cast_slice(&tiny::CLASSIFICATION)));
    assert_eq!(picture, Some(&tiny::picture()[..]));
    assert_eq!(regression, Some(bytemuck::cast_slice(&tiny::REGRESSION)));
}

#[test]
fn any_other_bytes_are_refused() {
    let mut packed = tiny::tiny().pack();
    let pin = pin_of(packed.bytes());
    let crc = pin.header.crc;
    for at in 0..packed.bytes().len() {
        packed.bytes_mut()[at] ^= 1 << (at % 8);
        let refused = pin.open(packed.bytes()).map(|_| ()).unwrap_err();
        match refused {
            BlobError::NotPinned { pinned, found } if at < 4 => assert!(pinned == crc && found != crc),
            BlobError::Crc { stored, computed } if at >= 4 => assert!(stored == crc && computed != crc),
            other => panic!("byte {at}: {other}"),
        }
        packed.bytes_mut()[at] ^= 1 << (at % 8);
    }
    // A blob that is in order, but another one.
    let other = tiny::minimal().pack();
    let mut longer = Aligned::zeroed(packed.bytes().len());
    longer.bytes_mut()[..other.bytes().len()].copy_from_slice(other.bytes());
    let words = pin.open(longer.bytes()).map(|_| ()).unwrap_err().to_string();
    assert!(
        words.starts_with("not the model that this firmware was built for"),
        "{words}"
    );

    let len = packed.bytes().len();
    let short = pin.open(&packed.bytes()[..len - 1]).map(|_| ()).unwrap_err();
    assert_eq!(
        short,
        BlobError::Truncated {
            needed: len,
            found: len - 1
        }
    );
    assert_eq!(
        pin.open(&packed.bytes()[1..]).map(|_| ()).unwrap_err(),
        BlobError::Misaligned
    );
    // What follows a blob in a slot is none of it.
    let mut slot = Aligned::zeroed(len + 32);
    slot.bytes_mut()[..len].copy_from_slice(packed.bytes());
    slot.bytes_mut()[len..].fill(0xFF);
    assert!(pin.open(slot.bytes()).is_ok());
}

#[test]
fn a_signed_blob_is_pinned_with_its_signature() {
    let folder = Folder::new(TRIDENT);
    folder.write("model.tri", tiny::tiny().pack().bytes());
    folder.trident("key new owner.pem").succeeds();
    folder.trident("sign model.tri -k owner.pem").succeeds();
    let signed = AlignedBytes::copy_of(&folder.read("model.tri"));
    let pin = pin_of(signed.as_ref());
    let pinned = pin.open(signed.as_ref()).expect("the pinned bytes");
    let blob = Blob::new_exact(signed.as_ref()).expect("a blob");
    assert!(blob.header().is_signed());
    assert_eq!(pinned.blob().parameters(), blob.parameters());
    assert_eq!(pinned.blob().bytes(), blob.bytes());
}

#[test]
fn an_arena_that_does_not_do_is_refused() {
    let packed = tiny::tiny().pack();
    let pin = pin_of(packed.bytes());
    let needed = pin.arena_len();
    let mut arena = Aligned::zeroed(needed + 16);
    let mut load = |range: std::ops::Range<usize>| {
        let pinned = pin.open(packed.bytes()).expect("the pinned bytes");
        Network::load_pinned(pinned, &mut arena.bytes_mut()[range]).map(|network| network.arena_len())
    };
    assert_eq!(load(0..needed), Ok(needed));
    let available = needed - 1;
    assert_eq!(load(0..available), Err(LoadError::Arena { needed, available }));
    assert_eq!(load(4..needed + 8), Err(LoadError::Misaligned));
}

/// A blob whose checks pass, since they scan no weights, and that no engine loads.
fn overflowing() -> Aligned {
    let mut builder = tiny::minimal();
    let sums = Layer::of_sums(&[64], &[i32::MAX]).stream(Op::Linear, 0, 0);
    builder.nodes[1].weights = builder.words(&sums);
    builder.pack()
}

#[test]
fn weights_that_could_overflow_are_not_pinned() {
    let packed = overflowing();
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    assert_eq!(Pin::of(&blob), Err(GraphError::Overflow { node: 1 }));
}

#[test]
#[should_panic(expected = "pinned for another arithmetic")]
fn firmware_of_another_arithmetic_does_not_compile() {
    let packed = tiny::tiny().pack();
    // In a constant, this is an error of the compiler.
    let _ = pin_of(packed.bytes()).computed_by("trident.int8.v0");
}

#[test]
fn the_command_writes_what_firmware_includes() {
    let folder = Folder::new(TRIDENT);
    let packed = tiny::tiny().pack();
    folder.write("model.tri", packed.bytes());
    let pin = pin_of(packed.bytes());
    let said = folder.trident("pin model.tri --json").succeeds().json();
    assert_eq!(said["file"], "model.pin.rs");
    assert_eq!(said["bytes"], packed.bytes().len());
    assert_eq!(said["crc32"], format!("{:08x}", pin.header.crc));
    assert_eq!(said["arena_bytes"], pin.arena_len());
    let features = said["features"].as_array().expect("a list");
    assert!(features.contains(&"op-winograd-conv3x3".into()), "{said}");
    let source = String::from_utf8(folder.read("model.pin.rs")).expect("it is text");
    assert_eq!(source, pin::source(&pin));
    assert!(source.contains(arithmetic::NAME));

    folder.trident("pin model.tri -o other.rs").succeeds();
    assert_eq!(folder.read("other.rs"), source.as_bytes());
}

#[test]
fn the_command_writes_neither_over_the_model_nor_where_it_cannot() {
    let folder = Folder::new(TRIDENT);
    let packed = tiny::tiny().pack();
    folder.write("model.tri", packed.bytes());
    folder
        .trident("pin model.tri -o nowhere/other.rs")
        .fails(&["cannot write nowhere/other.rs", "-o"]);
    folder
        .trident("pin model.tri -o ./model.tri")
        .fails(&["model.tri is the model itself", "-o"]);
    assert_eq!(folder.read("model.tri"), packed.bytes());
    assert_eq!(folder.files(), ["model.tri"]);
}

#[test]
fn file_names_need_not_be_text() {
    let folder = Folder::new(TRIDENT);
    let file = |name: &[u8]| folder.path("").join(OsStr::from_bytes(name));
    std::fs::write(file(b"\xff.tri"), tiny::tiny().pack().bytes()).expect("it is written");
    let said = folder
        .command("pin --json")
        .arg(file(b"\xff.tri"))
        .output()
        .expect("it runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(file(b"\xff.pin.rs").exists());
}

#[test]
fn the_command_pins_nothing_that_is_not_in_order_and_keeps_what_was_there() {
    let folder = Folder::new(TRIDENT);
    folder.write("model.pin.rs", "before");
    folder
        .trident("pin model.tri")
        .fails(&["model.tri", "name a run folder or a blob"]);
    let mut packed = tiny::tiny().pack();
    packed.bytes_mut()[100] ^= 1;
    folder.write("model.tri", packed.bytes());
    folder
        .trident("pin model.tri")
        .fails(&["model.tri is refused", "damaged"]);
    folder.write("model.tri", overflowing().bytes());
    folder
        .trident("pin model.tri")
        .fails(&["model.tri is refused", "an accumulator of node 1 could overflow"]);
    assert_eq!(folder.read("model.pin.rs"), b"before");
}

/// What an image says that did not find its model.
const NO_BLOB: &str = "exit status: 2";

/// Boots the image that is pinned to `own` with `own`, then with each of `others` in its slot.
fn boots(name: &str, own: &AlignedBytes, others: &[&AlignedBytes]) {
    let toolchain = Toolchain::new().expect("the sources are there");
    let board = Board::named(name).expect("a board");
    let qemu = toolchain.qemu(board).unwrap_or_else(|error| panic!("{error}"));
    let image = toolchain.pinned(board, &pin_of(own.as_ref()));
    let image = image.unwrap_or_else(|error| panic!("{name}: {error}"));
    let boot = |blob: &AlignedBytes| device::run_to_end(&qemu, board, &image, blob.as_ref(), &[]).map(|_| ());
    boot(own).unwrap_or_else(|error| panic!("{name}: {error}"));
    for other in others {
        match boot(other) {
            Err(DeviceError::Ended { status, .. }) => assert_eq!(status, NO_BLOB, "{name}"),
            other => panic!("{name}: it should find no blob: {other:?}"),
        }
    }
}

#[test]
fn a_pinned_image_runs_its_model_and_no_other() {
    let workload = |name: &str| {
        let workload = Workload::named(name).expect("a workload");
        let built = bench::build(workload, Optimize::default());
        built.unwrap_or_else(|error| panic!("{error}")).blob
    };
    let (w1, w2, w4) = (workload("W1"), workload("W2"), workload("W4"));
    let golden = std::fs::read(workspace().join("tests/golden/edge.tri")).expect("the golden blob is there");
    let edge = AlignedBytes::copy_of(&golden);
    let mut damaged = w4.clone();
    let last = damaged.as_ref().len() - 1;
    damaged.as_mut()[last] ^= 1;
    boots("mps2-an386", &w4, &[&edge, &damaged]);
    boots("mps2-an386", &edge, &[&w4]);
    boots("microbit", &w1, &[&w2]);
    boots("virt-riscv32", &edge, &[&w4]);
}
