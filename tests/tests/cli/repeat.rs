//! The same seed gives the same bytes, whether training ran through or was interrupted.

use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use trident_tests::command::{Folder, Said};
use trident_tests::own_data::three_heads;

use crate::folder;

/// Epochs that take some seconds on the data of [`three_heads`].
const EPOCHS: usize = 150;

/// How long training is left alone before Ctrl-C: long enough for some epochs, and far from all.
const BEFORE_INTERRUPTION: Duration = Duration::from_millis(700);

#[test]
fn an_interrupted_training_goes_on_to_the_same_bytes() {
    let folder = folder();
    three_heads(&folder);
    folder.trident(&format!("train -o whole --epochs {EPOCHS}")).succeeds();
    folder.trident("quantize whole").succeeds();

    let said = interrupted(&folder, &format!("train -o run --epochs {EPOCHS}"));
    said.fails(&["interrupted, resume with `trident train -o run --resume`"]);
    let files = folder.files();
    let checkpoints = ["classification", "segmentation", "regression"].map(|head| format!("run/checkpoint-{head}.bin"));
    checkpoints
        .iter()
        .for_each(|name| assert!(files.contains(name), "{name} is not among {files:?}"));
    assert!(!files.contains(&"run/weights.bin".to_owned()), "{files:?}");
    let half_way = folder.read("run/history.csv").len();
    assert!(
        half_way < folder.read("whole/history.csv").len(),
        "training was over before it was interrupted"
    );
    folder
        .trident("quantize run")
        .fails(&["there is no weights.bin yet", "`trident train -o run --resume`"]);

    interrupted(&folder, "train -o run --resume").fails(&["interrupted, resume with"]);
    assert!(
        folder.read("run/history.csv").len() > half_way,
        "the second part did not go on from the first"
    );
    folder.trident("train -o run --resume").succeeds();
    folder.trident("quantize run").succeeds();
    for name in [
        "weights.bin",
        "history.csv",
        "metrics.json",
        "transforms.json",
        "model.tri",
    ] {
        assert!(
            folder.read(&format!("run/{name}")) == folder.read(&format!("whole/{name}")),
            "{name} differs"
        );
    }
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let folder = folder();
    three_heads(&folder);
    folder.trident("train -o whole --epochs 20").succeeds();
    let mut child = start(&folder, "train -o run --epochs 20");
    wait_for_training(&folder, None);
    child.kill().unwrap();
    child.wait().unwrap();
    folder.trident("train -o run --resume").succeeds();
    assert!(folder.read("run/weights.bin") == folder.read("whole/weights.bin"));
    // A finished training has nothing left to do, and changes nothing.
    folder.trident("train -o run --resume").succeeds();
    assert!(folder.read("run/weights.bin") == folder.read("whole/weights.bin"));
}

#[test]
fn one_seed_gives_one_model_and_another_seed_another() {
    let folder = folder();
    three_heads(&folder);
    for (run, seed) in [("one", 5), ("again", 5), ("other", 6)] {
        folder
            .trident(&format!("train -o {run} --epochs 3 --seed {seed}"))
            .succeeds();
        folder.trident(&format!("quantize {run}")).succeeds();
    }
    for name in ["weights.bin", "model.tri", "metrics.json", "history.csv"] {
        let [one, again, other] = ["one", "again", "other"].map(|run| folder.read(&format!("{run}/{name}")));
        assert!(one == again, "{name} differs between two trainings of one seed");
        assert!(one != other, "{name} is the same for two seeds");
    }
}

#[test]
fn an_interruption_before_training_leaves_nothing_behind() {
    let folder = folder();
    let before = folder.files();
    let mut child = start(&folder, "train --data builtin -o run");
    interrupt(&child);
    let status = child.wait().unwrap();
    assert!(!status.success(), "{status}");
    assert_eq!(folder.files(), before);
}

/// Starts a training, lets it train for a while, and presses Ctrl-C.
fn interrupted(folder: &Folder, words: &str) -> Said {
    let earlier = began(folder);
    let child = start(folder, words);
    wait_for_training(folder, earlier);
    std::thread::sleep(BEFORE_INTERRUPTION);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    Said {
        words: format!("trident {words}, then Ctrl-C"),
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// When training last began: it writes `run.json` then.
fn began(folder: &Folder) -> Option<SystemTime> {
    std::fs::metadata(folder.path("run/run.json"))
        .and_then(|file| file.modified())
        .ok()
}

fn wait_for_training(folder: &Folder, earlier: Option<SystemTime>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while began(folder) == earlier {
        assert!(Instant::now() < deadline, "training does not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn start(folder: &Folder, words: &str) -> Child {
    folder.command(words).spawn().expect("the program starts")
}

/// What the terminal sends on Ctrl-C.
fn interrupt(child: &Child) {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(status.expect("a shell").success());
}
