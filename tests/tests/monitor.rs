//! `trident monitor` on a device under QEMU: its numbers are the host's to the bit, and it tells shifted readings from others.

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use trident::health::Health;
use trident::{Blob, Head, HeadSet, InputSlot, Inputs, Network};
use trident_host::device::Target;
use trident_tests::aligned::Aligned;
use trident_tests::command::{Folder, Said};
use trident_tests::golden::workspace;
use trident_tests::noise::Noise;
use trident_tests::own_data::{THREE_HEADS, three_heads};

const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");
const BOARD: &str = "qemu:mps2-an386";

/// The firmware's room for readings; the golden model has 18.
const READINGS: usize = 32;

/// Readings near those of training for the first half, far from them for the second; every tenth row is refused.
#[test]
fn a_replay_on_the_host_gives_the_devices_numbers() {
    let file = std::fs::read(workspace().join("tests/golden/edge-v4.tri")).expect("the golden blob is there");
    let bytes = Aligned::copy_of(&file);
    let blob = Blob::new_exact(bytes.bytes()).expect("a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let mut network = Network::load(blob, arena.bytes_mut()).expect("it loads");
    let mut health = Health::<READINGS>::new(&blob);
    let target: Target = BOARD.parse().expect("a target");
    let mut client = target.connect(bytes.bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(client.health().expect("it tells"), health.report());

    let mut noise = Noise::new(5);
    for round in 0..200 {
        let shift = if round < 100 { 0.0 } else { 2.5 };
        let mut readings = |slot| -> Vec<f32> {
            let known = blob.calibration(slot).expect("calibrated").iter();
            known
                .map(|known| known.mean + (1.7 * noise.unit() + shift) / known.inverse_deviation)
                .collect()
        };
        let mut classification = readings(InputSlot::Classification);
        let regression = readings(InputSlot::Regression);
        let pixels = blob.input(InputSlot::Picture).expect("it has a picture").shape.len();
        let picture: Vec<u8> = noise.codes(pixels).iter().map(|&code| code as u8).collect();
        if round % 10 == 9 {
            classification[3] = f32::NAN;
        }
        // Pictures take the emulator longest.
        let heads = if round % 4 == 0 {
            7
        } else {
            noise.int(0..=1) as u8 * 4 + 1
        };
        let heads = HeadSet::from_bits(heads).expect("three bits");
        let inputs = Inputs {
            classification: Some(&classification),
            picture: Some(&picture),
            regression: Some(&regression),
        };
        let on_host = health.run(&mut network, heads, &inputs).is_ok();
        assert_eq!(client.run(heads, &inputs).is_ok(), on_host);
        if round % 50 == 49 {
            assert_eq!(client.health().expect("it tells"), health.report(), "round {round}");
        }
    }
    let report = health.report();
    let told = |head| *report.head(head).expect("it has one");
    assert_eq!(told(Head::Classification).faults, 20);
    let all = Head::ALL.map(told);
    assert!(
        all.iter().all(|head| head.runs > 0) && all.iter().any(|head| head.outside > 0),
        "{report:?}"
    );
    assert!(all.iter().any(|head| head.saturated > 0), "{report:?}");
}

/// A trained run, and the same data with every reading moved up by about two deviations, in `shifted.toml`.
fn trained() -> Folder {
    let folder = Folder::new(TRIDENT);
    three_heads(&folder);
    folder.trident("train -o run --epochs 1").succeeds();
    folder.trident("quantize run").succeeds();
    folder.write("same.toml", THREE_HEADS);
    folder.write("shifted.toml", THREE_HEADS.replace(".csv", "-shifted.csv"));
    for name in ["rows", "levels"] {
        let text = String::from_utf8(folder.read(&format!("{name}.csv"))).expect("text");
        let mut lines = text.lines();
        let mut shifted = format!("{}\n", lines.next().expect("a header"));
        for line in lines {
            let (readings, told) = line.rsplit_once(',').expect("columns");
            for reading in readings.split(',') {
                let reading: f32 = reading.parse().expect("a number");
                write!(shifted, "{:.3},", reading + 12.0).expect("a string takes all");
            }
            writeln!(shifted, "{told}").expect("a string takes all");
        }
        folder.write(&format!("{name}-shifted.csv"), shifted);
    }
    folder
}

/// The polls of a monitor, one JSON object a line.
fn polls(said: &Said) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    said.stdout.lines().map(parse).collect()
}

#[test]
fn shifted_readings_drift_on_a_device_and_others_do_not() {
    let folder = trained();
    let monitor = |more: &str| {
        let words = format!("monitor --on {BOARD} --replay run --every 0.3 --json {more}");
        polls(&folder.trident(&words).succeeds())
    };
    for (data, verdict) in [("same.toml", "steady"), ("shifted.toml", "drifting")] {
        let polls = monitor(&format!("--data {data}"));
        let last = polls.last().expect("a poll");
        assert_eq!(last["rows_sent"], 540, "every row was sent");
        for (head, runs) in [("classification", 300), ("regression", 200)] {
            let told = &last["heads"][head];
            assert_eq!((&told["runs"], &told["faults"]), (&Value::from(runs), &Value::from(0)));
            assert_eq!(told["verdict"], verdict, "{head} of {data}: {told}");
            assert_eq!(told["drift"].as_f64().expect("a score") >= 6.0, verdict == "drifting");
            let outside = told["outside"].as_u64().expect("a count");
            if verdict == "steady" {
                assert!(outside < runs / 10, "{outside} of {data}");
            } else {
                assert!(outside > runs, "{outside} of {data}");
            }
        }
        // Forty pictures are too few to tell.
        assert_eq!(last["heads"]["segmentation"]["verdict"], "not enough rows");
        assert_eq!(last["device"]["runs"], 540);
    }
    // By itself it replays the test rows, which are fewer than a drift needs.
    let own = monitor("");
    assert_eq!(
        own.last().expect("a poll")["heads"]["classification"]["verdict"],
        "not enough rows"
    );
    assert_eq!(monitor("--data same.toml --count 1").len(), 1);
    let lines = folder
        .trident(&format!("monitor --on {BOARD} --replay run --data shifted.toml"))
        .succeeds();
    let last = lines.stdout.lines().last().expect("a line");
    for words in [
        "classification: runs 300, faults 0, outside ",
        "drifting; regression: runs 200",
        " (",
        "not enough rows",
    ] {
        assert!(last.contains(words), "{words}: {last}");
    }
}

/// An emulator without weights has nothing to watch, and a run that is none is named.
#[test]
fn what_cannot_be_watched_is_an_error() {
    let folder = Folder::new(TRIDENT);
    folder
        .trident(&format!("monitor --on {BOARD}"))
        .fails(&["no model to run", "empty"]);
    folder
        .trident(&format!("monitor --on {BOARD} --replay nowhere"))
        .fails(&["nowhere"]);
    let said = folder.trident(&format!("monitor --on {BOARD} --every 0 --json"));
    assert!(
        said.status == Some(1) && said.stderr.contains("0.01 to 86400"),
        "{said:?}"
    );
}

#[test]
fn ctrl_c_ends_it_in_order() {
    let folder = trained();
    // Over the UART rows take long, so that it is interrupted amid them.
    let words = format!("monitor --on {BOARD},uart --replay run --data same.toml --every 0.1 --json");
    let mut child = folder
        .command(&words)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut first = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut out, &mut first).expect("a poll");
    let pid = child.id().to_string();
    // Again and again: whoever runs the tests may ignore the signal until the program asks for it.
    let mut status = None;
    for _ in 0..100 {
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .expect("kill is there");
        assert!(sent.success());
        std::thread::sleep(Duration::from_millis(100));
        status = child.try_wait().expect("it can be asked");
        if status.is_some() {
            break;
        }
    }
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).expect("text");
    for line in first.lines().chain(rest.lines()) {
        let poll: Value = serde_json::from_str(line).expect("whole lines");
        assert!(poll["rows_sent"].as_u64() < Some(540));
    }
}
