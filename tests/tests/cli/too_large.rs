//! Models that a board has no room for: the host runs them, the device refuses, and both numbers are told.

use trident_host::device::BOARDS;
use trident_host::quantize::writer::AlignedBytes;
use trident_tests::own_data::{Masks, pictures};
use trident_tests::tamper::Parts;

use crate::{folder, trained};

#[test]
fn a_picture_too_large_for_the_arena_is_refused_with_both_numbers() {
    let folder = folder();
    pictures(&folder, 10, [256, 256], Masks::OneHot, false);
    folder.write(
        "trident.toml",
        "[segmentation]\nimages = 'images'\nmasks = 'masks'\nclasses = ['ground', 'disc', 'bar']\nsize = [256, 256]\n",
    );
    folder.trident("train -o run --epochs 1").succeeds();
    let report = folder.trident("quantize run --json").succeeds().json();
    folder.trident("eval run --on int8").succeeds();
    let (needed, there) = (&report["arena_bytes"], BOARDS[0].arena_len);
    folder.trident("eval run --on qemu:mps2-an386").fails(&[&format!(
        "the device has no model to run: slot A: load: the model needs an arena of {needed} bytes, there are {there}"
    )]);
}

#[test]
fn a_blob_too_large_for_every_slot_is_refused_with_the_sizes() {
    let folder = trained();
    let bytes = AlignedBytes::copy_of(&folder.read("run/model.tri"));
    let mut parts = Parts::of(bytes.as_ref());
    parts.parameters.resize(17 << 20, 0);
    let large = parts.pack();
    folder.write("run/model.tri", &large);
    folder.trident("inspect run/model.tri --verify").succeeds();
    folder.trident("eval run --on int8").succeeds();
    let len = large.as_ref().len();
    folder.trident("eval run --on qemu:mps2-an386").fails(&[&format!(
        "the blob has {len} bytes; mps2-an386 has two slots of 8323072 bytes of PSRAM"
    )]);
}
