//! Learning from teachers, above all from runs of ours.

use trident_tests::command::Folder;
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::soft_labels::good_classes;
use crate::{folder, refuses_to_train};

/// Data for three heads, and a run of them in `big` to learn from.
fn with_teacher() -> Folder {
    let folder = folder();
    three_heads(&folder);
    folder.trident("train -o big --epochs 3 --seed 9").succeeds();
    folder
}

#[test]
fn a_run_teaches_every_head_that_it_has() {
    let folder = with_teacher();
    folder.trident("train -o plain --epochs 3").succeeds();
    folder.trident("train -o taught --epochs 3 --teacher big").succeeds();
    folder.trident("train -o again --epochs 3 --teacher big").succeeds();
    let read = |run: &str, file: &str| folder.read(&format!("{run}/{file}"));
    assert!(
        read("taught", "weights.bin") == read("again", "weights.bin"),
        "one seed, one teacher, one model"
    );
    assert!(
        read("taught", "weights.bin") != read("plain", "weights.bin"),
        "the teacher matters"
    );
    let record: serde_json::Value = serde_json::from_slice(&read("taught", "run.json")).unwrap();
    let teachers = record["teachers"].as_array().expect("the run remembers its teachers");
    assert_eq!(teachers.len(), 1);
    assert_eq!(
        teachers[0]["heads"],
        serde_json::json!(["classification", "segmentation", "regression"])
    );
    assert_eq!(teachers[0]["sha256"].as_str().map(str::len), Some(64));
    for (head, fresh) in [("classification", 1.0), ("segmentation", 0.0), ("regression", 1.0)] {
        assert_eq!(record["recipes"][head]["fresh"], fresh, "{head}");
        assert!(record["recipes"][head]["distill"].as_f64() > Some(0.0), "{head}");
    }
    let plain: serde_json::Value = serde_json::from_slice(&read("plain", "run.json")).unwrap();
    assert_eq!(plain.get("teachers"), None);
    assert_eq!(plain["recipes"]["classification"]["distill"], 0.0);
    folder.trident("quantize taught").succeeds();
}

#[test]
fn several_teachers_teach_by_their_mean() {
    let folder = with_teacher();
    folder.trident("train -o other --epochs 3 --seed 8").succeeds();
    folder.trident("train -o one --epochs 2 --teacher big").succeeds();
    folder
        .trident("train -o two --epochs 2 --teacher big --teacher other")
        .succeeds();
    folder
        .trident("train -o twice --epochs 2 --teacher big --teacher big")
        .succeeds();
    let weights = |run: &str| folder.read(&format!("{run}/weights.bin"));
    assert!(weights("one") != weights("two"));
    assert!(
        weights("one") == weights("twice"),
        "the mean of one and the same is itself"
    );
}

#[test]
fn a_teacher_that_is_no_teacher_is_refused() {
    let folder = folder();
    three_heads(&folder);
    folder.write("empty/notes.txt", "no run");
    let before = folder.files();
    folder
        .trident("train -o run --teacher nowhere")
        .fails(&["nowhere: there is no such run folder or CSV file"]);
    folder
        .trident("train -o run --teacher empty")
        .fails(&["empty: not a run folder"]);
    folder
        .trident("train -o run --data random --teacher empty")
        .fails(&["there is nothing to teach"]);
    assert_eq!(folder.files(), before);
    folder.write(
        "trident.toml",
        format!("[train.classification]\ndistill = 0.5\n{THREE_HEADS}"),
    );
    refuses_to_train(
        &folder,
        &["[train.classification] distill: no teacher teaches this head; name one by `--teacher`"],
    );
    folder.write(
        "trident.toml",
        format!("[train.regression]\ndistill = 1.5\n{THREE_HEADS}"),
    );
    refuses_to_train(&folder, &["[train.regression] distill: 1.5 is not a share from 0 to 1"]);
}

#[test]
fn a_teacher_that_knows_the_held_out_rows_is_refused() {
    let folder = with_teacher();
    folder.write("trident.toml", format!("[split]\nseed = 43\n{THREE_HEADS}"));
    folder.trident("train -o run --epochs 2 --teacher big").fails(&[
        "big: it was trained on ",
        " rows that this [split] holds out to judge the classification head",
        "train the teacher with this [split] and these groups",
    ]);
    // The same split, but the teacher knew some of the data only: what it never saw may judge.
    folder.write(
        "trident.toml",
        THREE_HEADS.replace("[regression]\ncsv = \"levels.csv\"\ntarget = \"level\"\n", ""),
    );
    folder.trident("train -o two-heads --epochs 2 --teacher big").succeeds();
}

#[test]
fn a_teacher_of_other_classes_or_targets_is_refused() {
    let folder = with_teacher();
    folder.write(
        "rows.csv",
        String::from_utf8(folder.read("rows.csv"))
            .unwrap()
            .replace(",yes", ",aye"),
    );
    // The teacher's own data have changed, so what it was trained on is unknown.
    folder
        .trident("train -o run --teacher big")
        .fails(&["teacher ", "big: the data have changed since this run was trained"]);
    let other = crate::folder();
    three_heads(&other);
    other.write("teacher.toml", "[classification]\ncsv = 'other.csv'\nlabel = 'kind'\n");
    other.write(
        "other.csv",
        String::from_utf8(other.read("rows.csv"))
            .unwrap()
            .replace(",yes", ",aye"),
    );
    other.trident("train -c teacher.toml -o big --epochs 2").succeeds();
    other
        .trident("train -o run --teacher big")
        .fails(&["big: classification: classes are [no, yes]; they must be [aye, no]"]);
}

#[test]
fn another_teacher_cannot_take_over() {
    let folder = with_teacher();
    folder.write("classes.csv", good_classes());
    folder
        .trident("train -o whole --epochs 4 --teacher big --teacher classes.csv")
        .succeeds();
    folder.trident("train -o whole --resume").succeeds();
    folder.write("classes.csv", good_classes().replace("3,0.25,0.75", "3,0.5,0.5"));
    folder
        .trident("train -o whole --resume")
        .fails(&["the checkpoint of classification was made with other data, settings or teachers"]);
    folder
        .trident("train -o whole --resume --teacher big")
        .fails(&["cannot be used with"]);
}
