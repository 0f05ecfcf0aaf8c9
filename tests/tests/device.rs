//! A board under QEMU against the host: same outputs, clear reasons when something is wrong.

use std::time::Instant;

use trident::blob::Header;
use trident::wire::{Refusal, SelfTest};
use trident::{Blob, Head, HeadSet, Inputs, Network};
use trident_host::device::{BOARDS, Client, DeviceError, RunResult, Target};
use trident_tests::aligned::Aligned;
use trident_tests::builder::{Builder, seal};
use trident_tests::{noise, random, tiny};

fn target(words: &str) -> Target {
    words.parse().expect("a target")
}

fn connect(words: &str, blob: &[u8]) -> Client {
    target(words).connect(blob).unwrap_or_else(|error| panic!("{error}"))
}

/// What the host computes.
fn on_host(blob: &[u8], heads: HeadSet, inputs: &Inputs<'_>) -> RunResult {
    let packed = Aligned::copy_of(blob);
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let mut network = Network::load(blob, arena.bytes_mut()).expect("loads");
    let outputs = network.run(heads, inputs).expect("runs");
    RunResult {
        classification: outputs.classification().map(<[f32]>::to_vec),
        segmentation: outputs.segmentation().map(|logits| logits.codes.to_vec()),
        regression: outputs.regression(),
        instructions: 0,
    }
}

fn assert_same(device: &RunResult, host: &RunResult) {
    let bits = |row: &Option<Vec<f32>>| row.as_ref().map(|row| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    assert_eq!(bits(&device.classification), bits(&host.classification));
    assert_eq!(device.segmentation, host.segmentation);
    assert_eq!(device.regression.map(f32::to_bits), host.regression.map(f32::to_bits));
}

#[test]
fn every_head_alone_and_together_answers_as_on_the_host() {
    let blob = tiny::tiny().pack();
    let blob = blob.bytes();
    let picture = tiny::picture();
    let inputs = tiny::inputs(&picture);
    let mut client = connect("qemu:mps2-an386", blob);
    for heads in (1..=7).filter_map(HeadSet::from_bits) {
        let device = client.run(heads, &inputs).unwrap();
        assert_same(&device, &on_host(blob, heads, &inputs));
        assert!(device.instructions > 0);
        let again = client.run(heads, &inputs).unwrap();
        assert_eq!(again, device, "instructions are counted to the last one");
        println!("{heads:?}: {} instructions", device.instructions);
    }
    let started = Instant::now();
    for _ in 0..100 {
        client.run(HeadSet::ALL, &inputs).unwrap();
    }
    println!("{:?} per run", started.elapsed() / 100);
    let statistics = client.statistics().unwrap();
    println!("{:#?}\n{statistics:#?}\n{}", client.info(), client.log());
}
