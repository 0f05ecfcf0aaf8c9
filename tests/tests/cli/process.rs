//! The Gaussian process that teaches the regression head where nobody else does.

use serde_json::{Value, json};
use trident_tests::command::Folder;
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{folder, refuses_to_train};

fn record(folder: &Folder, run: &str) -> Value {
    serde_json::from_slice(&folder.read(&format!("{run}/run.json"))).expect("a record")
}

#[test]
fn it_teaches_by_default_and_says_so() {
    let folder = folder();
    three_heads(&folder);
    let said = folder.trident("train -o run --epochs 3 --json").succeeds();
    let split = String::from_utf8(folder.read("run/split.csv")).unwrap();
    let part = |part: &str| {
        let lines = split.lines().filter(|line| line.starts_with("regression,"));
        lines.filter(|line| line.ends_with(part)).count()
    };
    assert_eq!((part("validation"), part("train") + part("test")), (0, 200));
    let process = &said.json()["process"];
    assert_eq!(process["rows"], part("train"));
    assert_eq!(
        process["kernel"]["rbf"]["lengths"].as_array().map(Vec::len),
        process["readings"].as_array().map(Vec::len)
    );
    assert!(
        process["log_likelihood"].is_number() && process["kernel"]["noise"].as_f64() > Some(0.0),
        "{process}"
    );
    let line = format!(
        "regression: a Gaussian process on {} rows teaches: log likelihood ",
        part("train")
    );
    assert!(said.stderr.contains(&line), "{}", said.stderr);
    assert_eq!(record(&folder, "run")["recipes"]["regression"]["process"], true);
    assert_eq!(record(&folder, "run")["recipes"]["classification"].get("process"), None);
    let figures = &said.json()["metrics"];
    assert!(
        figures["validation"]["regression"].is_null() && figures["test"]["regression"]["r2"].is_number(),
        "{figures}"
    );
    for command in ["quantize run", "eval run", "report run"] {
        folder.trident(command).succeeds();
    }

    folder.write(
        "trident.toml",
        format!("[train.regression]\nprocess = false\ntrain_on_validation = false\n{THREE_HEADS}"),
    );
    let said = folder.trident("train -o alone --epochs 3 --json").succeeds();
    assert!(said.json().get("process").is_none() && said.json()["metrics"]["validation"]["regression"].is_object());
    assert!(!folder.files().iter().any(|file| file.ends_with("alone/process.json")));
    assert_eq!(record(&folder, "alone")["recipes"]["regression"]["distill"], 0.0);
}

#[test]
fn another_teacher_takes_its_place() {
    let folder = folder();
    three_heads(&folder);
    let rows: String = (0..200).map(|row| format!("{}\n", 100 + row)).collect();
    folder.write("levels-soft.csv", format!("level\n{rows}"));
    folder.write(
        "trident.toml",
        format!("[train.regression]\nprocess = true\n{THREE_HEADS}"),
    );
    let said = folder
        .trident("train -o run --epochs 2 --teacher levels-soft.csv --json")
        .succeeds();
    assert!(said.json().get("process").is_none(), "{}", said.stdout);
    assert_eq!(record(&folder, "run")["teachers"][0]["heads"], json!(["regression"]));
    // One that teaches other heads does not.
    let classes: String = (0..300).map(|_| "0.25,0.75\n").collect();
    folder.write("classes.csv", format!("no,yes\n{classes}"));
    let said = folder
        .trident("train -o both --epochs 2 --teacher classes.csv --json")
        .succeeds();
    assert!(said.json()["process"].is_object());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = folder();
    three_heads(&folder);
    let cases = [
        (
            "[train.classification]\nprocess = true",
            "[train.classification] process: a Gaussian process cannot teach here: only a head of one number",
        ),
        (
            "[train.segmentation]\nprocess = true",
            "[train.segmentation] process: a Gaussian process cannot teach here: only a head of one number",
        ),
        (
            "[train.regression]\nprocess = true\nfresh = 0.0",
            "[train.regression] process: a Gaussian process cannot teach here: it labels points beside the rows",
        ),
        (
            "[train.regression]\nprocess = 'yes'",
            "trident.toml:2:11: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "[train.regression]\nprocess = false\ndistill = 0.5",
            "[train.regression] distill: no teacher teaches this head",
        ),
    ];
    for (setting, complaint) in cases {
        folder.write("trident.toml", format!("{setting}\n{THREE_HEADS}"));
        refuses_to_train(&folder, &[complaint]);
    }
}
