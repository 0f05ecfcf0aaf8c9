//! Inputs, heads, golden vectors and calibration statistics are described as the graph has them.

use super::{GraphError, MAX_GOLDEN_VECTORS};
use crate::blob::{
    Calibration, HeadDescription, InputDescription, MAX_CALIBRATED_PIXELS, Metadata, ReadingStatistics, Sequence,
};
use crate::graph::{Graph, Node, Op};
use crate::parameters::Parameters;
use crate::spec::{HeadSet, InputSlot, Shape};

/// Checks that inputs, heads, golden vectors and calibration statistics are described as the graph has them.
pub(crate) fn descriptions(
    graph: &Graph<'_>,
    metadata: &Metadata<'_>,
    calibrations: &Sequence<'_, Calibration>,
    parameters: &[u8],
) -> Result<(), GraphError> {
    let metrics = metadata.provenance.metrics.checked_len().is_some();
    let fit = metrics
        && inputs_fit(graph, metadata) == Some(true)
        && heads_fit(graph, metadata) == Some(true)
        && golden_fit(metadata, parameters) == Some(true)
        && calibrations_fit(metadata, calibrations, parameters) == Some(true);
    if fit { Ok(()) } else { Err(GraphError::Description) }
}

/// Whether there is one description for each slot.
fn inputs_fit(graph: &Graph<'_>, metadata: &Metadata<'_>) -> Option<bool> {
    let mut slots = [false; InputSlot::ALL.len()];
    for node in graph.nodes().filter(|node| node.op.is_input()) {
        let slot = usize::from(node.input);
        *slots.get_mut(slot)? = true;
        if !input_matches(graph, &node, &metadata.input(InputSlot::ALL[slot])?) {
            return None;
        }
    }
    let slots = slots.into_iter().filter(|&named| named).count();
    Some(metadata.inputs.checked_len()? == slots)
}

/// Whether there is one description for each head.
fn heads_fit(graph: &Graph<'_>, metadata: &Metadata<'_>) -> Option<bool> {
    let mut heads = 0;
    for node in graph.nodes().filter(|node| node.op.is_output()) {
        let is_it = |head: &HeadDescription<'_>| HeadSet::from(head.head) == node.heads;
        let head = metadata.heads.iter().find(is_it)?;
        if head.classes.checked_len()? != class_count(graph, &node)? {
            return None;
        }
        heads += 1;
    }
    Some(heads > 0 && metadata.heads.checked_len()? == heads)
}

/// Whether golden vectors lie inside the parameters and have the inputs' lengths.
fn golden_fit(metadata: &Metadata<'_>, parameters: &[u8]) -> Option<bool> {
    for golden in metadata.golden.iter() {
        for span in golden.inputs.iter().chain([&golden.probabilities]) {
            span.of(parameters).filter(|_| span.offset.is_multiple_of(4))?;
        }
        for input in metadata.inputs.iter() {
            let element = if input.slot == InputSlot::Picture { 1 } else { 4 };
            if golden.inputs[input.slot as usize].len as usize != input.shape.len().saturating_mul(element) {
                return None;
            }
        }
        if !golden.probabilities.len.is_multiple_of(4) {
            return None;
        }
    }
    Some(metadata.golden.checked_len()? <= MAX_GOLDEN_VECTORS)
}

/// Whether every slot is one of the inputs, stands once, and has sound statistics inside the parameters.
fn calibrations_fit(
    metadata: &Metadata<'_>,
    calibrations: &Sequence<'_, Calibration>,
    parameters: &[u8],
) -> Option<bool> {
    let mut seen = [false; InputSlot::ALL.len()];
    for Calibration { slot, readings } in calibrations.iter() {
        let shape = metadata.input(slot)?.shape;
        let small = slot != InputSlot::Picture || shape.len() <= 3 * MAX_CALIBRATED_PIXELS;
        let count = ReadingStatistics::count(slot, shape.len());
        let statistics = Parameters::new(parameters).slice::<ReadingStatistics>(readings.offset, count)?;
        let whole = readings.len as usize == size_of_val(statistics);
        let again = core::mem::replace(&mut seen[slot as usize], true);
        if again || !small || !whole || !statistics.iter().all(ReadingStatistics::is_sound) {
            return None;
        }
    }
    calibrations.checked_len().map(|_| true)
}

fn input_matches(graph: &Graph<'_>, node: &Node, input: &InputDescription<'_>) -> bool {
    let Some(tensor) = graph.tensor(node.output.into()) else {
        return false;
    };
    let shape = match node.op {
        Op::Picture => input.shape == tensor.shape,
        _ => input.shape == Shape::row(node.p[2] as u16),
    };
    let names = input.names.checked_len();
    let named = if node.op == Op::Picture {
        names == Some(0)
    } else {
        names == Some(input.shape.len())
    };
    input.slot as u8 == node.input && shape && named
}

/// Classes a head must name: two for one logit, none for regression.
fn class_count(graph: &Graph<'_>, node: &Node) -> Option<usize> {
    let channels = usize::from(graph.tensor(node.input.into())?.shape.c);
    Some(match node.op {
        Op::Value => 0,
        Op::Probabilities if channels == 1 => 2,
        _ => channels,
    })
}
