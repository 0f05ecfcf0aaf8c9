//! A board under QEMU behind a bad link: no wrong answer is taken, no request is lost, and the device's memory stays as it is.
//!
//! `TRIDENT_SOAK=1` asks 1,000,000 requests of all kinds over FIFOs and 5,000 over the UART, and 10,000 of readings where single bytes are
//! at fault; else it is 5,000, 100 and 150.

use std::time::{Duration, Instant};

use trident::wire::{Faults, Refusal, SelfTest, Statistics};
use trident::{Blob, Head, HeadSet, Inputs, Network};
use trident_host::device::{Board, Client, DeviceError, LinkKind, Qemu, Weights};
use trident_host::sign::renumbered;
use trident_host::toolchain::Toolchain;
use trident_tests::aligned::Aligned;
use trident_tests::faulty::{Faulty, Injected, Struck};
use trident_tests::golden::workspace;
use trident_tests::noise::Noise;

/// How long an answer is waited for: longer than most runs take, so that little is asked twice for nothing.
const PATIENCE: Duration = Duration::from_millis(40);
/// The same where all runs are short.
const SHORT_PATIENCE: Duration = Duration::from_millis(10);
/// The same where bytes take their time.
const UART_PATIENCE: Duration = Duration::from_millis(200);

const PIXELS: usize = 32 * 32 * 3;

fn requests(usual: u64, soak: u64) -> u64 {
    if std::env::var_os("TRIDENT_SOAK").is_some() {
        soak
    } else {
        usual
    }
}

/// A device behind a bad link, beside the same model on this computer.
struct Pair<'a> {
    client: Client,
    injected: Injected,
    file: &'a [u8],
    host: Network<'a>,
    noise: Noise,
    /// The number of the weights that the device serves.
    number: u32,
    updates: u64,
    /// The largest figures of the device's memory so far.
    memory: [u32; 4],
}

/// Stack, arena, statics and network, in bytes: what a leak would show in.
fn memory(statistics: &Statistics) -> [u32; 4] {
    [
        statistics.stack_high_water,
        statistics.arena_used,
        statistics.other_static_len,
        statistics.network_len,
    ]
}

impl<'a> Pair<'a> {
    fn new(file: &'a [u8], host: Network<'a>, kind: LinkKind, struck: Struck, window: usize) -> Self {
        let board = Board::named("mps2-an386").expect("a board");
        let toolchain = Toolchain::new().unwrap_or_else(|error| panic!("{error}"));
        let launched = Qemu::launch(&toolchain, board, None, Weights::Blob(file), kind);
        let (qemu, link) = launched.unwrap_or_else(|error| panic!("{error}"));
        let patience = match (kind, struck) {
            (LinkKind::Uart, _) => UART_PATIENCE,
            (LinkKind::Fifo, Struck::Frames) => PATIENCE,
            (LinkKind::Fifo, Struck::Bytes) => SHORT_PATIENCE,
        };
        let (faulty, injected) = Faulty::new(link, struck, window, patience);
        Self {
            client: Client::new(Box::new(faulty), Some(qemu)).unwrap_or_else(|error| panic!("{error}")),
            injected,
            file,
            host,
            noise: Noise::new(window as u64),
            number: 1,
            updates: 0,
            memory: [0; 4],
        }
    }

    fn answered(&self) -> u64 {
        self.client.link().answered
    }

    /// A run of those heads on inputs that never came before.
    fn run(&mut self, heads: HeadSet) {
        let noise = &mut self.noise;
        let classification: [f32; 10] = std::array::from_fn(|_| noise.unit() * 100.0);
        let regression: [f32; 5] = std::array::from_fn(|_| noise.unit() * 100.0);
        let picture: Vec<u8> = (0..PIXELS).map(|_| noise.bits() as u8).collect();
        let wants = |head, part| heads.contains(head).then_some(part);
        let inputs = Inputs {
            classification: heads.contains(Head::Classification).then_some(&classification[..]),
            picture: wants(Head::Segmentation, &picture[..]),
            regression: heads.contains(Head::Regression).then_some(&regression[..]),
        };
        let device = self
            .client
            .run(heads, &inputs)
            .unwrap_or_else(|error| panic!("{error}"));
        let host = self.host.run(heads, &inputs).expect("it runs on the host");
        let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(
            device.classification.as_deref().map(bits),
            host.classification().map(bits)
        );
        assert_eq!(device.regression.map(f32::to_bits), host.regression().map(f32::to_bits));
        assert_eq!(
            device.segmentation.as_deref(),
            host.segmentation().map(|logits| logits.codes)
        );
        if let Some(logits) = host.segmentation() {
            let mut mask = [0; PIXELS / 3];
            logits.mask(&mut mask);
            assert_eq!(self.client.mask().unwrap_or_else(|error| panic!("{error}")), mask);
        }
    }

    /// A run that has to be refused, with the reason of this very run.
    fn run_without_meaning(&mut self) {
        let mut readings = [1.0; 10];
        let reading = self.noise.index(readings.len());
        readings[reading] = f32::INFINITY;
        let inputs = Inputs {
            classification: Some(&readings),
            ..Inputs::default()
        };
        match self.client.run(Head::Classification.into(), &inputs) {
            Err(DeviceError::Refused(Refusal::Run(why))) => {
                assert!(why.contains(&format!("reading {reading}")), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }

    fn look_at_memory(&mut self) {
        let statistics = self.client.statistics().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(statistics.self_test, SelfTest::Passed);
        for (most, now) in self.memory.iter_mut().zip(memory(&statistics)) {
            *most = (*most).max(now);
        }
    }

    fn look_at_health(&mut self) {
        let health = self.client.health().unwrap_or_else(|error| panic!("{error}"));
        assert!(Head::ALL.iter().all(|&head| health.head(head).is_some()));
    }

    fn look_at_faults(&mut self) {
        let faults = self.client.faults().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(faults, Faults::default());
    }

    fn look_at_slots(&mut self) {
        let slots = self.client.slots().unwrap_or_else(|error| panic!("{error}"));
        assert!(slots.served.is_some());
        if self.updates > 0 {
            assert_eq!(slots.state.floor, Some(self.number));
        }
    }

    /// The same weights under the next number, through restart and trial.
    fn update(&mut self) {
        self.number += 1;
        self.updates += 1;
        let next = renumbered(self.file, self.number).expect("a blob");
        let updated = self.client.update(&next, |_| true);
        let updated = updated.unwrap_or_else(|error| panic!("update {}: {error}", self.updates));
        assert_eq!(
            updated.slots.state.confirmed.map(|entry| entry.sequence),
            Some(self.number)
        );
        assert_eq!(self.client.model().expect("it serves").sequence, self.number);
    }

    fn anything(&mut self) {
        match self.noise.index(2_000) {
            0 => self.update(),
            1..20 => self.run(HeadSet::ALL),
            20..100 => self.run_without_meaning(),
            100..300 => self.look_at_memory(),
            300..500 => self.look_at_health(),
            500..600 => self.look_at_slots(),
            600..700 => self.look_at_faults(),
            700..1_400 => self.run(Head::Classification.into()),
            _ => self.run(Head::Regression.into()),
        }
    }
}

/// As many requests as asked, of that kind, with the model `edge`; says what happened.
fn soak(kind: LinkKind, struck: Struck, window: usize, count: u64, ask: fn(&mut Pair<'_>)) {
    let file = std::fs::read(workspace().join("tests/golden/edge-v4.tri")).expect("the golden blob is there");
    let file = renumbered(&file, 1).expect("a blob");
    let bytes = Aligned::copy_of(&file);
    let blob = Blob::new_exact(bytes.bytes()).expect("a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let host = Network::load(blob, arena.bytes_mut()).expect("it loads");
    let begun = Instant::now();
    let mut pair = Pair::new(&file, host, kind, struck, window);
    // All that takes stack has happened once before it is held against what comes.
    if struck == Struck::Frames {
        pair.update();
    }
    pair.run(HeadSet::ALL);
    pair.run_without_meaning();
    pair.look_at_health();
    pair.look_at_slots();
    pair.look_at_memory();
    let first = pair.memory;
    let before = pair.answered();
    while pair.answered() - before < count {
        ask(&mut pair);
    }
    pair.look_at_memory();
    assert_eq!(pair.memory, first, "the device's memory, in bytes");
    let link = pair.client.link();
    assert!(pair.injected.count() > 0 && link.repeated > 0);
    println!(
        "{kind:?}, {struck:?}, {window} ahead: {} requests answered, {} faults injected, {} requests sent again, {} updates, {:.0} s; \
         no answer wrong, none missing; stack {} bytes before and after",
        link.answered,
        pair.injected.count(),
        link.repeated,
        pair.updates,
        begun.elapsed().as_secs_f64(),
        first[0],
    );
}

#[test]
fn requests_of_all_kinds_one_at_a_time() {
    soak(LinkKind::Fifo, Struck::Frames, 1, requests(2_500, 500_000), |pair| {
        pair.anything()
    });
}

#[test]
fn requests_of_all_kinds_ahead_of_their_replies() {
    soak(LinkKind::Fifo, Struck::Frames, 32, requests(2_500, 500_000), |pair| {
        pair.anything()
    });
}

#[test]
fn requests_of_all_kinds_over_the_uart() {
    soak(LinkKind::Uart, Struck::Frames, 1, requests(100, 5_000), |pair| {
        pair.anything()
    });
}

#[test]
fn readings_where_single_bytes_are_at_fault() {
    soak(LinkKind::Fifo, Struck::Bytes, 1, requests(150, 10_000), |pair| {
        let head = [Head::Classification, Head::Regression][pair.noise.index(2)];
        pair.run(head.into());
    });
}
