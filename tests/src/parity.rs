//! One blob and its inputs, on a device and on this computer.

use trident::{Blob, HeadSet, Inputs, Network};
use trident_host::device::RunResult;

use crate::aligned::Aligned;

/// What this computer computes.
///
/// # Panics
/// If it is no blob, or does not run.
pub fn on_host(blob: &[u8], heads: HeadSet, inputs: &Inputs<'_>) -> RunResult {
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

/// The same bits in every value.
///
/// # Panics
/// If one differs.
#[track_caller]
pub fn assert_same(device: &RunResult, host: &RunResult) {
    let bits = |row: &Option<Vec<f32>>| {
        row.as_ref()
            .map(|row| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
    };
    assert_eq!(bits(&device.classification), bits(&host.classification));
    assert_eq!(device.segmentation, host.segmentation);
    assert_eq!(device.regression.map(f32::to_bits), host.regression.map(f32::to_bits));
}
