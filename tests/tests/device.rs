//! A board under QEMU against the host: the same outputs over every link, and clear reasons when something is wrong.
//!
//! Tools that are missing are installed first, as `trident doctor --fix` would; where that is not allowed the tests fail and
//! say what to type.

use std::time::{Duration, Instant};

use trident::blob::HEADER_LEN;
use trident::graph::{Node, Op};
use trident::wire::{Refusal, SelfTest, State};
use trident::{Blob, Head, HeadSet, InputSlot, Inputs, Network};
use trident_host::device::{BOARDS, Client, DeviceError, Target};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::noise::Noise;
use trident_tests::parity::{assert_same, on_host};
use trident_tests::tamper::Parts;
use trident_tests::{random, tiny};

const BOARD: &str = "qemu:mps2-an386";
const UART: &str = "qemu:mps2-an386,uart";

/// Bytes of stack that no board's firmware may come near to.
const STACK_RESERVE: u32 = 1024;

fn target(words: &str) -> Target {
    words.parse().expect("a target")
}

fn connect(words: &str, blob: &[u8]) -> Client {
    target(words).connect(blob).unwrap_or_else(|error| panic!("{error}"))
}

/// Boots with those bytes in the first slot and gives the reason why there is no model.
fn refusal_of(blob: Option<&[u8]>) -> String {
    let client = target(BOARD).open(blob).unwrap_or_else(|error| panic!("{error}"));
    match &client.info().state {
        State::NoModel(reason) => reason.to_string(),
        State::Serving(model) => panic!("it serves {model:?}"),
    }
}

/// A model that hands a picture's bytes through as the logits of three classes.
fn passthrough(h: u16, w: u16) -> Builder {
    let mut builder = Builder::default();
    let input = builder.picture(h, w);
    let identity: Vec<i8> = (-128..=127).collect();
    let node = Node {
        input,
        table: builder.table(&identity),
        ..Node::new(Op::Lut, HeadSet::ALL)
    };
    let shape = builder.tensors[usize::from(input)].shape;
    let input = builder.codes(node, shape, 0);
    let node = Node {
        input,
        ..Node::new(Op::Logits, Head::Segmentation.into())
    };
    builder.head(node, "colour", &["red", "green", "blue"]);
    builder.assign_heads();
    builder
}

fn random_picture(len: usize) -> Vec<u8> {
    Noise::new(5).codes(len).iter().map(|&code| code as u8).collect()
}

fn picture_only(picture: &[u8]) -> Inputs<'_> {
    Inputs {
        picture: Some(picture),
        ..Inputs::default()
    }
}

#[test]
fn every_head_alone_and_together_answers_as_on_the_host() {
    let blob = tiny::tiny().pack();
    let picture = tiny::picture();
    let inputs = tiny::inputs(&picture);
    for link in [BOARD, UART] {
        let mut client = connect(link, blob.bytes());
        for heads in (1..=7).filter_map(HeadSet::from_bits) {
            let device = client.run(heads, &inputs).unwrap();
            assert_same(&device, &on_host(blob.bytes(), heads, &inputs));
            assert!(device.instructions > 0);
            let again = client.run(heads, &inputs).unwrap();
            assert_eq!(again, device, "the same run takes the same instructions");
        }
    }
}

#[test]
fn the_mask_is_the_hosts() {
    let blob = passthrough(24, 20).pack();
    let picture = random_picture(24 * 20 * 3);
    let mut client = connect(BOARD, blob.bytes());
    assert!(matches!(client.mask(), Err(DeviceError::Refused(Refusal::NoOutput))));
    client.run(Head::Segmentation.into(), &picture_only(&picture)).unwrap();
    let largest = |pixel: &[u8]| (0..3).rev().max_by_key(|&class| pixel[class]).unwrap() as u8;
    let expected: Vec<u8> = picture.chunks(3).map(largest).collect();
    assert_eq!(client.mask().unwrap(), expected);
}

#[test]
fn the_host_knows_the_board_as_it_is() {
    let blob = tiny::tiny().pack();
    for board in BOARDS {
        let mut client = connect(&format!("qemu:{}", board.name), blob.bytes());
        let info = client.info().clone();
        assert_eq!(info.board, board.name);
        assert_eq!(info.arena_capacity as usize, board.arena_len);
        assert_eq!(info.picture_capacity as usize, board.picture_len);
        assert_eq!(client.model().unwrap().address, board.slots[0].address);
        let statistics = client.statistics().unwrap();
        assert_eq!(statistics.self_test, SelfTest::Passed);
        assert!(statistics.load_instructions > 0 && statistics.self_test_instructions > 0);
        assert!((1..statistics.stack_capacity - STACK_RESERVE).contains(&statistics.stack_high_water));
        assert!((statistics.image_len as usize) < board.flash_len);
        assert!(logs(&client, "self-test passed"), "{}", client.log());
    }
}

/// Whether the log comes to hold those words: it is read by a thread of its own, so a reply can overtake it.
fn logs(client: &Client, words: &str) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while !client.log().contains(words) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    client.log().contains(words)
}

#[test]
fn a_blob_too_large_for_flash_runs_from_the_next_slot() {
    let mut builder = tiny::tiny();
    builder.bytes(16, &vec![0x5A; 2 << 20]);
    let blob = builder.pack();
    let picture = tiny::picture();
    let inputs = tiny::inputs(&picture);
    let mut client = connect(BOARD, blob.bytes());
    assert_eq!(client.model().unwrap().address, 0x2100_0000);
    let device = client.run(HeadSet::ALL, &inputs).unwrap();
    assert_same(&device, &on_host(blob.bytes(), HeadSet::ALL, &inputs));
}

#[test]
fn a_blob_too_large_for_every_slot_is_refused_with_all_sizes() {
    let Err(error) = target(BOARD).connect(&vec![0; (16 << 20) + 1]) else {
        panic!("it was taken");
    };
    let words = error.to_string();
    for size in ["16777217", "two slots of 8323072 bytes of PSRAM"] {
        assert!(words.contains(size), "{words}");
    }
}

#[test]
fn without_a_good_model_the_device_answers_and_says_why() {
    assert_eq!(refusal_of(None), "every slot is empty");
    assert_eq!(refusal_of(Some(&[0xff; 64])), "every slot is empty");
    assert!(refusal_of(Some(b"not a blob, but long enough for a header")).contains("magic"));

    let good = tiny::tiny().pack();
    let mut damaged = good.bytes().to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(refusal_of(Some(&damaged)).contains("CRC"));
    assert!(refusal_of(Some(&good.bytes()[..HEADER_LEN])).contains("damaged"));

    let mut wrong_golden = tiny::tiny();
    wrong_golden.golden[0].value_bits = Some(0);
    let reason = refusal_of(Some(wrong_golden.pack().bytes()));
    assert!(
        reason.contains("self-test") && reason.contains("regression"),
        "{reason}"
    );

    let reason = refusal_of(Some(passthrough(300, 300).pack().bytes()));
    assert!(reason.contains("540000") && reason.contains("262144"), "{reason}");
}

/// Any operator, border, band and table, on the board's own inner loops.
#[test]
fn random_graphs_answer_as_on_the_host() {
    let soak = std::env::var_os("TRIDENT_SOAK").is_some();
    for seed in 0..if soak { 400 } else { 16 } {
        let packed = random::graph(seed).pack();
        let blob = Blob::new_exact(packed.bytes()).unwrap();
        let mut noise = Noise::new(seed);
        let len = |slot| blob.input(slot).map(|input| input.shape.len());
        let mut row = |slot| len(slot).map(|len| (0..len).map(|_| noise.unit() * 6.0).collect::<Vec<f32>>());
        let (classification, regression) = (row(InputSlot::Classification), row(InputSlot::Regression));
        let picture = len(InputSlot::Picture).map(random_picture);
        let inputs = Inputs {
            classification: classification.as_deref(),
            picture: picture.as_deref(),
            regression: regression.as_deref(),
        };
        let heads = blob.graph().heads();
        let device = connect(BOARD, packed.bytes()).run(heads, &inputs);
        let device = device.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let host = on_host(packed.bytes(), heads, &inputs);
        assert_eq!(device.segmentation, host.segmentation, "seed {seed}");
        assert_same(&device, &host);
    }
}

#[test]
fn one_changed_weight_fails_the_self_test() {
    let packed = tiny::tiny().pack();
    let changed = (0..4).map(|number| {
        let mut parts = Parts::of(packed.bytes());
        parts.flip_weight(Head::Classification, number);
        parts.pack()
    });
    // Weights of a unit that is silent do not show.
    let mut shows = changed.filter(|changed| {
        let blob = Blob::new_checked(changed.as_ref()).unwrap();
        let mut arena = Aligned::zeroed(blob.graph().arena_len());
        Network::load(blob, arena.bytes_mut()).unwrap().self_test().is_err()
    });
    let changed = shows.next().expect("one of four weights shows");
    let reason = refusal_of(Some(changed.as_ref()));
    assert!(
        reason.contains("self-test") && reason.contains("classification"),
        "{reason}"
    );
}

#[test]
fn inputs_that_do_not_suit_the_model_are_refused_and_the_next_run_works() {
    let blob = tiny::tiny().pack();
    let picture = tiny::picture();
    let good = tiny::inputs(&picture);
    let mut client = connect(BOARD, blob.bytes());
    let mut refuse = |inputs: Inputs<'_>| match client.run(HeadSet::ALL, &inputs) {
        Err(DeviceError::Refused(refusal)) => {
            let after = client.run(HeadSet::ALL, &good).unwrap();
            assert_same(&after, &on_host(blob.bytes(), HeadSet::ALL, &good));
            refusal.to_string()
        }
        other => panic!("{other:?}"),
    };
    let not_a_number = Inputs {
        classification: Some(&[1.0, f32::NAN]),
        ..good
    };
    assert!(refuse(not_a_number).contains("reading 1"));
    let too_many = Inputs {
        regression: Some(&[1.0; 3]),
        ..good
    };
    assert!(refuse(too_many).contains("3 elements"));
    let large = vec![0; 128 * 128 * 3 + 1];
    let reason = refuse(picture_only(&large));
    assert!(reason.contains("49152") && reason.contains("Picture"), "{reason}");
    let far_too_many = vec![0.0; 65];
    let reason = refuse(Inputs {
        classification: Some(&far_too_many),
        ..good
    });
    assert!(reason.contains("260") && reason.contains("256"), "{reason}");
    assert_eq!(client.statistics().unwrap().self_test, SelfTest::Passed);
}

#[test]
fn a_picture_and_its_logits_travel_in_a_few_milliseconds() {
    const RUNS: u32 = 200;
    let blob = passthrough(32, 32).pack();
    let picture = random_picture(32 * 32 * 3);
    let mut client = connect(BOARD, blob.bytes());
    let started = Instant::now();
    for _ in 0..RUNS {
        let result = client.run(Head::Segmentation.into(), &picture_only(&picture)).unwrap();
        let codes: Vec<u8> = result
            .segmentation
            .unwrap()
            .iter()
            .map(|&code| code as u8 ^ 0x80)
            .collect();
        assert_eq!(codes, picture);
    }
    let each = started.elapsed() / RUNS;
    println!("{each:?} per picture of 3072 bytes and its 3072 logits");
    assert!(each.as_millis() < 50, "{each:?}");
    assert_eq!(client.statistics().unwrap().runs, RUNS);
}
