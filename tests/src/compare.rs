//! A run of the engine against the oracle's.

use trident::spec::HeadSet;
use trident::{Inputs, Network};

use crate::interpreter::interpret;

/// Asserts that a run writes every row as the oracle has it, each node its rows in turn, and gives the oracle's answers to the bit.
///
/// # Panics
/// If it does not, or inputs are missing.
pub fn assert_equals_the_oracle(network: &mut Network<'_>, heads: HeadSet, inputs: &Inputs<'_>) {
    let blob = network.blob();
    let graph = blob.graph();
    let expected = interpret(&blob, heads, inputs);
    let mut written = vec![0; graph.node_count()];
    let outputs = network
        .run_observed(heads, inputs, |step| {
            let node = graph.node(step.node).expect("known");
            let Some(tensor) = node.writes() else {
                assert!(step.bytes.is_empty());
                return;
            };
            let whole = expected.bytes(&graph, tensor);
            let row_len = whole.len() / usize::from(graph.tensor(tensor).expect("known").shape.h);
            let written = &mut written[step.node];
            assert_eq!(step.row * row_len, *written, "rows of node {} come in turn", step.node);
            let rows = &whole[*written..][..step.bytes.len()];
            assert_eq!(
                step.bytes, rows,
                "node {}, {:?}, rows from {}",
                step.node, node.op, step.row
            );
            *written += step.bytes.len();
        })
        .expect("inputs are as described");
    for (node, written) in graph.nodes().zip(written) {
        let Some(tensor) = node.writes().filter(|_| node.heads.intersects(heads)) else {
            assert_eq!(written, 0, "{node:?}");
            continue;
        };
        // Of a streamed tensor, the last rows may be read by nobody.
        let streamed = graph.tensor(tensor).expect("known").is_streamed();
        assert!(streamed || written == expected.bytes(&graph, tensor).len(), "{node:?}");
    }
    let bits = |all: &[f32]| all.iter().map(|one| one.to_bits()).collect::<Vec<u32>>();
    let probabilities = expected.probabilities.as_deref();
    assert_eq!(outputs.classification().map(bits), probabilities.map(bits));
    assert_eq!(outputs.regression().map(f32::to_bits), expected.value.map(f32::to_bits));
    let codes = outputs.segmentation().map(|logits| logits.codes.to_vec());
    assert_eq!(codes, expected.logits.map(|logits| logits.codes()));
}
