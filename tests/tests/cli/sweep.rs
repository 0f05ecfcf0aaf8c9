//! `trident sweep`: budgets, fronts, Ctrl-C, and going on.

use std::collections::HashMap;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use trident_tests::command::Folder;
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{folder, trained};

/// Few and small networks, trained for some epochs.
const GRID: &str = "
[sweep.classification]
widths = [[4], [8, 4], [16]]
[sweep.segmentation]
widths = [[4, 4, 8, 8, 4], [8, 12, 16, 20, 8]]
blocks = [[0, 0, 0, 0]]
sizes = [[16, 16], [8, 8]]
[sweep.regression]
widths = [[4], [16]]
[train.classification]
epochs = 4
[train.segmentation]
epochs = 4
[train.regression]
epochs = 8
";

fn with_grid() -> Folder {
    let folder = folder();
    three_heads(&folder);
    folder.write("trident.toml", format!("{THREE_HEADS}{GRID}"));
    folder
}

fn head<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    let heads = report["heads"].as_array().unwrap();
    let head = heads
        .iter()
        .find(|head| head["head"] == name)
        .expect("the head is there");
    head["candidates"].as_array().unwrap()
}

/// When each run's weights were written.
fn weights(folder: &Folder) -> HashMap<String, SystemTime> {
    let files = folder.files().into_iter().filter(|name| name.ends_with("weights.bin"));
    files
        .map(|name| {
            let written = std::fs::metadata(folder.path(&name)).and_then(|file| file.modified());
            (name, written.unwrap())
        })
        .collect()
}

#[test]
fn a_sweep_prices_trains_and_judges_and_does_nothing_twice() {
    let folder = with_grid();
    let said = folder
        .trident("sweep -o swept --epochs-share 0.5 --finalists 2 --json")
        .succeeds();
    let report = said.json();
    assert_eq!(
        report,
        serde_json::from_slice::<Value>(&folder.read("swept/sweep.json")).unwrap()
    );
    for (name, count) in [("classification", 3), ("segmentation", 4), ("regression", 2)] {
        let candidates = head(&report, name);
        assert_eq!(candidates.len(), count);
        assert!(
            candidates.iter().any(|candidate| candidate["front"] == true),
            "{candidates:#?}"
        );
        for candidate in candidates {
            assert!(candidate["validation"].is_f64(), "{candidate:#?}");
            let run = format!("swept/runs/{name}/{}-e", candidate["name"].as_str().unwrap());
            assert!(folder.files().iter().any(|file| file.starts_with(&run)), "{run}");
        }
    }
    let models = report["models"].as_array().unwrap();
    let finalists: Vec<&Value> = models.iter().filter(|model| !model["finalist"].is_null()).collect();
    assert_eq!(finalists.len(), 2);
    for model in finalists {
        assert_eq!(model["front"], true);
        for figures in ["validation", "test", "test_int8"] {
            assert_eq!(model["finalist"][figures].as_object().unwrap().len(), 3, "{model:#?}");
        }
    }
    let scores: Vec<f64> = models.iter().map(|model| model["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    let picture = String::from_utf8(folder.read("swept/sweep.svg")).unwrap();
    assert_eq!(picture.matches("whole models").count(), 3, "a panel per cost");

    let before = weights(&folder);
    let again = folder
        .trident("sweep -o swept --epochs-share 0.5 --finalists 2 --json")
        .succeeds();
    assert_eq!(again.json(), report);
    assert_eq!(weights(&folder), before, "a finished training was done again");

    folder.trident("train -c swept/best.toml -o best --epochs 1").succeeds();
}

/// The quantiser's own figures, after training, are those that were foretold.
#[test]
fn costs_are_known_before_training() {
    let folder = with_grid();
    let report = folder
        .trident("sweep -o swept --heads segmentation --epochs-share 1 --json")
        .succeeds();
    let report = report.json();
    for candidate in head(&report, "segmentation") {
        let run = format!("swept/runs/segmentation/{}-e4", candidate["name"].as_str().unwrap());
        let quantized = folder.trident(&format!("quantize {run} --json")).succeeds().json();
        assert_eq!(candidate["cost"]["arena_bytes"], quantized["arena_bytes"]);
        assert_eq!(candidate["cost"]["parameters"], quantized["parameters"]);
        let [foretold, found] =
            [&candidate["cost"]["blob_bytes"], &quantized["blob_bytes"]].map(|n| n.as_i64().unwrap());
        assert!(
            (foretold - found).abs() <= 32,
            "{foretold} bytes foretold, {found} found"
        );
    }
}

#[test]
fn what_breaks_a_budget_is_not_trained() {
    let folder = with_grid();
    let all = folder
        .trident("sweep -o all --heads regression --json")
        .succeeds()
        .json();
    let mut sizes: Vec<u64> = head(&all, "regression")
        .iter()
        .map(|candidate| candidate["cost"]["blob_bytes"].as_u64().unwrap())
        .collect();
    sizes.sort_unstable();
    let words = format!("sweep -o some --heads regression --flash {} --json", sizes[0]);
    let some = folder.trident(&words).succeeds().json();
    for candidate in head(&some, "regression") {
        let fits = candidate["cost"]["blob_bytes"].as_u64() <= Some(sizes[0]);
        assert_eq!(
            candidate["breaks"].as_array().unwrap().is_empty(),
            fits,
            "{candidate:#?}"
        );
        assert_eq!(candidate["validation"].is_null(), !fits, "{candidate:#?}");
    }

    let before = folder.files();
    folder.trident("sweep -o none --flash 1000").fails(&[
        "no model fits `--flash 1000`: the cheapest, classification 4 + segmentation",
        "bytes of flash",
    ]);
    folder
        .trident("sweep -o none --heads segmentation --arena 10")
        .fails(&["`--arena 10`", "bytes of arena"]);
    assert_eq!(folder.files(), before, "a refused sweep left something behind");
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let folder = with_grid();
    let before = folder.files();
    let refused = |config: &str, words: &str, phrases: &[&str]| {
        folder.write("trident.toml", config);
        folder.trident(&format!("sweep -o swept {words}")).fails(phrases);
    };
    refused(THREE_HEADS, "--heads colour", &["colour", "`segmentation`"]);
    let seed = format!("{THREE_HEADS}[train]\npreset = \"seed\"\n");
    refused(&seed, "", &["`seed` has none to vary"]);
    let empty = format!("{THREE_HEADS}[sweep.regression]\nwidths = []\n");
    refused(&empty, "", &["[sweep.regression] lists nothing to try"]);
    let odd = format!("{THREE_HEADS}[sweep.segmentation]\nsizes = [[10, 10]]\n");
    refused(&odd, "", &["10×10", "8×8 and 16×16"]);
    refused(THREE_HEADS, "--epochs-share 0", &["above 0, up to 1"]);
    assert_eq!(folder.files(), before);

    let run = trained();
    run.trident("sweep -o run")
        .fails(&["holds files, but no sweep", "`-o`"]);
}

#[test]
fn other_settings_do_not_pass_for_the_same_sweep() {
    let folder = with_grid();
    folder.trident("sweep -o swept --heads regression").succeeds();
    let other = format!("{THREE_HEADS}{GRID}learning_rate = 0.001\n");
    folder.write("trident.toml", other);
    folder
        .trident("sweep -o swept --heads regression")
        .fails(&["swept/runs/regression/", "other data or settings"]);
}

#[test]
fn an_interrupted_sweep_stops_its_children_and_goes_on() {
    let folder = with_grid();
    let long = GRID.replace("epochs = 4", "epochs = 4000");
    folder.write("trident.toml", format!("{THREE_HEADS}{long}"));
    let words = "sweep -o swept --heads classification,regression --epochs-share 1 --jobs 2";
    let child = folder.command(words).spawn().unwrap();
    wait_for(&folder, "-e4000/run.json");
    std::thread::sleep(Duration::from_millis(300));
    let said = interrupt(child);
    assert!(said.contains("interrupted; the same command goes on"), "{said}");
    let files = folder.files();
    let checkpoint = files
        .iter()
        .find(|name| name.ends_with("-e4000/checkpoint-classification.bin"));
    let checkpoint = checkpoint.unwrap_or_else(|| panic!("a child left no checkpoint: {files:#?}"));
    // Nobody trains any more: the folder's lock is free, and `--resume` is the run's own.
    let run = checkpoint.trim_end_matches("/checkpoint-classification.bin");
    folder.trident(&format!("train -o {run} --resume")).succeeds();
    let short = format!("{THREE_HEADS}{GRID}");
    folder.write("trident.toml", short);
    folder
        .trident("sweep -o swept --heads classification,regression --epochs-share 1")
        .succeeds();
}

fn wait_for(folder: &Folder, end: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.files().iter().any(|name| name.ends_with(end)) {
        assert!(Instant::now() < deadline, "no training begins");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What the terminal sends on Ctrl-C, to the parent alone; what it said.
fn interrupt(child: Child) -> String {
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(status.expect("a shell").success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
