//! Inputs, heads, golden vectors and calibration statistics are described as the graph has them.

use super::{GraphError, MAX_GOLDEN_VECTORS};
use crate::blob::{Calibration, InputDescription, MAX_CALIBRATED_PIXELS, Metadata, ReadingStatistics, Sequence};
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
    let inputs = metadata.inputs.checked_len().is_some_and(|count| {
        let nodes = || graph.nodes().filter(|node| node.op.is_input());
        let slots = (0..3).filter(|&slot| nodes().any(|node| node.input == slot));
        count == slots.count()
            && nodes().all(|node| metadata.inputs.iter().any(|input| input_matches(graph, &node, &input)))
    });
    let heads = metadata.heads.checked_len().is_some_and(|count| {
        let nodes = || graph.nodes().filter(|node| node.op.is_output());
        count > 0
            && count == nodes().count()
            && nodes().all(|node| {
                metadata.heads.iter().any(|head| {
                    let classes = head.classes.checked_len();
                    HeadSet::from(head.head) == node.heads && classes == class_count(graph, &node)
                })
            })
    });
    let golden = metadata
        .golden
        .checked_len()
        .is_some_and(|count| count <= MAX_GOLDEN_VECTORS)
        && metadata.golden.iter().all(|golden| {
            let spans = golden.inputs.iter().chain([&golden.probabilities]);
            let inside = spans
                .clone()
                .all(|span| span.of(parameters).is_some() && span.offset.is_multiple_of(4));
            let sizes = metadata.inputs.iter().all(|input| {
                let element = if input.slot == InputSlot::Picture { 1 } else { 4 };
                golden.inputs[input.slot as usize].len as usize == input.shape.len().saturating_mul(element)
            });
            inside && sizes && golden.probabilities.len.is_multiple_of(4)
        });
    let metrics = metadata.provenance.metrics.checked_len().is_some();
    if inputs && heads && golden && metrics && calibrated(metadata, calibrations, parameters) {
        Ok(())
    } else {
        Err(GraphError::Description)
    }
}

/// Whether every slot is one of the inputs, stands once, and has sound statistics inside the parameters.
fn calibrated(metadata: &Metadata<'_>, calibrations: &Sequence<'_, Calibration>, parameters: &[u8]) -> bool {
    let once = |slot| calibrations.iter().filter(|other| other.slot == slot).count() == 1;
    let fits = |calibration: Calibration| {
        let input = metadata.inputs.iter().find(|input| input.slot == calibration.slot)?;
        let shape = input.shape;
        let small = input.slot != InputSlot::Picture || shape.len() <= 3 * MAX_CALIBRATED_PIXELS;
        let count = ReadingStatistics::count(input.slot, shape.len());
        let span = calibration.readings;
        let readings = Parameters::new(parameters).slice::<ReadingStatistics>(span.offset, count)?;
        let whole = span.len as usize == size_of_val(readings);
        Some(small && whole && once(input.slot) && readings.iter().all(ReadingStatistics::is_sound))
    };
    let count = calibrations.checked_len();
    count.is_some_and(|count| count <= InputSlot::ALL.len())
        && calibrations.iter().all(|calibration| fits(calibration) == Some(true))
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
