//! A trained model's blob, spoilt in one way each: the board says why it does not serve it, and goes on answering.

use trident::wire::SelfTest;
use trident::{Head, Inputs};
use trident_host::device::{Client, DeviceError, LinkKind};
use trident_tests::tamper::Parts;

use crate::{BOARD, board, boot, model, refused};

/// A device without a model refuses to run, and still tells its statistics.
#[track_caller]
fn still_answers(client: &mut Client, self_test: SelfTest) {
    let error = client.run(Head::Regression.into(), &Inputs::default()).unwrap_err();
    assert!(matches!(error, DeviceError::NoModel { .. }), "{error}");
    for _ in 0..2 {
        let statistics = client.statistics().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (statistics.runs, statistics.arena_used, statistics.self_test),
            (0, 0, self_test)
        );
        assert!(statistics.stack_high_water > 0);
    }
}

#[test]
fn a_board_without_a_blob_says_so() {
    let (mut client, reason) = refused(None);
    assert_eq!(reason, "every slot is empty");
    still_answers(&mut client, SelfTest::NotRun);
}

#[test]
fn a_truncated_blob_is_not_served() {
    // What follows it in the slot is zeros, so that the length is right and the checksum is not.
    let blob = model().blob.as_ref();
    let (mut client, reason) = refused(Some(&blob[..blob.len() / 2]));
    assert!(reason.starts_with("slot A: blob: damaged: CRC-32 stored"), "{reason}");
    still_answers(&mut client, SelfTest::NotRun);
}

#[test]
fn damaged_bytes_are_not_served_wherever_they_stand() {
    let blob = model().blob.as_ref();
    for (byte, phrase) in [
        (0, "damaged: CRC-32"),
        (5, "not a trident blob"),
        (8, "format version"),
        (blob.len() - 1, "damaged: CRC-32"),
    ] {
        let mut damaged = blob.to_vec();
        damaged[byte] ^= 0x10;
        let (mut client, reason) = refused(Some(&damaged));
        assert!(
            reason.starts_with("slot A: blob: ") && reason.contains(phrase),
            "byte {byte}: {reason}"
        );
        still_answers(&mut client, SelfTest::NotRun);
    }
}

#[test]
fn connecting_with_a_damaged_blob_gives_the_devices_reason() {
    let mut damaged = model().blob.as_ref().to_vec();
    damaged[100] ^= 1;
    let error = board(LinkKind::Fifo).connect(&damaged).err().expect("it is refused");
    let said = error.to_string();
    assert!(
        said.contains("the device has no model to run: slot A: blob: damaged: CRC-32 stored"),
        "{said}"
    );
}

#[test]
fn a_wrong_golden_output_fails_the_self_test() {
    let parts = Parts::of(model().blob.as_ref());
    for head in Head::ALL {
        let mut parts = parts.clone();
        let golden = &mut parts.golden[1];
        match head {
            Head::Classification => parts.parameters[golden.probabilities.offset as usize] ^= 1,
            Head::Segmentation => golden.logits_crc = golden.logits_crc.map(|crc| crc ^ 1),
            Head::Regression => golden.value_bits = golden.value_bits.map(|bits| bits ^ 1),
        }
        let (mut client, reason) = refused(Some(parts.pack().as_ref()));
        let expected = format!("slot A: self-test: golden vector 1: the {} head differs", head.name());
        assert_eq!(reason, expected);
        still_answers(&mut client, SelfTest::Failed);
    }
}

#[test]
fn a_blob_that_needs_more_arena_is_refused_with_both_numbers() {
    let mut parts = Parts::of(model().blob.as_ref());
    parts.arena_len = BOARD.arena_len as u32 + 16;
    let (mut client, reason) = refused(Some(parts.pack().as_ref()));
    let (needed, there) = (BOARD.arena_len + 16, BOARD.arena_len);
    assert_eq!(
        reason,
        format!("slot A: load: the model needs an arena of {needed} bytes, there are {there}")
    );
    still_answers(&mut client, SelfTest::NotRun);
    parts.arena_len = BOARD.arena_len as u32;
    boot(LinkKind::Fifo, parts.pack().as_ref());
}
