//! Tables that cannot be trained on.

use crate::{folder, refuses_to_train};

const CLASSIFICATION: &str = "[classification]\ncsv = 'rows.csv'\nlabel = 'kind'\n";
const REGRESSION: &str = "[regression]\ncsv = 'rows.csv'\ntarget = 'level'\n";

#[track_caller]
fn refused(toml: &str, csv: impl AsRef<[u8]>, phrases: &[&str]) {
    let folder = folder();
    folder.write("trident.toml", toml);
    folder.write("rows.csv", csv);
    refuses_to_train(&folder, phrases);
}

/// Rows of two readings and a label, with the third one replaced.
fn rows_with(third: &str) -> String {
    let mut csv = "width,length,kind\n1,2,no\n3,4,yes\n".to_owned();
    csv.push_str(third);
    csv.push('\n');
    (5..40).for_each(|i| csv.push_str(&format!("{i},{},{}\n", i * i % 17, ["no", "yes"][i % 2])));
    csv
}

#[test]
fn a_missing_label_column_is_named_with_those_there_are() {
    let csv = "width,length,sort\n1,2,no\n3,4,yes\n";
    refused(
        CLASSIFICATION,
        csv,
        &["rows.csv:1: no column `kind`; there are: width, length, sort"],
    );
    refused(
        REGRESSION,
        csv,
        &["rows.csv:1: no column `level`; there are: width, length, sort"],
    );
}

#[test]
fn a_missing_column_to_drop_or_group_by_is_named() {
    let csv = rows_with("5,6,no");
    let dropped = format!("{CLASSIFICATION}drop = ['id']\n");
    refused(&dropped, &csv, &["rows.csv:1: no column `id`"]);
    let grouped = format!("{CLASSIFICATION}group_by = ['day']\n");
    refused(&grouped, &csv, &["rows.csv:1: no column `day`"]);
}

#[test]
fn text_where_a_number_belongs_is_named_with_line_and_column() {
    refused(
        CLASSIFICATION,
        rows_with("5,wide,no"),
        &[
            "rows.csv:4: column `length` holds `wide`, which is not a number",
            "`drop`",
        ],
    );
    let target = rows_with("5,6,no").replace("kind", "level");
    refused(
        REGRESSION,
        target,
        &["rows.csv:2: column `level` holds `no`, which is not a number"],
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    for text in ["NaN", "nan", "inf", "-inf", "1e39"] {
        let phrase = format!("rows.csv:4: column `width` holds `{text}`, which is not a finite 32-bit number");
        refused(CLASSIFICATION, rows_with(&format!("{text},6,no")), &[&phrase]);
    }
}

#[test]
fn an_empty_cell_is_named() {
    refused(
        CLASSIFICATION,
        rows_with("5,,no"),
        &["rows.csv:4: column `length` is empty"],
    );
    refused(
        CLASSIFICATION,
        rows_with("5,6,"),
        &["rows.csv:4: column `kind` is empty"],
    );
}

#[test]
fn a_row_of_another_length_is_named() {
    refused(
        CLASSIFICATION,
        rows_with("5,no"),
        &["rows.csv:4: 2 values where the header names 3 columns"],
    );
}

#[test]
fn an_empty_file_and_a_lone_header_are_refused() {
    refused(CLASSIFICATION, "", &["rows.csv: the file is empty"]);
    refused(
        CLASSIFICATION,
        "width,length,kind\n",
        &["rows.csv: no rows below the header"],
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    refused(
        CLASSIFICATION,
        b"width,kind\n1,\xff\xfe\n",
        &["rows.csv:2: not a CSV file in UTF-8"],
    );
}

#[test]
fn a_constant_reading_is_refused() {
    let mut csv = "width,length,kind\n".to_owned();
    (0..40).for_each(|i| csv.push_str(&format!("{i},7,{}\n", ["no", "yes"][i % 2])));
    refused(
        CLASSIFICATION,
        csv,
        &["rows.csv: column `length` is 7 in every row", "`drop`"],
    );
}

#[test]
fn one_class_only_and_a_constant_target_are_refused() {
    let csv = rows_with("5,6,no").replace("yes", "no");
    refused(
        CLASSIFICATION,
        csv,
        &["rows.csv: every row has the label `no` in column `kind`"],
    );
    let csv = "width,level\n1,5\n2,5\n3,5\n";
    refused(REGRESSION, csv, &["rows.csv: the target `level` is 5 in every row"]);
}

#[test]
fn numbers_beyond_the_devices_reach_are_refused() {
    let mut csv = "width,level\n".to_owned();
    (0..40).for_each(|i| csv.push_str(&format!("{i},{i}e35\n")));
    refused(
        REGRESSION,
        &csv,
        &["rows.csv: the target `level` reaches 1e35", "give it in another unit"],
    );
    refused(
        REGRESSION,
        csv.replace("e35", "e-42").replace("width,level", "level,width"),
        &[
            "[regression] the reading `width` cannot be scaled in 32 bits",
            "give it in another unit",
        ],
    );
}

#[test]
fn a_cause_is_said_once() {
    let folder = folder();
    folder.write("trident.toml", CLASSIFICATION);
    let said = folder
        .trident("train -o run")
        .fails(&["rows.csv: cannot read the file: No such file"]);
    assert_eq!(said.stderr.matches("No such file").count(), 1, "{said:#?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder();
    folder.write("trident.toml", CLASSIFICATION);
    refuses_to_train(&folder, &["rows.csv: cannot read the file"]);
}

#[test]
fn too_few_rows_are_refused() {
    let csv = "width,length,kind\n1,2,no\n3,4,yes\n";
    refused(
        CLASSIFICATION,
        csv,
        &["classification: ", "part of the split is empty", "bring more rows"],
    );
}

#[test]
fn more_readings_or_labels_than_a_device_holds_are_refused() {
    let names: Vec<String> = (0..65).map(|i| format!("r{i}")).collect();
    let rows: String = (0..9)
        .map(|i| format!("{}{}\n", format!("{i},").repeat(65), i % 2))
        .collect();
    let csv = format!("{},kind\n{rows}", names.join(","));
    refused(
        CLASSIFICATION,
        csv,
        &["rows.csv:1: 65 columns are readings; there must be 1 to 64"],
    );
    let rows: String = (0..60).map(|i| format!("{i},{}\n", i % 17)).collect();
    let csv = format!("width,kind\n{rows}");
    refused(
        CLASSIFICATION,
        csv,
        &["rows.csv: column `kind` has 17 different labels, at most 16"],
    );
}
