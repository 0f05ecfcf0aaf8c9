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
fn what_it_teaches_is_trained_on_with_rounding_unless_told_otherwise() {
    let folder = folder();
    three_heads(&folder);
    let qat = |run: &str, words: &str| {
        let said = folder
            .trident(&format!("train -o {run} --epochs 3 --json {words}"))
            .succeeds();
        let said = said.json();
        let groups = said
            .get("qat")
            .map(|qat| qat["groups"].as_object().expect("groups").clone());
        groups.map(|groups| groups.keys().cloned().collect::<Vec<_>>().join(" "))
    };
    let all = Some("classification regression segmentation".to_owned());
    assert_eq!(qat("run", "").as_deref(), Some("regression"));
    let record: Value = serde_json::from_slice(&folder.read("run/qat.json")).expect("a record");
    let regression = &record["groups"]["regression"];
    assert_eq!(regression["rows"], "fresh");
    let rmse = |model: &str| {
        regression["heads"]["regression"][model]["rmse"]
            .as_f64()
            .expect("a figure")
    };
    assert_eq!(regression["kept"], rmse("aware") < rmse("post_training"));
    let report = folder.trident("quantize run --json").succeeds().json();
    let method = if regression["kept"] == true { "qat" } else { "mse" };
    assert_eq!(
        (&report["methods"]["regression"], &report["methods"]["classification"]),
        (&json!(method), &json!("mse"))
    );

    assert_eq!(qat("none", "--no-qat"), None);
    assert_eq!(qat("all", "--qat"), all);
    // A run that is trained on later keeps what it had.
    let later = folder.trident("train -o run --resume --qat --json").succeeds().json();
    assert_eq!(later["qat"]["groups"]["regression"], *regression);
    assert_eq!(later["qat"]["groups"].as_object().map(serde_json::Map::len), Some(3));
    let again = folder.trident("train -o run --resume --json").succeeds().json();
    assert_eq!(again["qat"], later["qat"]);
    for (setting, expected) in [
        ("[train.regression]\nqat = false", None),
        ("[train]\nqat = false", None),
        (
            "[train]\nqat = false\n[train.segmentation]\nqat = true",
            Some("segmentation".to_owned()),
        ),
        (
            "[train]\nqat = true\n[train.segmentation]\nqat = false",
            Some("classification regression".to_owned()),
        ),
        ("[train.regression]\nprocess = false", None),
    ] {
        folder.write("trident.toml", format!("{setting}\n{THREE_HEADS}"));
        let run = setting.replace(['[', ']', '\n', ' ', '='], "");
        assert_eq!(qat(&run, ""), expected, "{setting}");
    }
    folder
        .trident("train -o both --qat --no-qat")
        .fails(&["--no-qat", "cannot be used with"]);
}

#[test]
fn where_it_cannot_teach_one_line_says_so() {
    let folder = folder();
    three_heads(&folder);
    let rows = String::from_utf8(folder.read("levels.csv")).unwrap();
    let few: Vec<&str> = rows.lines().take(16).collect();
    folder.write("levels.csv", few.join("\n") + "\n");
    let why = "regression: 12 training rows are too few; it takes 20";
    let said = folder.trident("train -o few --epochs 2 --json").succeeds();
    assert!(
        said.stderr.contains(&format!("no Gaussian process teaches {why}\n")),
        "{}",
        said.stderr
    );
    assert_eq!(said.json()["no_process"], why);
    assert!(said.json().get("process").is_none() && said.json().get("qat").is_none());
    // Nobody is told who did not want it, or has another teacher; one may even have asked for it then.
    let soft: String = (0..15).map(|row| format!("{}\n", 100 + row)).collect();
    folder.write("soft.csv", format!("level\n{soft}"));
    for (setting, words) in [
        ("process = false", ""),
        ("", "--teacher soft.csv"),
        ("process = true", "--teacher soft.csv"),
    ] {
        folder.write("trident.toml", format!("[train.regression]\n{setting}\n{THREE_HEADS}"));
        let run = format!("run{}{}", setting.len(), words.len());
        let said = folder
            .trident(&format!("train -o {run} --epochs 2 --json {words}"))
            .succeeds();
        assert!(!said.stderr.contains("Gaussian process"), "{}", said.stderr);
        assert!(said.json().get("no_process").is_none());
    }
    folder.write(
        "trident.toml",
        format!("[train.regression]\nprocess = true\n{THREE_HEADS}"),
    );
    refuses_to_train(
        &folder,
        &["[train.regression] process: a Gaussian process cannot teach here: 12 training rows are too few"],
    );
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
