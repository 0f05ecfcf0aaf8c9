//! The request loop over a link in memory: what it answers, and that no bytes bring it down.

use core::cell::Cell;
use std::collections::VecDeque;
use std::convert::Infallible;

use embedded_io::ErrorType;
use trident::slots::{self, FlashMap, Region};
use trident::wire::{MAX_FRAME_LEN, encode_frame};
use trident::{Head, PublicKey};
use trident_tests::aligned::Aligned;
use trident_tests::flash::Simulator;
use trident_tests::noise::Noise;
use trident_tests::tiny;

use super::*;

/// What a host sent, and what it gets.
#[derive(Default)]
struct Memory {
    requests: VecDeque<u8>,
    replies: Vec<u8>,
}

impl Memory {
    fn ask(&mut self, sequence: u16, request: &Request<'_>) {
        let mut frame = [0; MAX_FRAME_LEN];
        self.requests
            .extend(encode_frame(sequence, request, &mut frame).unwrap());
    }

    /// Hands every reply over, and gives how many there were.
    fn replies(&self, mut each: impl FnMut(u16, Reply<'_>)) -> usize {
        let (mut reader, mut count) = (FrameReader::new(), 0);
        let mut bytes = &self.replies[..];
        while let Some(frame) = reader.feed(&mut bytes) {
            let frame = frame.unwrap();
            each(frame.sequence, frame.message().unwrap());
            count += 1;
        }
        count
    }
}

impl ErrorType for Memory {
    type Error = Infallible;
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        // Odd portions, so that frames are cut anywhere.
        let len = buffer.len().min(self.requests.len()).min(37);
        buffer
            .iter_mut()
            .zip(self.requests.drain(..len))
            .for_each(|(to, from)| *to = from);
        Ok(len)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.replies.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Every look at it costs ten instructions.
#[derive(Default)]
struct Ticks(Cell<u64>);

impl Counter for Ticks {
    type Mark = u64;

    fn mark(&self) -> u64 {
        self.0.set(self.0.get() + 10);
        self.0.get()
    }

    fn since(&self, start: u64) -> u64 {
        self.mark() - start
    }
}

const IDENTITY: Identity = Identity {
    board: "a test",
    arena_capacity: 4096,
    image_len: 1,
    other_static_len: 2,
    stack_capacity: 3,
    stack_high_water: || 4,
    alive: || (),
    faults: || Faults {
        total: 2,
        last: wire::text("panic: src/x.rs:1: why"),
    },
};

/// Slots that hold those bytes, and the state behind them.
fn flash(a: &[u8], b: &[u8]) -> (Simulator<4096>, FlashMap) {
    const SLOT_LEN: u32 = 16 << 10;
    let region = |start, len| Region { start, len };
    let map = FlashMap {
        slots: [region(0, SLOT_LEN), region(SLOT_LEN, SLOT_LEN)],
        state: region(2 * SLOT_LEN, SLOT_LEN),
    };
    let mut flash = Simulator::erased(3 * SLOT_LEN as usize);
    flash.place(0, a);
    flash.place(SLOT_LEN, b);
    (flash, map)
}

/// Boots as a device does and serves until the link ends or a restart is asked for.
fn serve_from(flash: &mut Simulator<4096>, map: FlashMap, key: Option<PublicKey>, memory: &mut Memory) -> (u32, u32) {
    let mut arena = Aligned::zeroed(IDENTITY.arena_capacity);
    slots::boot(
        flash,
        map,
        key,
        arena.bytes_mut(),
        |_| (),
        |mut booted| {
            let ticks = Ticks::default();
            let mut inputs = InputBuffers::<64>::new();
            let costs = Costs {
                load_instructions: 5,
                self_test_instructions: 6,
            };
            let mut server = Server::new(IDENTITY, &mut booted, costs, &ticks, &mut inputs);
            server.serve(memory).unwrap();
            (server.runs, server.faults)
        },
    )
}

fn serve_nothing(memory: &mut Memory) -> (u32, u32) {
    let (mut flash, map) = flash(&[], &[]);
    serve_from(&mut flash, map, None, memory)
}

fn serve_tiny(memory: &mut Memory) -> (u32, u32) {
    let packed = tiny::tiny().pack();
    let (mut flash, map) = flash(packed.bytes(), &[]);
    serve_from(&mut flash, map, None, memory)
}

#[test]
fn without_a_model_it_says_who_it_is_and_refuses_the_rest() {
    let mut memory = Memory::default();
    memory.ask(1, &Request::Info);
    memory.ask(2, &Request::Run { heads: HeadSet::ALL });
    memory.ask(3, &Request::Output { offset: 0, len: 1 });
    memory.ask(4, &Request::Mask { offset: 0, len: 1 });
    memory.ask(5, &Request::Health);
    let (runs, faults) = serve_nothing(&mut memory);
    assert_eq!((runs, faults), (0, 4));
    let count = memory.replies(|sequence, reply| match (sequence, reply) {
        (1, Reply::Info(info)) => assert_eq!(info.state, State::NoModel(wire::text("every slot is empty"))),
        (2..=5, reply) => assert_eq!(reply, Reply::Refused(Refusal::NoModel)),
        other => panic!("{other:?}"),
    });
    assert_eq!(count, 5);
}

#[test]
fn a_run_gives_what_its_heads_give() {
    let picture = tiny::picture();
    let mut memory = Memory::default();
    let input = |offset: usize, len: usize| Request::Input {
        slot: InputSlot::Picture,
        offset: offset as u32,
        bytes: &picture[offset..][..len],
    };
    memory.ask(1, &input(0, 30));
    memory.ask(2, &input(30, 18));
    let heads = Head::Segmentation.into();
    memory.ask(3, &Request::Run { heads });
    memory.ask(4, &Request::Output { offset: 0, len: 32 });
    memory.ask(5, &Request::Mask { offset: 4, len: 12 });
    memory.ask(6, &Request::Statistics);
    assert_eq!(serve_tiny(&mut memory), (1, 0));
    let (mut codes, mut done) = (Vec::new(), None);
    memory.replies(|sequence, reply| match (sequence, reply) {
        (1 | 2, reply) => assert_eq!(reply, Reply::Accepted),
        (3, Reply::Done(results)) => done = Some(results),
        (4, Reply::Bytes { bytes, .. }) => codes = bytes.iter().map(|&byte| byte as i8).collect(),
        (5, Reply::Bytes { offset, bytes }) => {
            assert_eq!(offset, 4);
            let larger: Vec<u8> = codes
                .chunks(2)
                .skip(4)
                .map(|pixel| (pixel[1] > pixel[0]) as u8)
                .collect();
            assert_eq!(bytes, larger);
        }
        (6, Reply::Statistics(statistics)) => assert_eq!((statistics.runs, statistics.load_instructions), (1, 5)),
        other => panic!("{other:?}"),
    });
    let done = done.unwrap();
    assert_eq!((done.heads, done.value, done.instructions), (heads, None, 10));
    assert!(done.probabilities.is_empty());
    let (len, digest) = (32, wire::digest(&codes));
    assert_eq!(done.segmentation, Some(SegmentationDigest { len, digest }));
}

#[test]
fn parts_outside_the_output_and_missing_inputs_are_refused() {
    let mut memory = Memory::default();
    memory.ask(1, &Request::Run { heads: HeadSet::ALL });
    memory.ask(2, &Request::Output { offset: 0, len: 1 });
    memory.ask(
        3,
        &Request::Input {
            slot: InputSlot::Picture,
            offset: 0,
            bytes: &[0; 48],
        },
    );
    let heads = Head::Segmentation.into();
    memory.ask(4, &Request::Run { heads });
    memory.ask(5, &Request::Output { offset: 31, len: 2 });
    memory.ask(
        6,
        &Request::Mask {
            offset: u32::MAX,
            len: 1,
        },
    );
    assert_eq!(serve_tiny(&mut memory), (1, 4));
    memory.replies(|sequence, reply| match (sequence, reply) {
        (1, Reply::Refused(Refusal::Run(reason))) => assert!(reason.contains("missing"), "{reason}"),
        (2, reply) => assert_eq!(reply, Reply::Refused(Refusal::NoOutput)),
        (3, Reply::Accepted) | (4, Reply::Done(_)) => {}
        (5, Reply::Refused(Refusal::OutOfRange { available, .. })) => assert_eq!(available, 32),
        (6, Reply::Refused(Refusal::OutOfRange { available, .. })) => assert_eq!(available, 16),
        other => panic!("{other:?}"),
    });
}

#[test]
fn it_agrees_on_the_newest_version_that_both_speak() {
    let mut memory = Memory::default();
    let hello = |oldest, newest| Request::Hello { oldest, newest };
    let newer = PROTOCOL_VERSION + 1;
    memory.ask(1, &hello(1, 1));
    memory.ask(2, &hello(OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION));
    memory.ask(3, &hello(PROTOCOL_VERSION, u16::MAX));
    memory.ask(4, &hello(newer, u16::MAX));
    memory.ask(5, &hello(0, OLDEST_PROTOCOL_VERSION - 1));
    memory.ask(6, &hello(2, 1));
    assert_eq!(serve_nothing(&mut memory), (0, 3));
    let count = memory.replies(|sequence, reply| match (sequence, reply) {
        (1, reply) => assert_eq!(reply, Reply::Hello { version: 1 }),
        (2 | 3, reply) => assert_eq!(
            reply,
            Reply::Hello {
                version: PROTOCOL_VERSION
            }
        ),
        (4..=6, Reply::Refused(Refusal::Protocol { oldest, newest })) => {
            assert_eq!((oldest, newest), (OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION));
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(count, 6);
}

#[test]
fn it_tells_what_brought_it_down() {
    let mut memory = Memory::default();
    memory.ask(1, &Request::Faults);
    serve_nothing(&mut memory);
    let count = memory.replies(|_, reply| assert_eq!(reply, Reply::Faults((IDENTITY.faults)())));
    assert_eq!(count, 1);
}

/// What the device counted of two runs and a refused one, as a host counts them that replays the same.
#[test]
fn health_is_what_a_replay_counts() {
    let picture = tiny::picture();
    let mut memory = Memory::default();
    let bytes = |readings: &[f32]| {
        readings
            .iter()
            .flat_map(|reading| reading.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let wild = [9.0, f32::MAX];
    fn input(slot: InputSlot, bytes: &[u8]) -> Request<'_> {
        let offset = 0;
        Request::Input { slot, offset, bytes }
    }
    let heads = HeadSet::ALL;
    memory.ask(0, &input(InputSlot::Picture, &picture));
    memory.ask(1, &input(InputSlot::Classification, &bytes(&tiny::CLASSIFICATION)));
    memory.ask(2, &input(InputSlot::Regression, &bytes(&tiny::REGRESSION)));
    memory.ask(3, &Request::Run { heads });
    memory.ask(4, &input(InputSlot::Classification, &bytes(&wild)));
    memory.ask(5, &Request::Run { heads });
    memory.ask(6, &input(InputSlot::Regression, &bytes(&[f32::NAN, 0.0])));
    memory.ask(7, &Request::Run { heads });
    memory.ask(8, &Request::Health);
    assert_eq!(serve_tiny(&mut memory), (2, 1));

    let packed = tiny::tiny().pack();
    let blob = trident::Blob::new_exact(packed.bytes()).unwrap();
    let mut arena = Aligned::zeroed(IDENTITY.arena_capacity);
    let mut network = Network::load(blob, arena.bytes_mut()).unwrap();
    let mut replayed = Health::<OBSERVED_READINGS>::new(&blob);
    let mut inputs = tiny::inputs(&picture);
    replayed.run(&mut network, heads, &inputs).unwrap();
    inputs.classification = Some(&wild);
    replayed.run(&mut network, heads, &inputs).unwrap();
    inputs.regression = Some(&[f32::NAN, 0.0]);
    replayed.run(&mut network, heads, &inputs).unwrap_err();

    let mut told = None;
    memory.replies(|sequence, reply| {
        if let (8, Reply::Health(report)) = (sequence, reply) {
            told = Some(report);
        }
    });
    let report = told.unwrap();
    assert_eq!(report, replayed.report());
    let counts = |head| {
        report
            .head(head)
            .map(|head| (head.runs, head.faults, head.outside))
            .unwrap()
    };
    assert_eq!(counts(Head::Classification), (2, 0, 2));
    assert_eq!(counts(Head::Regression), (2, 1, 0));
}

#[test]
fn no_bytes_bring_it_down() {
    let mut noise = Noise::new(9);
    let mut memory = Memory::default();
    for round in 0..500 {
        let len = noise.index(600);
        memory.requests.extend(noise.codes(len).iter().map(|&code| code as u8));
        // A good frame with a body that is no request.
        let mut frame = [0; MAX_FRAME_LEN];
        let body: [u8; 4] = core::array::from_fn(|_| noise.code() as u8);
        memory.requests.push_back(0);
        memory.requests.extend(encode_frame(round, &body, &mut frame).unwrap());
    }
    memory.ask(7777, &Request::Info);
    let (_, faults) = serve_tiny(&mut memory);
    assert!(faults > 500);
    let mut last = None;
    memory.replies(|sequence, reply| last = Some((sequence, matches!(reply, Reply::Info(_)))));
    assert_eq!(last, Some((7777, true)));
}
