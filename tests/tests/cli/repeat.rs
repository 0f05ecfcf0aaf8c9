//! The same seed gives the same bytes, whether training ran through or was interrupted.

use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use trident_tests::command::{Folder, Said};
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::folder;

/// Epochs that keep every head busy for some seconds, beside the data of [`three_heads`].
const SOME_SECONDS: [(&str, usize); 3] = [("classification", 4_000), ("segmentation", 250), ("regression", 3_000)];

/// How long training is left alone before Ctrl-C: long enough for some epochs, and far from all.
const BEFORE_INTERRUPTION: Duration = Duration::from_millis(900);

#[test]
fn an_interrupted_training_goes_on_to_the_same_bytes() {
    let folder = folder();
    three_heads(&folder);
    let epochs = SOME_SECONDS.map(|(head, epochs)| format!("[train.{head}]\nepochs = {epochs}\n"));
    folder.write("trident.toml", format!("{THREE_HEADS}{}", epochs.concat()));
    folder.trident("train -o whole").succeeds();
    folder.trident("quantize whole").succeeds();

    interrupted(&folder, "train -o run").fails(&["interrupted, resume with `trident train -o run --resume`"]);
    let first = epochs_done(&folder);
    let files = folder.files();
    for (done, (head, epochs)) in first.iter().zip(SOME_SECONDS) {
        let checkpoint = format!("run/checkpoint-{head}.bin");
        assert!(files.contains(&checkpoint), "{checkpoint} is not among {files:?}");
        assert!(
            (1..epochs).contains(done),
            "{done} of {epochs} epochs of {head} before Ctrl-C"
        );
    }
    folder
        .trident("quantize run")
        .fails(&["there is no weights.bin yet", "`trident train -o run --resume`"]);

    interrupted(&folder, "train -o run --resume").fails(&["interrupted, resume with"]);
    let second = epochs_done(&folder);
    assert!(
        first.iter().zip(&second).all(|(first, second)| first < second),
        "{first:?}, then {second:?}"
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
fn the_number_of_threads_changes_no_byte() {
    let folder = folder();
    three_heads(&folder);
    let runs = ["1", "2", "5"];
    for threads in runs {
        for words in [
            format!("train -o {threads} --epochs 3 --qat"),
            format!("quantize {threads}"),
        ] {
            let output = folder.command(&words).env("RAYON_NUM_THREADS", threads).output();
            let output = output.expect("the program starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    for name in ["weights.bin", "model.tri", "metrics.json", "history.csv"] {
        let [one, two, five] = runs.map(|threads| folder.read(&format!("{threads}/{name}")));
        assert!(one == two && two == five, "{name} depends on the number of threads");
    }
}

#[test]
fn an_interruption_before_training_leaves_nothing_behind() {
    let folder = folder();
    let before = folder.files();
    let mut child = start(&folder, "train --data builtin -o run");
    // Again and again: where whoever runs the tests ignores the signal, so does the program until it asks for it.
    let status = loop {
        interrupt(&child);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(!status.success(), "{status}");
    assert_eq!(folder.files(), before);
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind_either() {
    let folder = folder();
    let before = folder.files();
    let child = start(&folder, "demo -o run");
    wait_until("it does not heed Ctrl-C", || heeds_interruption(&child));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: interrupted"), "{said}");
    assert_eq!(folder.files(), before);
}

/// Data that never come to their end, since nobody writes to the FIFO: no flag is looked at meanwhile.
#[test]
fn a_second_interruption_ends_the_program_where_it_is() {
    let folder = folder();
    let made = Command::new("mkfifo").arg(folder.path("rows.csv")).status();
    assert!(made.expect("mkfifo runs").success());
    folder.write(
        "trident.toml",
        "[classification]\ncsv = \"rows.csv\"\nlabel = \"kind\"\n",
    );
    let mut child = start(&folder, "train -o run");
    wait_until("it does not heed Ctrl-C", || heeds_interruption(&child));
    interrupt(&child);
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(child.try_wait().unwrap(), None, "two signals at a time are one request");
    interrupt(&child);
    wait_until("it goes on", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!folder.path("run").exists());
}

/// Whether a program catches what Ctrl-C sends.
fn heeds_interruption(child: &Child) -> bool {
    const SIGINT: u64 = 1 << (2 - 1);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|caught| caught & SIGINT != 0)
}

/// Epochs in the run's history, in the order of [`SOME_SECONDS`].
fn epochs_done(folder: &Folder) -> [usize; 3] {
    let history = String::from_utf8(folder.read("run/history.csv")).unwrap();
    SOME_SECONDS.map(|(head, _)| history.lines().filter(|line| line.starts_with(head)).count())
}

/// Starts a training, lets it train for a while, and presses Ctrl-C.
fn interrupted(folder: &Folder, words: &str) -> Said {
    let earlier = began(folder);
    let child = start(folder, words);
    wait_for_training(folder, earlier);
    // The regression head begins when its teacher is known.
    wait_until("the Gaussian process is not fitted", || {
        folder.path("run/process.json").exists()
    });
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
    wait_until("training does not begin", || began(folder) != earlier);
}

fn wait_until(else_say: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "{else_say}");
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
