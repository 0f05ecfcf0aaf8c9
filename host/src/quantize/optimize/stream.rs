//! Which tensors need not exist whole.
//!
//! Neighbouring nodes that run in turns, a *band*, keep only the rows between them that are still read (see
//! [`trident::schedule`]). Bands cost some instructions per row, so that as few nodes as possible join one: first the least
//! memory that any division into bands can do with is found, then the division of least joints within it.

use std::collections::HashMap;
use std::ops::Range;

use trident::graph::{Graph, Op};
use trident::schedule::{MAX_BAND, Schedule, rows_per_step, rows_read};

use crate::quantize::plain::PlainGraph;
use crate::quantize::plan::padded;

/// Rows that each tensor keeps.
pub fn kept_rows(graph: &PlainGraph) -> Vec<u16> {
    let whole: Vec<u16> = graph.tensors.iter().map(|tensor| tensor.shape.h).collect();
    let bands = Candidates::of(graph);
    let count = graph.nodes.len();
    // Least memory of the nodes before `end`, and least joints within the least memory of all.
    let mut least = vec![0usize; count + 1];
    for end in 1..=count {
        let costs = bands.ending(end).map(|(first, band)| least[first].max(band.bytes));
        least[end] = costs.min().unwrap_or(usize::MAX);
    }
    let mut joints = vec![(0usize, 0usize); count + 1];
    for end in 1..=count {
        let within = bands.ending(end).filter(|(_, band)| band.bytes <= least[count]);
        let joined = within.map(|(first, _)| (joints[first].0.saturating_add(end - first - 1), first));
        joints[end] = joined.min().unwrap_or((usize::MAX, end - 1));
    }
    let mut kept = whole;
    let mut end = count;
    while end > 0 {
        let first = joints[end].1;
        if let Some(band) = bands.0.get(&(first, end)) {
            for &(tensor, rows) in &band.kept {
                kept[tensor] = rows;
            }
        }
        end = first;
    }
    kept
}

/// A possible band.
struct Band {
    /// Rows that its streamed tensors keep.
    kept: Vec<(usize, u16)>,
    /// Bytes of all that lives while it runs.
    bytes: usize,
}

/// Possible bands by their first node and their end.
struct Candidates(HashMap<(usize, usize), Band>);

impl Candidates {
    fn of(graph: &PlainGraph) -> Self {
        let mut bands = HashMap::new();
        let (tensors, nodes) = graph.records();
        let records = Graph::new(&tensors, &nodes, 0);
        for first in 0..graph.nodes.len() {
            for end in first + 1..=graph.nodes.len().min(first + MAX_BAND) {
                if let Some(band) = band(graph, records.as_ref(), first..end) {
                    bands.insert((first, end), band);
                }
            }
        }
        Self(bands)
    }

    fn ending(&self, end: usize) -> impl Iterator<Item = (usize, &Band)> {
        let first = end.saturating_sub(MAX_BAND);
        (first..end).filter_map(move |first| self.0.get(&(first, end)).map(|band| (first, band)))
    }
}

fn band(graph: &PlainGraph, records: Option<&Graph<'_>>, nodes: Range<usize>) -> Option<Band> {
    let kept = if nodes.len() > 1 {
        streamed(graph, records?, &nodes)?
    } else {
        Vec::new()
    };
    let bytes_of = |tensor: usize| {
        let rows = kept
            .iter()
            .find(|(streamed, _)| *streamed == tensor)
            .map(|(_, rows)| *rows);
        padded(graph.placed(tensor, 0, rows).byte_len())
    };
    let lives = |tensor: &usize| {
        let written = graph.writer(*tensor).is_some_and(|writer| writer < nodes.end);
        let read = graph.last_reader(*tensor) >= nodes.start;
        written && read
    };
    let mut bytes: usize = (0..graph.tensors.len()).filter(lives).map(bytes_of).sum();
    let last = nodes.end - 1;
    let alone = |&term: &usize| {
        let streamed = kept.iter().any(|(streamed, _)| *streamed == term);
        !streamed && graph.readers(term).filter(|reader| nodes.contains(reader)).count() == 1
    };
    if graph.last_terms(last).any(|term| alone(&term)) {
        bytes -= bytes_of(graph.nodes[last].node.output.into());
    }
    let scratch = nodes
        .clone()
        .map(|number| graph.scratch_bytes(number))
        .max()
        .unwrap_or(0);
    Some(Band {
        kept,
        bytes: bytes + scratch,
    })
}

/// Rows that tensors of a band must keep; none if the nodes cannot be a band.
fn streamed(graph: &PlainGraph, records: &Graph<'_>, nodes: &Range<usize>) -> Option<Vec<(usize, u16)>> {
    let heads = graph.nodes[nodes.start].node.heads;
    let rowwise = |number: usize| {
        let node = &graph.nodes[number].node;
        let shape = |tensor: u8| graph.tensors[usize::from(tensor)].shape;
        let operator = match node.op {
            Op::Readings => false,
            Op::Lut => shape(node.input) == shape(node.output),
            op => !op.is_linear() && !op.is_output(),
        };
        operator && node.heads == heads
    };
    if !nodes.clone().all(rowwise) {
        return None;
    }
    let inner: Vec<usize> = (nodes.start..nodes.end - 1)
        .map(|node| graph.nodes[node].node.output.into())
        .collect();
    if !inner
        .iter()
        .all(|&tensor| graph.readers(tensor).all(|reader| nodes.contains(&reader)))
    {
        return None;
    }
    let mut kept = vec![0u16; graph.tensors.len()];
    let mut schedule = Schedule::new(*records, nodes.clone());
    while let Some(turn) = schedule.next() {
        let (node, output) = (
            records.node(turn.node)?,
            graph.placed(graph.nodes[turn.node].node.output.into(), 0, None),
        );
        for tensor in node.reads() {
            // Its writer is another node, so that it has written as much before this turn as after it.
            if let Some(writer) = schedule.writer(tensor) {
                let rows = rows_read(&node, &graph.placed(tensor, 0, None), &output, turn.row);
                kept[tensor] = kept[tensor].max(schedule.written(writer).saturating_sub(rows.start));
            }
        }
    }
    inner
        .into_iter()
        .map(|tensor| {
            let writer = graph.nodes[graph.writer(tensor)?].node;
            let [input, output] = [graph.input_of(&writer), tensor].map(|tensor| graph.placed(tensor, 0, None));
            let step = rows_per_step(&writer, &input, &output);
            let rows = kept[tensor].max(1).next_multiple_of(step);
            (rows < output.shape.h).then_some((tensor, rows))
        })
        .collect()
}
