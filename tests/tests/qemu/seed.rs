//! The original demo's network: 7.1 million parameters, run from the board's PSRAM.

use serde_json::Value;
use trident_tests::command::Folder;

use crate::{BOARD, TRIDENT};

#[test]
fn the_seed_preset_runs_from_psram_bit_for_bit() {
    let folder = Folder::new(TRIDENT);
    folder
        .trident("train --preset seed --data random --epochs 1 -o run")
        .succeeds();
    let report = folder.trident("quantize run --json").succeeds().json();
    assert_eq!(report["parameters"], 7_105_666);
    for (head, parameters) in [
        ("classification", 2_817),
        ("segmentation", 7_100_352),
        ("regression", 2_497),
    ] {
        let layers = report["layers"].as_array().expect("layers");
        let of_head = layers
            .iter()
            .filter(|layer| layer["heads"] == serde_json::json!([head]));
        assert_eq!(
            of_head.filter_map(|layer| layer["parameters"].as_u64()).sum::<u64>(),
            parameters,
            "{head}"
        );
    }
    let blob_len = folder.read("run/model.tri").len();
    assert!(
        (6 << 20..BOARD.slots[0].len).contains(&blob_len),
        "it takes most of a slot"
    );

    let device = folder
        .trident("eval run --on qemu:mps2-an386 --limit 3 --json")
        .succeeds()
        .json();
    assert_eq!(device["samples"]["segmentation"], 3);
    assert_eq!(device["compared_values"], 3 * (1 + 32 * 32 * 3 + 1));
    assert_eq!(device["differing_values"], 0);
    assert_eq!(device["device"]["arena_used"], report["arena_bytes"]);
    assert!(
        device["instructions"]["segmentation"].as_u64() > Some(7_000_000),
        "{device:#}"
    );
    let places = ["classification", "segmentation", "regression"].map(|head| &device["heads"][head]);
    assert!(
        places.iter().all(|figures| !matches!(figures, Value::Null)),
        "{device:#}"
    );
}
