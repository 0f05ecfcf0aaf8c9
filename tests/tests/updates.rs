//! New weights for an emulated board whose flash is a file: tried, confirmed and kept, refused where they should be, and never lost, even if
//! the emulator is killed in the middle.
//!
//! `TRIDENT_SOAK=1` kills it 250 times, else 20, and checks a signature on every board.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempDir};
use trident::slots::SlotId;
use trident::wire::State;
use trident::{Head, HeadSet, Inputs};
use trident_host::bench::{self, Workload};
use trident_host::device::{BOARDS, Client, DeviceError, LinkKind, Qemu, Target, UpdateStep, Weights};
use trident_host::quantize::optimize::Optimize;
use trident_host::sign::{SecretKey, renumbered, signed};
use trident_host::toolchain::Toolchain;
use trident_tests::aligned::Aligned;
use trident_tests::golden::workspace;
use trident_tests::noise::Noise;
use trident_tests::parity::{assert_same, on_host};
use trident_tests::tamper::Parts;
use trident_tests::tiny;

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

/// A board, its flash in a folder of its own, and weights of every number.
struct Bench {
    folder: TempDir,
    edge: Vec<u8>,
    key: Option<PathBuf>,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            edge: std::fs::read(workspace().join("tests/golden/edge.tri")).expect("the golden blob"),
            key: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn words(&self) -> String {
        let key = self.key.iter().map(|key| format!(",key={}", key.display()));
        let flash = self.path("flash.img");
        format!("qemu:mps2-an386,flash={}{}", flash.display(), key.collect::<String>())
    }

    fn open(&self) -> Client {
        let target: Target = self.words().parse().expect("a device");
        let patience = Instant::now();
        loop {
            match target.open(None) {
                // An emulator that was killed a moment ago may still hold the file.
                Err(DeviceError::Io { .. }) if patience.elapsed() < Duration::from_secs(10) => {
                    thread::sleep(Duration::from_millis(10));
                }
                other => return other.unwrap_or_else(|error| panic!("{error}")),
            }
        }
    }

    fn weights(&self, number: u32) -> Vec<u8> {
        renumbered(&self.edge, number).expect("a blob")
    }
}

/// A key for tests alone, always the same, since each key makes a firmware of its own.
const OWNER: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFRyaWRlbnQgdGVzdHMga2V5LCBub3QgYSBzZWNyZXQh
-----END PRIVATE KEY-----
";

/// Who signs the weights.
fn owner() -> &'static SecretKey {
    static KEY: LazyLock<SecretKey> = LazyLock::new(|| {
        // Files that are made here are their owner's alone, as a key has to be.
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(OWNER.as_bytes()).expect("written");
        SecretKey::load(file.path()).unwrap_or_else(|error| panic!("{error}"))
    });
    &KEY
}

fn served(client: &Client) -> Option<u32> {
    match &client.info().state {
        State::Serving(model) => Some(model.sequence),
        State::NoModel(_) => None,
    }
}

/// The device computes what the host computes with those weights.
fn assert_answers(client: &mut Client, blob: &[u8]) {
    let rows: ([f32; 10], [f32; 5]) = (
        [28.8, 16.0, 2.64, 0.39, 0.2, 27.7, 22.0, -8.2, 40.1, 81.9],
        [800.0, 0.0, 0.3, 71.3, 0.0027],
    );
    let picture: Vec<u8> = (0..3072).map(|i| (i * 7 % 256) as u8).collect();
    let inputs = Inputs {
        classification: Some(&rows.0),
        picture: Some(&picture),
        regression: Some(&rows.1),
    };
    let run = client
        .run(HeadSet::ALL, &inputs)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_same(&run, &on_host(blob, HeadSet::ALL, &inputs));
}

fn update(client: &mut Client, blob: &[u8]) -> Result<usize, DeviceError> {
    client.update(blob, |_| true).map(|updated| updated.resumed_from)
}

#[track_caller]
fn assert_refused(client: &mut Client, blob: &[u8], phrase: &str) {
    match update(client, blob) {
        Err(DeviceError::Refused(refusal)) => assert!(refusal.to_string().contains(phrase), "{refusal}"),
        other => panic!("{other:?}, and {phrase:?} was due"),
    }
}

#[test]
fn weights_are_tried_confirmed_and_kept() {
    let bench = Bench::new();
    let mut client = bench.open();
    assert_eq!(served(&client), None, "a new flash is empty");
    for (number, slot) in [(1, SlotId::A), (2, SlotId::B), (5, SlotId::A)] {
        let blob = bench.weights(number);
        assert_eq!(update(&mut client, &blob).unwrap_or_else(|error| panic!("{error}")), 0);
        assert_eq!(served(&client), Some(number));
        let report = client.slots().expect("a report");
        let confirmed = report.state.confirmed.expect("confirmed");
        assert_eq!(
            (report.served, confirmed.slot, confirmed.sequence),
            (Some(slot), slot, number)
        );
        assert_eq!((report.state.floor, report.state.trial), (Some(number), None));
        assert_answers(&mut client, &blob);
    }
    drop(client);
    let mut client = bench.open();
    assert_eq!(served(&client), Some(5));
    assert_eq!(
        client.slots().expect("a report").state.previous.expect("kept").sequence,
        2
    );
    for number in [5, 4] {
        assert_refused(&mut client, &bench.weights(number), "and 5 was confirmed before");
    }
    assert_answers(&mut client, &bench.weights(5));
}

#[test]
fn an_update_over_the_uart_goes_on_where_it_stopped() {
    let bench = Bench::new();
    let (one, two) = (bench.weights(1), bench.weights(2));
    update(&mut bench.open(), &one).unwrap_or_else(|error| panic!("{error}"));
    let half = two.len() / 2;
    let mut client = bench.open();
    let stopped = client.update(
        &two,
        |step| !matches!(step, UpdateStep::Written(written) if written > half),
    );
    assert!(matches!(stopped, Err(DeviceError::Interrupted)), "{stopped:?}");
    assert_answers(&mut client, &one);
    drop(client);
    let words = bench.words().replace("mps2-an386,", "mps2-an386,uart,");
    let mut client = words
        .parse::<Target>()
        .expect("a device")
        .open(None)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(served(&client), Some(1));
    let resumed_from = update(&mut client, &two).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        resumed_from.is_multiple_of(4096) && resumed_from + 4096 > half,
        "{resumed_from} of {half}"
    );
    assert_eq!(served(&client), Some(2));
    assert_answers(&mut client, &two);
}

#[test]
fn weights_that_fail_their_self_test_give_way_to_those_before() {
    let bench = Bench::new();
    let mut client = bench.open();
    let one = bench.weights(1);
    update(&mut client, &one).unwrap_or_else(|error| panic!("{error}"));
    let aligned = Aligned::copy_of(&bench.edge);
    let mut parts = Parts::of(aligned.bytes());
    parts.flip_weight(Head::Regression, 3);
    let wrong = renumbered(parts.pack().as_ref(), 2).expect("a blob");
    for _ in 0..2 {
        match update(&mut client, &wrong) {
            Err(DeviceError::TrialFailed { now, log }) => {
                assert_eq!(now, "serves model 1 again");
                assert!(log.contains("slot B: self-test:"), "{log}");
            }
            other => panic!("{other:?}"),
        }
        let state = client.slots().expect("a report").state;
        assert_eq!(
            (state.floor, state.failed.map(|failed| failed.sequence)),
            (Some(1), Some(2))
        );
        assert_answers(&mut client, &one);
    }
    // The number is free still.
    update(&mut client, &bench.weights(2)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(served(&client), Some(2));
}

#[test]
fn firmware_with_a_key_takes_only_what_its_owner_signed() {
    let mut bench = Bench::new();
    let (owner, stranger) = (owner(), SecretKey::random().unwrap());
    bench.key = Some(owner.save(&bench.path("owner")).unwrap());
    let sign = |number, key: &SecretKey| signed(&bench.weights(number), key).expect("a blob");
    let mut client = bench.open();
    let five = sign(5, owner);
    update(&mut client, &five).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(served(&client), Some(5));
    let key = client.slots().expect("a report").key;
    assert_eq!(key, owner.public().0.first_chunk().copied());
    let with_signature_of = |number, other: u32| {
        let (mut blob, other) = (sign(number, owner), sign(other, owner));
        let start = blob.len() - 64;
        blob[start..].copy_from_slice(&other[start..]);
        let crc = trident::blob::CRC.checksum(&blob[4..]);
        blob[..4].copy_from_slice(&crc.to_le_bytes());
        blob
    };
    for (blob, phrase) in [
        (sign(4, owner), "5 was confirmed before"),
        (five.clone(), "5 was confirmed before"),
        (bench.weights(6), "not signed"),
        (sign(6, &stranger), "not signed by the key"),
        (with_signature_of(6, 7), "not signed by the key"),
    ] {
        assert_refused(&mut client, &blob, phrase);
        assert_eq!(client.slots().expect("a report").served, Some(SlotId::A));
        assert_answers(&mut client, &five);
    }
    drop(client);
    // What was refused lies in the other slot, and is not served by any later boot either.
    let mut client = bench.open();
    assert_eq!(served(&client), Some(5));
    update(&mut client, &sign(6, owner)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(served(&client), Some(6));
}

#[test]
fn what_a_programmer_puts_into_a_slot_needs_a_signature_too() {
    let mut bench = Bench::new();
    let owner = owner();
    bench.key = Some(owner.save(&bench.path("owner")).unwrap());
    let put = |blob: &[u8]| {
        let mut image = vec![0; 16 << 20];
        image[..blob.len()].copy_from_slice(blob);
        std::fs::write(bench.path("flash.img"), image).expect("written");
    };
    put(&bench.weights(1));
    match &bench.open().info().state {
        State::NoModel(reason) => assert!(reason.contains("not signed"), "{reason}"),
        State::Serving(model) => panic!("{model:?}"),
    }
    put(&signed(&bench.weights(1), owner).unwrap());
    assert_eq!(served(&bench.open()), Some(1));
}

/// Nanoseconds of the emulator's clock that an instruction takes (`-icount shift=10`).
const NANOSECONDS_PER_INSTRUCTION: u64 = 1 << 10;

/// How long the first board's watchdog waits before it takes the program for hung, by its source.
fn watchdogs_patience() -> Duration {
    let path = workspace().join("firmware/src/boards/cmsdk/watchdog.rs");
    let source = std::fs::read_to_string(path).expect("the watchdog's source");
    let (_, rest) = source.split_once("PATIENCE_SECONDS: u64 = ").expect("its patience");
    let (seconds, _) = rest.split_once(';').expect("a number");
    Duration::from_secs(seconds.parse().expect("a number"))
}

/// By the emulator's clock, hashing that much takes longer than a hang would be let go on.
#[test]
fn checking_a_signature_over_megabytes_is_no_hang() {
    const MEGABYTES: usize = 7;
    let mut bench = Bench::new();
    let owner = owner();
    bench.key = Some(owner.save(&bench.path("owner")).unwrap());
    let mut builder = tiny::tiny();
    builder.bytes(16, &vec![0x5A; MEGABYTES << 20]);
    let blob = signed(&renumbered(builder.pack().bytes(), 1).unwrap(), owner).unwrap();
    let mut image = vec![0; 16 << 20];
    image[..blob.len()].copy_from_slice(&blob);
    std::fs::write(bench.path("flash.img"), image).expect("written");
    let mut client = bench.open();
    assert_eq!(served(&client), Some(1));
    assert_eq!(client.faults().expect("it tells").total, 0, "{}", client.log());
    let instructions = client.statistics().expect("it tells").load_instructions;
    let took = Duration::from_nanos(instructions * NANOSECONDS_PER_INSTRUCTION);
    let patience = watchdogs_patience();
    println!("{instructions} instructions, {took:?} by the emulator's clock; the watchdog waits {patience:?}");
    assert!(took > patience, "{took:?} would be let go on even as a hang");
}

/// Checking a signature takes more stack than anything else. `TRIDENT_SOAK=1` tries every board, else it is the two with the least room.
#[test]
fn boards_with_little_memory_check_signatures_too() {
    const RESERVE: u32 = 1024;
    let soak = std::env::var_os("TRIDENT_SOAK").is_some();
    let toolchain = Toolchain::new().expect("the sources are there");
    let workload = Workload::named("edge/classification").expect("a workload");
    let unsigned = bench::build(workload, Optimize::default()).expect("it builds").blob;
    let unsigned = renumbered(unsigned.as_ref(), 1).expect("a blob");
    let good = signed(&unsigned, owner()).expect("a blob");
    let readings: [f32; 10] = std::array::from_fn(|i| i as f32 / 4.0);
    let inputs = Inputs {
        classification: Some(&readings),
        ..Inputs::default()
    };
    for board in BOARDS.iter().filter(|board| soak || board.ram_len <= 64 << 10) {
        let open = |blob| {
            let launched = Qemu::launch(
                &toolchain,
                board,
                Some(&owner().public()),
                Weights::Blob(blob),
                LinkKind::Fifo,
            );
            let (qemu, link) = launched.unwrap_or_else(|error| panic!("{error}"));
            Client::new(link, Some(qemu)).unwrap_or_else(|error| panic!("{error}"))
        };
        let mut client = open(&good);
        assert_eq!(served(&client), Some(1), "{}: {}", board.name, client.log());
        let run = client.run(Head::Classification.into(), &inputs);
        let run = run.unwrap_or_else(|error| panic!("{error}"));
        assert_same(&run, &on_host(&good, Head::Classification.into(), &inputs));
        let statistics = client.statistics().unwrap_or_else(|error| panic!("{error}"));
        let (used, there) = (statistics.stack_high_water, statistics.stack_capacity);
        println!("{}: {used} of {there} bytes of stack", board.name);
        assert!(used + RESERVE <= there, "{}: {used} of {there} bytes", board.name);
        match &open(&unsigned).info().state {
            State::NoModel(reason) => assert!(reason.contains("not signed"), "{reason}"),
            State::Serving(model) => panic!("{}: {model:?}", board.name),
        }
    }
}

#[test]
fn a_flash_image_is_one_emulator_s_and_one_board_s() {
    let bench = Bench::new();
    let _client = bench.open();
    let error = |words: String| match words.parse::<Target>().expect("a device").open(None) {
        Ok(_) => panic!("{words} is not refused"),
        Err(error) => error.to_string(),
    };
    assert!(error(bench.words()).contains("another emulator is using it"));
    let short = bench.path("short.img");
    std::fs::write(&short, [0; 100]).expect("written");
    assert!(error(format!("qemu:mps2-an386,flash={}", short.display())).contains("none of this board's"));
    assert_eq!(std::fs::read(&short).expect("still there"), [0; 100]);
    let rom = error(format!("qemu:microbit,flash={}", short.display()));
    assert!(rom.contains("can only be read") && rom.contains("mps2-an386"), "{rom}");
}

/// `trident update`, killed with its emulator after that time unless it ended before.
fn update_killed_after(bench: &Bench, blob: &Path, after: Duration) {
    let mut child = Command::new(TRIDENT)
        .args(["update", "--on", &bench.words()])
        .arg(blob)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("trident starts");
    thread::sleep(after);
    // An error means that it is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn no_kill_of_the_emulator_loses_the_weights() {
    let kills = if std::env::var_os("TRIDENT_SOAK").is_some() {
        250
    } else {
        20
    };
    let bench = Bench::new();
    let mut number = 1;
    // Builds the firmware, if it has to be.
    drop(bench.open());
    let begin = Instant::now();
    update(&mut bench.open(), &bench.weights(number)).unwrap_or_else(|error| panic!("{error}"));
    // From start to end, with room behind, so that kills fall everywhere.
    let span = (begin.elapsed() * 3 / 2).min(Duration::from_secs(3));
    let mut noise = Noise::new(7);
    let (mut old, mut new) = (0, 0);
    for kill in 1..=kills {
        let next = bench.path("next.tri");
        std::fs::write(&next, bench.weights(number + 1)).expect("written");
        update_killed_after(&bench, &next, span.mul_f64(noise.index(1000) as f64 / 1000.0));
        let mut client = bench.open();
        match served(&client) {
            Some(served) if served == number => old += 1,
            Some(served) if served == number + 1 => {
                new += 1;
                number += 1;
            }
            other => panic!("kill {kill}: serves {other:?} after {number}\n{}", client.log()),
        }
        assert_answers(&mut client, &bench.weights(number));
        if kill % 5 == 0 {
            update(&mut client, &bench.weights(number + 1)).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
            number += 1;
            assert_eq!(served(&client), Some(number));
        }
    }
    println!("{kills} kills: {old} times the old weights came back, {new} times the new ones");
    assert!(old > 0, "some kills come before the end");
}
