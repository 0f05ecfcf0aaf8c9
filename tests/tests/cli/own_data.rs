//! A user's own files, of other counts, names and sizes than the built-in ones, from training to the device, on one firmware.

use serde_json::{Value, json};
use trident_host::device::BOARDS;
use trident_host::toolchain::Toolchain;
use trident_tests::command::Folder;
use trident_tests::own_data::{Masks, by_product, by_sum, pictures, table};

use crate::folder;

const SEVEN: [&str; 7] = ["north", "east", "south", "west", "up", "down", "skew"];

/// What a run's blob is like: values per test row of every head, and words that `inspect` says.
struct Expected<'e> {
    values: &'e [(&'e str, u64)],
    words: &'e [&'e str],
}

/// Trains, quantises, inspects, and evaluates on host and device.
fn goes_all_the_way(folder: &Folder, expected: &Expected) {
    let firmware = firmware();
    folder.trident("train -c trident.toml -o run --epochs 2").succeeds();
    folder.trident("quantize run").succeeds();
    let said = folder.trident("inspect run/model.tri --verify").succeeds();
    for phrase in expected.words {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
    let host = folder.trident("eval run --on int8 --json").succeeds().json();
    let device = folder.trident("eval run --on qemu:mps2-an386 --json").succeeds().json();
    let float = folder.trident("eval run --on float --json").succeeds().json();
    assert_eq!(host["on"], "int8");
    assert_eq!(device["on"], "qemu:mps2-an386");
    assert_eq!(float["on"], "float");
    assert_eq!(device["heads"], host["heads"], "equal outputs have equal figures");
    assert_eq!(device["samples"], host["samples"]);
    assert_eq!(device["differing_values"], 0);
    let samples = device["samples"].as_object().unwrap();
    assert_eq!(samples.len(), expected.values.len(), "{samples:?}");
    let values = expected
        .values
        .iter()
        .map(|&(head, values)| samples[head].as_u64().unwrap() * values);
    assert_eq!(device["compared_values"], values.sum::<u64>());
    for report in [&host, &device, &float] {
        expected
            .values
            .iter()
            .for_each(|&(head, _)| has_figures(head, &report["heads"][head]));
    }
    assert_eq!(firmware, self::firmware(), "no firmware was built anew");
}

/// The figures that the issue promises for each head, every one a finite number.
fn has_figures(head: &str, figures: &Value) {
    let names: &[&str] = match head {
        "classification" => &["accuracy", "auc", "f1"],
        "segmentation" => &["miou", "iou"],
        _ => &["rmse", "mae", "r2"],
    };
    for name in names {
        let figure = &figures[name];
        let numbers = figure.as_array().cloned().unwrap_or_else(|| vec![figure.clone()]);
        assert!(
            !numbers.is_empty() && numbers.iter().all(Value::is_number),
            "{head} {name}: {figures}"
        );
    }
}

fn firmware() -> Vec<u8> {
    let elf = Toolchain::new().and_then(|toolchain| toolchain.firmware(&BOARDS[0], None));
    std::fs::read(elf.unwrap_or_else(|error| panic!("{error}"))).expect("the firmware is read")
}

#[test]
fn three_labels_seven_readings_and_indexed_masks_of_48_pixels() {
    let folder = folder();
    folder.write(
        "data/moves.csv",
        table(400, &SEVEN, "move", by_sum(&["left", "right", "still"])),
    );
    folder.write("data/load.csv", table(300, &["a", "b", "c"], "load", by_product));
    pictures(&folder, 30, [48, 48], Masks::Indices, true);
    folder.write(
        "trident.toml",
        "[classification]\ncsv = 'data/moves.csv'\nlabel = 'move'\n\
         [segmentation]\nimages = 'images'\nmasks = 'masks'\nclasses = ['ground', 'disc', 'bar']\nsize = [48, 48]\n\
         [regression]\ncsv = 'data/load.csv'\ntarget = 'load'\n",
    );
    goes_all_the_way(
        &folder,
        &Expected {
            values: &[("classification", 3), ("segmentation", 48 * 48 * 3), ("regression", 1)],
            words: &[
                "7 readings: north, east",
                "left, right, still",
                "RGB picture 48×48",
                "ground, disc, bar",
                "3 readings",
            ],
        },
    );
    let report = folder.trident("eval run --on int8 --json --limit 5").succeeds().json();
    assert_eq!(
        report["samples"],
        json!({"classification": 5, "regression": 5, "segmentation": 5})
    );
}

#[test]
fn pictures_alone_cut_into_tiles_of_64_pixels() {
    let folder = folder();
    pictures(&folder, 10, [150, 140], Masks::OneHot, true);
    folder.write(
        "trident.toml",
        "[segmentation]\nimages = 'images'\nmasks = 'masks'\nclasses = ['ground', 'disc', 'bar']\nsize = [64, 64]\n\
         fit = 'tile'\n",
    );
    goes_all_the_way(
        &folder,
        &Expected {
            values: &[("segmentation", 64 * 64 * 3)],
            words: &["RGB picture 64×64", "ground, disc, bar"],
        },
    );
    let report = folder.trident("eval run --json --data trident.toml").succeeds().json();
    assert_eq!(
        report["samples"],
        json!({"segmentation": 40}),
        "four tiles of each picture"
    );
}

#[test]
fn crops_reach_over_tiles_that_lie_side_by_side() {
    let folder = folder();
    pictures(&folder, 30, [48, 40], Masks::OneHot, true);
    let config = |further: &str| {
        format!(
            "[segmentation]\nimages = 'images'\nmasks = 'masks'\nclasses = ['ground', 'disc', 'bar']\nsize = [16, 16]\n{further}"
        )
    };
    folder.write("trident.toml", config("fit = 'tile'\n"));
    let train = |run: &str| {
        folder
            .trident(&format!("train -c trident.toml -o {run} --epochs 1 --json"))
            .succeeds()
    };
    let training = |run: &str| {
        let split = String::from_utf8(folder.read(&format!("{run}/split.csv"))).unwrap();
        split.lines().filter(|line| line.ends_with(",train")).count()
    };
    let said = train("cropped");
    // Whole photographs are for training, six tiles each.
    let tiles = training("cropped");
    assert!(tiles > 100 && tiles % 6 == 0, "{tiles}");
    assert_eq!(said.json()["neighbours"], tiles);
    assert!(
        said.stderr
            .contains(&format!("{tiles} of {tiles} training pictures lie beside others")),
        "{said:#?}"
    );
    folder.write(
        "trident.toml",
        config("fit = 'tile'\n[train.augmentation]\ncrop = 0.0\n"),
    );
    let said = train("whole");
    assert!(
        said.json().get("neighbours").is_none() && !said.stderr.contains("lie beside"),
        "{said:#?}"
    );

    // Pictures that were cut before, and a table that tells where.
    let mut table = "file,photo,x,y,tile_px\n".to_owned();
    let names = std::fs::read_dir(folder.path("images")).unwrap();
    let mut names: Vec<String> = names
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for (i, name) in names.iter().enumerate() {
        table.push_str(&format!("{name},{},{},0,224\n", i / 2, i % 2 * 224));
    }
    folder.write("index.csv", &table);
    folder.write(
        "trident.toml",
        config("groups = { file = 'index.csv', column = 'photo' }\n"),
    );
    // Both halves of a photograph are in one part.
    assert_eq!(train("placed").json()["neighbours"], training("placed"));
    folder.write("index.csv", table.replace(",224\n", ",-1\n"));
    let refused = folder.trident("train -c trident.toml -o refused");
    refused.fails(&[
        "index.csv: no place for the picture",
        "tile_px = -1",
        "need other names",
    ]);
}

#[test]
fn two_labels_of_three_readings_and_a_number_of_seven() {
    let folder = folder();
    folder.write("a b.csv", table(300, &["p", "q", "r"], "state", by_sum(&["off", "on"])));
    folder.write("c.csv", table(300, &SEVEN, "x y", by_product));
    folder.write(
        "trident.toml",
        "[classification]\ncsv = 'a b.csv'\nlabel = 'state'\n[regression]\ncsv = 'c.csv'\ntarget = 'x y'\n\
         transforms = { north = ['standardise', 'quantile'], east = 'signed_log' }\n",
    );
    goes_all_the_way(
        &folder,
        &Expected {
            values: &[("classification", 1), ("regression", 1)],
            words: &["3 readings: p, q, r", "off, on", "7 readings: north", "x y"],
        },
    );
}

#[test]
fn a_wide_row_with_sixteen_labels() {
    let names: Vec<String> = (0..64).map(|i| format!("r{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let labels: Vec<String> = (0..16).map(|i| format!("label{i}")).collect();
    let mut row = 0;
    let tell = |_: &[f32]| {
        row += 1;
        labels[row % 16].clone()
    };
    let folder = folder();
    folder.write("wide.csv", table(480, &names, "label", tell));
    folder.write("trident.toml", "[classification]\ncsv = 'wide.csv'\nlabel = 'label'\n");
    goes_all_the_way(
        &folder,
        &Expected {
            values: &[("classification", 16)],
            words: &["64 readings: r0", "label15"],
        },
    );
}
