//! `eval --data`: other files, judged whole, if they are of the model's kind.

use trident_tests::own_data::{THREE_HEADS, by_product, by_sum, table};

use crate::trained;

const OTHER_ROWS: &str = "[classification]\ncsv = 'other.csv'\nlabel = 'kind'\n";
const OTHER_LEVELS: &str = "[regression]\ncsv = 'other.csv'\ntarget = 'level'\n";

#[track_caller]
fn refused(toml: &str, csv: &str, phrases: &[&str]) {
    let folder = trained();
    folder.write("other.toml", toml);
    folder.write("other.csv", csv);
    let before = folder.files();
    folder.trident("eval run --data other.toml").fails(phrases);
    assert_eq!(folder.files(), before);
}

#[test]
fn every_row_counts_and_columns_may_stand_in_another_order() {
    let folder = trained();
    folder.write("other.toml", OTHER_ROWS);
    folder.write("other.csv", "kind,d,c,b,a\nno,1,2,3,4\nyes,5,6,7,8\nno,2,2,2,2\n");
    let json = folder.trident("eval run --data other.toml --json").succeeds().json();
    assert_eq!(json["samples"], serde_json::json!({"classification": 3}));
    assert_eq!(json["heads"].as_object().unwrap().len(), 1);
}

#[test]
fn missing_and_unknown_columns_are_named() {
    let csv = table(20, &["a", "b", "c"], "kind", by_sum(&["no", "yes"]));
    refused(
        OTHER_ROWS,
        &csv,
        &["classification: the columns differ from the model's: missing: d"],
    );
    let csv = table(20, &["a", "b", "c", "d", "e"], "kind", by_sum(&["no", "yes"]));
    refused(
        OTHER_ROWS,
        &csv,
        &["the columns differ from the model's: unknown (name them in `drop`): e"],
    );
    let csv = table(20, &["x", "y", "w"], "level", by_product);
    refused(
        OTHER_LEVELS,
        &csv,
        &[
            "regression: the columns differ from the model's: missing: z; unknown",
            ": w",
        ],
    );
}

#[test]
fn another_label_or_target_is_named() {
    let csv = "a,b,c,d,kind\n1,2,3,4,no\n1,2,3,4,perhaps\n";
    refused(
        OTHER_ROWS,
        csv,
        &["other.csv:3: column `kind` holds the label `perhaps`; the model knows: no, yes"],
    );
    let csv = table(20, &["x", "y", "z"], "loudness", by_product);
    let toml = OTHER_LEVELS.replace("'level'", "'loudness'");
    refused(
        &toml,
        &csv,
        &["regression: the target is `loudness`, the model's is `level`"],
    );
}

#[test]
fn other_classes_or_another_size_are_named() {
    let other = THREE_HEADS.replace("\"disc\", \"bar\"", "\"bar\", \"disc\"");
    refused(
        &other,
        "",
        &["segmentation: classes are [ground, bar, disc]; they must be [ground, disc, bar]"],
    );
    let other = THREE_HEADS.replace("[16, 16]", "[24, 16]");
    refused(&other, "", &["segmentation: `size` is 24×16, the model reads 16×16"]);
}

#[test]
fn a_fault_in_other_files_is_named_as_in_training() {
    refused(
        OTHER_ROWS,
        "a,b,c,d,kind\n1,2,x,4,no\n",
        &["other.csv:2: column `c` holds `x`, which is not a number"],
    );
    refused(
        "[classification]\ncsv = 'a'\n",
        "",
        &["other.toml:1:1: missing field `label`"],
    );
}

#[test]
fn data_for_a_head_that_the_model_lacks_are_refused() {
    let folder = trained();
    let (rows, _) = THREE_HEADS.split_once("[segmentation]").unwrap();
    folder.write("rows.toml", rows);
    folder.trident("train -c rows.toml -o rows --epochs 1").succeeds();
    folder.trident("quantize rows").succeeds();
    folder
        .trident("eval rows --data trident.toml")
        .fails(&["there are segmentation data, but the model has no such head; remove the section [segmentation]"]);
}
