//! Teachers that are CSV files: soft labels of the rows, and points of their own.

use std::fmt::Write;

use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{folder, refuses_to_train};

/// Soft labels for [`three_heads`]: `change` is given a line's number, from 2, and the cells of a good line.
fn soft_csv(rows: usize, header: &str, mut change: impl FnMut(usize) -> String) -> String {
    let mut text = format!("{header}\n");
    (0..rows).for_each(|row| writeln!(text, "{}", change(row + 2)).expect("a string takes it"));
    text
}

pub(crate) fn good_classes() -> String {
    soft_csv(300, "row,no,yes", |line| format!("{line},0.25,0.75"))
}

#[track_caller]
fn refused(csv: &str, phrases: &[&str]) {
    let folder = folder();
    three_heads(&folder);
    folder.write("soft.csv", csv);
    folder.write("trident.toml", format!("[train]\nteacher = 'soft.csv'\n{THREE_HEADS}"));
    refuses_to_train(&folder, phrases);
}

#[test]
fn soft_labels_of_the_data_themselves_change_little_and_others_much() {
    let folder = folder();
    three_heads(&folder);
    // The labels, as probabilities of 0 and 1: learning from them in part is learning from labels.
    let rows = String::from_utf8(folder.read("rows.csv")).unwrap();
    let mut hard = String::from("yes,no\n");
    let mut wrong = hard.clone();
    for line in rows.lines().skip(1) {
        let yes = line.ends_with(",yes");
        writeln!(hard, "{}", if yes { "1,0" } else { "0,1" }).unwrap();
        writeln!(wrong, "{}", if yes { "0,1" } else { "1,0" }).unwrap();
    }
    folder.write("hard.csv", &hard);
    folder.write("wrong.csv", &wrong);
    folder.write(
        "trident.toml",
        "[classification]\ncsv = 'rows.csv'\nlabel = 'kind'\n[train.classification]\nepochs = 30\n",
    );
    let accuracy = |run: &str, words: &str| {
        let said = folder
            .trident(&format!("--json train -o {run} {words}"))
            .succeeds()
            .json();
        said["metrics"]["test"]["classification"]["accuracy"]
            .as_f64()
            .expect("an accuracy")
    };
    let plain = accuracy("plain", "");
    assert!(plain > 0.8, "{plain}");
    let same = accuracy("same", "--teacher hard.csv");
    assert!(
        (same - plain).abs() < 0.05,
        "{plain}, but {same} with the labels as teacher"
    );
    folder.write(
        "trident.toml",
        // Without validation rows: their labels, which are right, would choose the least obedient epoch.
        "[split]\nvalidation = 0.0\n[classification]\ncsv = 'rows.csv'\nlabel = 'kind'\n\
         [train.classification]\nepochs = 30\ndistill = 1.0\n",
    );
    let opposite = accuracy("opposite", "--teacher wrong.csv");
    assert!(opposite < 0.2, "a pupil of a teacher that is always wrong: {opposite}");
}

#[test]
fn soft_labels_of_two_heads_may_stand_in_two_files() {
    let folder = folder();
    three_heads(&folder);
    folder.write("classes.csv", good_classes());
    folder.write(
        "levels-soft.csv",
        soft_csv(200, "level", |line| format!("{}", 100 + line)),
    );
    folder
        .trident("train -o run --epochs 2 --teacher classes.csv --teacher levels-soft.csv")
        .succeeds();
    let record: serde_json::Value = serde_json::from_slice(&folder.read("run/run.json")).unwrap();
    assert_eq!(record["teachers"][0]["heads"], serde_json::json!(["classification"]));
    assert_eq!(record["teachers"][1]["heads"], serde_json::json!(["regression"]));
    assert_eq!(
        record["recipes"]["regression"]["fresh"], 0.0,
        "a file cannot label fresh points"
    );
    assert_eq!(record["recipes"]["segmentation"]["distill"], 0.0);
}

#[test]
fn soft_labels_that_cannot_be_used_are_refused_with_their_place() {
    let good = |line| format!("{line},0.25,0.75");
    refused(
        &soft_csv(299, "row,no,yes", good),
        &["soft.csv: 299 rows, but the classification data have 300; it needs one for each, in their order"],
    );
    let with = |bad: &'static str| {
        soft_csv(
            300,
            "row,no,yes",
            move |line| if line == 17 { bad.into() } else { good(line) },
        )
    };
    refused(
        &with("17,NaN,0.5"),
        &["soft.csv:17: column `no` holds `NaN`", "not a finite"],
    );
    refused(&with("17,,0.5"), &["soft.csv:17: column `no` is empty"]);
    refused(
        &with("17,0.25,0.8"),
        &["soft.csv:17: the probabilities of no, yes add up to 1.05", "not to 1"],
    );
    refused(
        &with("17,-0.5,1.5"),
        &["soft.csv:17: column `no` holds -0.5, which is not a probability from 0 to 1"],
    );
    refused(
        &with("17,0.25"),
        &["soft.csv:17: 2 values where the header names 3 columns"],
    );
    refused(
        &soft_csv(300, "row,no", |line| format!("{line},0.25")),
        &["soft.csv:1: no column `yes`; there are: row, no"],
    );
    refused(
        &soft_csv(300, "row,maybe", |line| format!("{line},0.25")),
        &[
            "soft.csv: its columns (row, maybe) teach no head",
            "a probability in each of `no`, `yes` for the classification head",
            "a number in `level` for the regression head",
        ],
    );
    refused(
        &soft_csv(300, "level", |line| line.to_string()),
        &["soft.csv: 300 rows, but the regression data have 200"],
    );
}

/// Points of their own with readings, as [`three_heads`] names them for the regression head.
fn points(count: usize) -> String {
    soft_csv(count, "level,z,x,y", |line| {
        format!("{},0.123,{},{}", 100 + line, line % 10, line % 7)
    })
}

#[test]
fn a_file_may_bring_points_of_its_own() {
    let folder = folder();
    three_heads(&folder);
    let alone = "[train.regression]\nprocess = false\n";
    folder.write("trident.toml", format!("{alone}{THREE_HEADS}"));
    folder.write("points.csv", points(37));
    folder.trident("train -o plain --epochs 3").succeeds();
    folder
        .trident("train -o run --epochs 3 --teacher points.csv")
        .succeeds();
    let record: serde_json::Value = serde_json::from_slice(&folder.read("run/run.json")).unwrap();
    assert_eq!(record["teachers"][0]["heads"], serde_json::json!(["regression"]));
    assert_eq!(record["recipes"]["regression"]["fresh"], 1.0);
    assert!(folder.read("run/weights.bin") != folder.read("plain/weights.bin"));
    // Beside a run they widen the pool.
    folder
        .trident("train -o both --epochs 3 --teacher plain --teacher points.csv")
        .succeeds();
    // Without steps for them there is nothing to learn.
    folder.write("trident.toml", format!("{alone}fresh = 0.0\n{THREE_HEADS}"));
    folder
        .trident("train -o none --epochs 3 --teacher points.csv")
        .succeeds();
    assert!(folder.read("none/weights.bin") == folder.read("plain/weights.bin"));
}

#[test]
fn points_that_are_held_out_rows_are_refused() {
    let folder = folder();
    three_heads(&folder);
    let judged = format!("[train.regression]\ntrain_on_validation = false\n{THREE_HEADS}");
    folder.write("trident.toml", &judged);
    folder.trident("train -o run --epochs 1").succeeds();
    let split = String::from_utf8(folder.read("run/split.csv")).unwrap();
    let row_in = |part: &str| {
        let mut lines = split
            .lines()
            .filter(|line| line.starts_with("regression,") && line.ends_with(part));
        let line = lines.next().expect("every part has a row");
        line.split(',')
            .nth(1)
            .and_then(|row| row.parse::<usize>().ok())
            .expect("a row number")
    };
    let data = String::from_utf8(folder.read("levels.csv")).unwrap();
    let lines: Vec<&str> = data.lines().collect();
    let with = |part: &str| format!("{}\n5,5,5.001,100\n{}\n", lines[0], lines[row_in(part) + 1]);
    folder.write("soft.csv", with("train"));
    folder
        .trident("train -o learns --epochs 1 --teacher soft.csv")
        .succeeds();
    for part in ["validation", "test"] {
        folder.write("soft.csv", with(part));
        folder.trident("train -o cheats --epochs 1 --teacher soft.csv").fails(&[
            "soft.csv:3: its readings are those of a row that this [split] holds out to judge the regression head",
            "leave such rows out",
        ]);
    }
    // Who learns from validation rows is not judged by them.
    folder.write("soft.csv", with("validation"));
    folder.write("trident.toml", THREE_HEADS);
    folder.trident("train -o owns --epochs 1 --teacher soft.csv").succeeds();
    // But it may not teach one that is.
    folder.write("trident.toml", judged);
    folder.trident("train -o pupil --epochs 1 --teacher run").succeeds();
    folder.trident("train -o cheats --epochs 1 --teacher owns").fails(&[
        "owns: it was trained on ",
        " rows that this [split] holds out to judge the regression head",
    ]);
}
