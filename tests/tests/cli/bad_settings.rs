//! Configurations and words that make no sense.

use trident_tests::command::Folder;
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{folder, refuses_to_train};

/// Data for three heads, and a configuration with those lines added.
fn with(lines: &str) -> Folder {
    let folder = folder();
    three_heads(&folder);
    folder.write("trident.toml", format!("{lines}\n{THREE_HEADS}"));
    folder
}

#[track_caller]
fn refused(lines: &str, phrases: &[&str]) {
    refuses_to_train(&with(lines), phrases);
}

#[test]
fn an_unknown_key_or_section_is_named_with_line_and_column() {
    refused("[train]\nepoch = 3", &["trident.toml:2:1: unknown field `epoch`"]);
    refused("[train.regression]\nlr = 3", &["trident.toml:2:1: unknown field `lr`"]);
    refused("[training]\nseed = 3", &["trident.toml:1:2: unknown field `training`"]);
}

#[test]
fn what_is_no_toml_is_named_with_line_and_column() {
    refused("[train\nseed = 3", &["trident.toml:1:7: "]);
    refused("[train]\nseed = 'x'", &["trident.toml:2:8: ", "string \"x\""]);
}

#[test]
fn an_unknown_preset_backend_or_optimiser_lists_those_there_are() {
    refused(
        "[train]\npreset = 'big'",
        &[
            "trident.toml:2:10: ",
            "unknown variant `big`, expected one of `edge`, `seed`, `fused`",
        ],
    );
    refused(
        "[train]\nbackend = 'gpu'",
        &["trident.toml:2:11: ", "expected `flex` or `ndarray`"],
    );
    refused(
        "[train.regression]\noptimizer = 'sgd'",
        &["trident.toml:2:13: ", "expected `adam` or `adamw`"],
    );
}

#[test]
fn zero_and_negative_settings_are_refused() {
    refused(
        "[train.regression]\nepochs = 0",
        &["[train.regression] epochs: at least 1"],
    );
    refused(
        "[train.classification]\nbatch = 0",
        &["[train.classification] batch: at least 1"],
    );
    refused("[train.segmentation]\nepochs = -1", &["trident.toml:2:10: ", "`-1`"]);
    refused(
        "[train.regression]\nlearning_rate = 0.0",
        &["[train.regression] learning_rate: 0 is not a positive number"],
    );
    refused(
        "[train.regression]\nlearning_rate = -0.1",
        &["learning_rate: -0.1 is not a positive number"],
    );
    refused(
        "[train.regression]\nlearning_rate = nan",
        &["learning_rate: NaN is not a positive number"],
    );
    refused(
        "[train.regression]\nweight_decay = -1.0",
        &["[train.regression] weight_decay: -1 is negative"],
    );
    refused(
        "[train.classification]\ndropout = 1.0",
        &["[train.classification] dropout: 1 is not a share"],
    );
    refused(
        "[train.segmentation]\nfocal = 0.5",
        &["[train.segmentation] focal: 0.5 is neither 0, which is off, nor between 1 and 5"],
    );
    refused(
        "[train.augmentation]\ncrop = 1.5",
        &["trident.toml:2:8: 1.5 is not between 0 and 1"],
    );
    refused(
        "[train.classification]\nema = -0.5",
        &["[train.classification] ema: -0.5 is not a share"],
    );
    refused(
        "[train.loss_weights]\nregression = -1.0",
        &["trident.toml:2:14: -1 is not a positive number"],
    );
    refused(
        "[train.loss_weights]\nregression = 0.0",
        &["trident.toml:2:14: 0 is not a positive number"],
    );
    refused(
        "[train.augmentation]\nbrightness = -0.5",
        &["trident.toml:2:14: -0.5 is not between 0 and 1"],
    );
    refused("[train]\nseed = -1", &["trident.toml:2:8: ", "`-1`"]);
}

#[test]
fn shares_that_leave_nothing_to_train_on_are_refused() {
    refused(
        "[split]\ntest = 0.7\nvalidation = 0.4",
        &["trident.toml:1:1: ", "leave nothing to train on"],
    );
    refused("[split]\ntest = -0.2", &["trident.toml:1:1: ", "shares of the rows"]);
}

#[test]
fn class_weights_of_another_number_are_refused() {
    refused(
        "[train.segmentation]\nclass_weights = [1.0, 2.0]",
        &["class_weights: 2 given for 3 classes"],
    );
    refused(
        "[train.classification]\nclass_weights = [1.0, 0.0]",
        &["class_weights: every weight must be a positive"],
    );
}

#[test]
fn widths_of_another_number_or_without_units_are_refused() {
    refused(
        "[model]\nsegmentation = [8]",
        &["[model] segmentation: 1 numbers given"],
    );
    refused("[model]\nregression = [0]", &["the preset makes no valid model"]);
}

#[test]
fn a_configuration_without_data_or_of_another_name_is_refused() {
    let folder = folder();
    folder.write("trident.toml", "[split]\nseed = 1\n");
    refuses_to_train(
        &folder,
        &["trident.toml: no data; add at least one of [classification]"],
    );
    folder
        .trident("train -c other.toml -o run")
        .fails(&["other.toml: cannot read the configuration"]);
    let empty = crate::folder();
    empty
        .trident("train -o run")
        .fails(&["there is no trident.toml in this folder", "--data builtin"]);
    assert!(empty.files().is_empty(), "{:?}", empty.files());
}

#[test]
fn words_that_make_no_sense_are_refused_with_status_1() {
    let folder = with("");
    let before = folder.files();
    folder
        .trident("train -o run --preset big")
        .fails(&["'big'", "there are `edge`, `seed` and `fused`"]);
    folder.trident("train -o run --epochs 0").fails(&["epochs: at least 1"]);
    folder.trident("train -o run --epochs=-3").fails(&["'-3'"]);
    folder
        .trident("train -o run --data builtin -c trident.toml")
        .fails(&["cannot be used with"]);
    folder
        .trident("train -o run --resume --seed 3")
        .fails(&["cannot be used with"]);
    folder
        .trident("eval run --on qemu:mps9")
        .fails(&["no firmware for a board called `mps9`; there is for mps2-an386"]);
    folder
        .trident("eval run --on moon")
        .fails(&["`moon` is no device", "float or int8"]);
    folder
        .trident("eval run --on qemu:mps2-an386,usb")
        .fails(&["`usb` is no setting"]);
    folder.trident("fly").fails(&["'fly'"]);
    assert_eq!(folder.files(), before);
    folder.trident("--help").succeeds();
    folder.trident("--version").succeeds();
}
