//! `trident compare`: heads that share a trunk are trained alone and together, others are not; finished trainings stay.

use std::time::{Duration, Instant};

use serde_json::Value;
use trident_tests::command::Folder;
use trident_tests::own_data::three_heads;

use crate::folder;

/// Few fields, small pictures.
const FIELDS: &str = r#"
[split]
aligned = true
[classification]
csv = "builtin:aligned"
label = "advice"
[segmentation]
images = "builtin:aligned"
classes = ["weed", "crop", "soil"]
size = [16, 16]
count = 120
[regression]
csv = "builtin:aligned"
target = "yield_loss_percent"
[train]
preset = "fused"
"#;

fn fields() -> Folder {
    let folder = folder();
    folder.write("trident.toml", FIELDS);
    folder
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

#[test]
fn heads_on_a_trunk_are_compared_and_finished_trainings_stay() {
    let folder = fields();
    let words = "compare --seeds 2 --epochs 2 --cosines 1 --balancing fixed,uncertainty,pcgrad --json";
    let said = folder.trident(words).succeeds();
    let report = said.json();
    let saved: Value = serde_json::from_slice(&folder.read("compare/compare.json")).expect("JSON");
    assert_eq!(saved, report);
    assert_eq!(report["seeds"], serde_json::json!([1, 2]));
    assert_eq!(report["independent"], serde_json::json!([]));
    assert!(
        report["interval"]
            .as_str()
            .is_some_and(|words| words.contains("paired t"))
    );
    let ways: Vec<&Value> = list(&report["joint"]).iter().map(|joint| &joint["balancing"]).collect();
    assert_eq!(ways, ["fixed", "uncertainty", "pcgrad"]);
    for joint in list(&report["joint"]) {
        // Δp is the mean of what the heads' first figures say, seed by seed.
        for seed in 0..2 {
            let first = |head: &Value| {
                let figure = &head["figures"][0];
                let [alone, joint] = ["alone", "joint"].map(|of| number(&figure[of]["values"][seed]));
                let sign = if figure["better"] == "lower" { -1.0 } else { 1.0 };
                sign * 100.0 * (joint - alone) / alone
            };
            let mean = list(&joint["heads"]).iter().map(first).sum::<f64>() / 3.0;
            let told = number(&joint["delta_p_percent"]["values"][seed]);
            assert!((told - mean).abs() < 1e-9, "{told} {mean}");
        }
        assert!(joint["delta_p_percent"]["interval"].is_array());
        assert_eq!(list(&joint["cosines"]).len(), 3);
        for pair in list(&joint["cosines"]) {
            assert_eq!(list(&pair["epochs"]).len(), 2);
            assert!(number(&pair["all"]["mean"]).abs() <= 1.0, "{pair}");
        }
        for head in list(&joint["heads"]) {
            assert_eq!(
                head["log_variance"].is_object(),
                joint["balancing"] == "uncertainty",
                "{head}"
            );
        }
    }
    let svg = String::from_utf8(folder.read("compare/compare.svg")).expect("text");
    assert!(
        svg.starts_with("<svg ") && svg.contains("pcgrad") && svg.contains("95 % interval"),
        "{svg}"
    );

    // One file less: only that training is done again, and to the same bytes.
    let lost = "compare/runs/seed-2-regression.json";
    let bytes = folder.read(lost);
    std::fs::remove_file(folder.path(lost)).unwrap();
    let again = folder.trident(words).succeeds();
    assert_eq!(again.stdout, said.stdout);
    assert!(folder.read(lost) == bytes, "another result for the same seed");
    assert_eq!(again.stderr.matches("done before").count(), 11, "{}", again.stderr);

    let tables = folder
        .trident("compare --seeds 2 --epochs 2 --cosines 1")
        .succeeds()
        .stdout;
    for phrase in [
        "Δp",
        "mean IoU",
        "RMSE",
        "classification / segmentation",
        "balancing `fixed`",
        "wrote compare/compare.json",
    ] {
        assert!(tables.contains(phrase), "should say `{phrase}`: {tables}");
    }
    let before = folder.read("compare/compare.json");
    folder
        .trident("compare --seeds 2 --epochs 3")
        .fails(&["made with other data or settings", "`-o`"]);
    folder.write("compare/runs/seed-1-segmentation.json", "{");
    folder
        .trident("compare --seeds 2 --epochs 2 --cosines 1")
        .fails(&["seed-1-segmentation.json", "remove it"]);
    assert!(folder.read("compare/compare.json") == before);
}

#[test]
fn independent_towers_are_not_trained() {
    let folder = folder();
    three_heads(&folder);
    let began = Instant::now();
    let said = folder.trident("compare").succeeds();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(
        said.stdout
            .starts_with("independent towers: classification, segmentation, regression"),
        "{said:#?}"
    );
    assert!(said.stdout.contains("preset `fused`"), "{said:#?}");
    let report = folder.trident("compare --preset seed --json").succeeds().json();
    assert_eq!(report["independent"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["joint"], serde_json::json!([]));
    let files = folder.files();
    assert!(!files.iter().any(|file| file.starts_with("compare/runs")), "{files:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_and_leaves_nothing_behind() {
    let folder = fields();
    let before = folder.files();
    folder.trident("compare --seeds 0").fails(&["at least 1 seed"]);
    folder
        .trident("compare --data builtin --preset fused")
        .fails(&["aligned = true", "preset `edge`"]);
    folder.write(
        "trident.toml",
        FIELDS.replace("aligned = true", "aligned = true\ntest = 0.0"),
    );
    folder.trident("compare").fails(&["no test rows", "[split]"]);
    assert_eq!(folder.files(), before);
    folder.write("full/letter.txt", "dear");
    folder
        .trident("compare -o full")
        .fails(&["holds no comparison", "`-o`"]);
    assert_eq!(folder.trident("compare --balancing best").status, Some(1));
}

#[test]
fn an_interrupted_comparison_goes_on() {
    let folder = fields();
    let words = "compare --seeds 2 --epochs 12";
    let child = folder.command(words).spawn().expect("the program starts");
    let runs = folder.path("compare/runs");
    let deadline = Instant::now() + Duration::from_secs(120);
    let done = || std::fs::read_dir(&runs).map_or(0, |entries| entries.count());
    while done() == 0 {
        assert!(Instant::now() < deadline, "no training came to its end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted; the same command goes on"), "{said}");
    let kept = done();
    assert!((1..8).contains(&kept), "{kept} trainings");
    assert!(!folder.path("compare/compare.json").exists());
    let said = folder.trident(words).succeeds();
    assert_eq!(said.stderr.matches("done before").count(), kept, "{said:#?}");
    assert_eq!(done(), 8);
}
