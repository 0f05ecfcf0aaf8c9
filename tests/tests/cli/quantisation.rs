//! Post-training methods, the search among them, and training with int8's rounding.

use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{folder, trained};

const HEADS: [&str; 3] = ["classification", "segmentation", "regression"];

#[test]
fn every_method_makes_a_blob_that_says_so() {
    let folder = trained();
    for (words, method) in [
        ("", "mse"),
        ("--ranges min-max", "min-max"),
        ("--ranges percentile:99.5 --equalize", "percentile:99.5 + equalize"),
        ("--equalize --correct-bias", "mse + equalize + correct-bias"),
    ] {
        let report = folder
            .trident(&format!("quantize run {words} --json"))
            .succeeds()
            .json();
        for head in HEADS {
            assert_eq!(report["methods"][head], method, "{words}");
        }
        let layers = report["layers"].as_array().unwrap();
        let errors: Vec<f64> = layers.iter().filter_map(|layer| layer["rms_error"].as_f64()).collect();
        assert_eq!(errors.len(), layers.len(), "every layer has its error");
        assert!(
            errors.windows(2).all(|pair| pair[0] >= pair[1]),
            "the worst is first: {errors:?}"
        );
        assert!(
            layers
                .iter()
                .all(|layer| HEADS.contains(&layer["heads"][0].as_str().unwrap()))
        );
        let said = folder.trident("inspect run/model.tri --verify").succeeds();
        assert!(said.stdout.contains(&format!("regression: {method}")), "{said:#?}");
    }
}

#[test]
fn a_search_reports_what_it_tried_and_what_it_chose() {
    let folder = trained();
    let report = folder
        .trident("quantize run --search --max-drop 0.5 --json")
        .succeeds()
        .json();
    let search = &report["search"];
    let tried = search["tried"].as_array().unwrap();
    assert_eq!(tried.len(), 16);
    // All lose less than a half, so that the plainest serves every head.
    for head in HEADS {
        let chosen = report["methods"][head].as_str().unwrap();
        let entry = tried.iter().find(|way| way["way"] == chosen).unwrap();
        assert!(entry["chosen_for"].as_array().unwrap().iter().any(|name| name == head));
        assert!(entry["drop"][head].as_f64().unwrap() <= 0.5);
        assert_eq!(chosen, "min-max");
    }
    let bytes = |name: &str| search["blob_bytes"][name].as_u64().unwrap();
    assert!(bytes("size") <= bytes("balanced") && bytes("balanced") <= bytes("speed"));
    assert_eq!(search["beyond"], serde_json::json!([]));
    let said = folder.trident("quantize run --search").succeeds();
    for phrase in ["tried, plainest first", "←", "validation rows", "--optimize size"] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
}

#[test]
fn methods_that_make_no_sense_are_refused_and_change_nothing() {
    let folder = trained();
    let blob = folder.read("run/model.tri");
    for (words, phrases) in [
        ("--ranges widest", ["there are `min-max`", "`mse`"]),
        ("--ranges percentile:30", ["`30` is not a share", "percentile:99.9"]),
        ("--search --max-drop 2", ["--max-drop", "from 0 to 1"]),
        ("--max-drop 0.1", ["--search", "required"]),
        ("--search --equalize", ["--search", "--equalize"]),
    ] {
        folder.trident(&format!("quantize run {words}")).fails(&phrases);
        assert!(folder.read("run/model.tri") == blob, "{words}");
    }
}

#[test]
fn a_finished_run_is_trained_on_with_rounding() {
    let folder = trained();
    let weights = folder.read("run/weights.bin");
    let said = folder.trident("train -o run --resume --qat").succeeds();
    for phrase in ["post-training", "kept", "a head keeps the better of the two"] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
    assert!(folder.read("run/weights.bin") == weights);
    let record: serde_json::Value = serde_json::from_slice(&folder.read("run/qat.json")).unwrap();
    let report = folder.trident("quantize run --json").succeeds().json();
    for head in HEADS {
        let kept = record["groups"][head]["kept"].as_bool().unwrap();
        assert_eq!(report["methods"][head], if kept { "qat" } else { "mse" }, "{head}");
    }
    folder.trident("eval run --on int8").succeeds();
    // A blob by a method of one's own is made of the float weights.
    let report = folder.trident("quantize run --ranges mse --json").succeeds().json();
    assert_eq!(report["methods"]["segmentation"], "mse");
}

#[test]
fn the_configuration_can_ask_for_it() {
    let folder = folder();
    three_heads(&folder);
    folder.write("trident.toml", format!("{THREE_HEADS}[train]\nqat = true\n"));
    let summary = folder.trident("train -o run --epochs 2 --json").succeeds().json();
    let files = folder.files();
    for head in HEADS {
        let group = &summary["qat"]["groups"][head];
        assert!(group["heads"][head]["aware"].is_object(), "{group}");
        assert!(files.contains(&format!("run/qat-{head}.bin")), "{files:?}");
    }
}

#[test]
fn damaged_weights_are_noticed() {
    let folder = trained();
    folder.trident("train -o run --resume --qat").succeeds();
    // As if every group had been kept.
    let record = String::from_utf8(folder.read("run/qat.json")).unwrap();
    folder.write("run/qat.json", record.replace("\"kept\": false", "\"kept\": true"));
    folder.trident("quantize run").succeeds();
    let blob = folder.read("run/model.tri");
    let mut bytes = folder.read("run/qat-regression.bin");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write("run/qat-regression.bin", bytes);
    folder.trident("quantize run").fails(&["qat-regression.bin", "damaged"]);
    folder.write("run/qat-regression.bin", folder.read("run/qat-classification.bin"));
    folder
        .trident("quantize run")
        .fails(&["qat-regression.bin", "of other data or settings"]);
    assert!(folder.read("run/model.tri") == blob, "nothing is half-written");
}

#[test]
fn rounding_needs_real_targets() {
    let folder = folder();
    folder
        .trident("train --data random -o run --epochs 1 --qat")
        .fails(&["`qat` needs real targets"]);
    assert!(folder.files().is_empty(), "nothing is left behind");
}
