//! Order and place of tensors.
//!
//! Every tensor is written once, before it is read, for all heads that read it; tensors that live together do not overlap, nor does
//! scratch memory. A tensor of a band lives from the band's first node to the last of the band of its last reader, since the nodes of
//! a band run in turns.

use core::ops::Range;

use super::{GraphError, MAX_TURNS};
use crate::graph::{Graph, MAX_NODES, MAX_TENSORS, Node, Op};
use crate::kernels;
use crate::schedule::{self, Schedule, rows_per_step, rows_read};
use crate::spec::HeadSet;

const NEVER: u8 = u8::MAX;

/// When tensors are written and last read, in numbers of nodes, and which nodes run in turns.
struct Lives {
    written: [u8; MAX_TENSORS],
    last_read: [u8; MAX_TENSORS],
    /// First node of each node's band.
    bands: [u8; MAX_NODES],
}

impl Lives {
    /// First and last node of a node's band.
    #[inline(never)]
    fn band(&self, node: u8) -> (u8, u8) {
        let (_, from) = self.bands.split_at(usize::from(node).min(MAX_NODES));
        match from.first() {
            Some(&first) => {
                let behind = from[1..].iter().take_while(|&&other| other == first).count();
                (first, node + behind as u8)
            }
            None => (node, node),
        }
    }

    /// First and last node during which a tensor must be kept.
    #[inline(never)]
    fn of(&self, tensor: usize) -> Option<(u8, u8)> {
        let written = self.written[tensor];
        (written != NEVER).then(|| (self.band(written).0, self.band(self.last_read[tensor]).1))
    }

    /// Fills in who writes and reads what.
    fn note(&mut self, graph: &Graph<'_>) -> Result<(), GraphError> {
        let end = graph.node_count() as u8;
        for (index, node) in graph.nodes().enumerate() {
            for tensor in node.reads() {
                let writer = usize::from(self.written[tensor]);
                let made_for = graph.node(writer).map_or(HeadSet::EMPTY, |writer| writer.heads);
                if !made_for.contains_all(node.heads) {
                    return Err(GraphError::Order { node: index });
                }
                // Codes of the segmentation head are read by the caller, after the last node.
                let read = if node.op == Op::Logits { end } else { index as u8 };
                self.last_read[tensor] = self.last_read[tensor].max(read);
            }
            if let Some(tensor) = node.writes() {
                if self.written[tensor] != NEVER {
                    return Err(GraphError::Order { node: index });
                }
                self.written[tensor] = index as u8;
                self.last_read[tensor] = index as u8;
            }
        }
        Ok(())
    }

    /// Fills in the bands.
    fn join(&mut self, graph: &Graph<'_>) -> Result<(), GraphError> {
        let (mut first, mut turns) = (0, 0);
        while first < graph.node_count() {
            let band = schedule::band(graph, first).ok_or(GraphError::Stream { node: first })?;
            if band.len() > 1 {
                check_band(graph, &band, &mut turns)?;
            }
            self.bands[band.clone()].fill(band.start as u8);
            first = band.end;
        }
        Ok(())
    }
}

/// Checks order and place of all tensors of a graph whose nodes are in order.
#[inline(never)]
pub(crate) fn lifetimes(graph: &Graph<'_>) -> Result<(), GraphError> {
    let mut lives = Lives {
        written: [NEVER; MAX_TENSORS],
        last_read: [0; MAX_TENSORS],
        bands: [NEVER; MAX_NODES],
    };
    lives.note(graph)?;
    lives.join(graph)?;
    for second in 0..graph.tensor_count() {
        let Some(b) = lives.of(second) else { continue };
        for first in 0..second {
            let Some(a) = lives.of(first) else { continue };
            let in_place =
                || adds_in_place(graph, &lives, first, second) || adds_in_place(graph, &lives, second, first);
            if a.0 <= b.1 && b.0 <= a.1 && overlaps(graph, first, second) && !in_place() {
                return Err(GraphError::Overlap { first, second });
            }
        }
    }
    check_scratch(graph, &lives)
}

/// Nodes of a band have rows and serve the same heads, its streamed tensors are read inside it alone, and keep every row that is still
/// read. `turns` counts the steps of all bands.
#[inline(never)]
fn check_band(graph: &Graph<'_>, band: &Range<usize>, turns: &mut u32) -> Result<(), GraphError> {
    let heads = graph.node(band.start).map(|node| node.heads);
    let mut schedule = Schedule::new(*graph, band.clone());
    for (index, node) in graph.nodes().enumerate() {
        let fault = GraphError::Stream { node: index };
        let inside = band.contains(&index);
        let streamed = |tensor: usize| {
            let of_band = schedule.writer(tensor).is_some();
            of_band && graph.tensor(tensor).is_some_and(|tensor| tensor.is_streamed())
        };
        let foreign = !inside && node.reads().any(streamed);
        let alike = Some(node.heads) == heads && node.op.has_rows() && keeps_whole_steps(graph, &node);
        if foreign || inside && !alike {
            return Err(fault);
        }
    }
    while let Some(turn) = schedule.next() {
        let fault = GraphError::Stream { node: turn.node };
        *turns += 1;
        if *turns > MAX_TURNS {
            return Err(fault);
        }
        let node = graph.node(turn.node).ok_or(fault)?;
        let output = graph.tensor(node.output.into()).ok_or(fault)?;
        for tensor in node.reads() {
            // Its writer is another node, so that it has written as much before this turn as after it.
            let Some(writer) = schedule.writer(tensor) else {
                continue;
            };
            let input = graph.tensor(tensor).ok_or(fault)?;
            let rows = rows_read(&node, &input, &output, turn.row);
            let written = schedule.written(writer);
            if rows.end > written || u32::from(rows.start) + u32::from(input.kept) < u32::from(written) {
                return Err(fault);
            }
        }
    }
    Ok(())
}

/// Rows of one step lie one behind the other.
fn keeps_whole_steps(graph: &Graph<'_>, node: &Node) -> bool {
    let input = if node.op.is_input() { node.output } else { node.input };
    let (Some(input), Some(output)) = (graph.tensor(input.into()), graph.tensor(node.output.into())) else {
        return false;
    };
    !output.is_streamed() || output.kept.is_multiple_of(rows_per_step(node, &input, &output).max(1))
}

/// Whether a node is an addition that puts its result exactly where its first input lies, which nothing reads any more.
fn adds_in_place(graph: &Graph<'_>, lives: &Lives, read: usize, result: usize) -> bool {
    if !Op::Add.is_built_in() && !Op::UpsampledAdd.is_built_in() {
        return false;
    }
    let writer = lives.written[result];
    let (Some(node), Some(a), Some(b)) = (graph.node(writer.into()), graph.tensor(read), graph.tensor(result)) else {
        return false;
    };
    let (first, last) = lives.band(writer);
    let readers = graph
        .nodes()
        .enumerate()
        .filter(|(index, node)| (first..=last).contains(&(*index as u8)) && node.reads().any(|tensor| tensor == read));
    node.op.is_sum()
        && node.input != node.second
        && usize::from(node.input) == read
        && usize::from(node.output) == result
        && lives.last_read[read] == writer
        && readers.count() == 1
        && !a.is_streamed()
        && !b.is_streamed()
        && a.offset == b.offset
}

/// Bytes of a tensor; of one that is not there, all.
#[inline(never)]
fn bytes_of(graph: &Graph<'_>, tensor: usize) -> Range<usize> {
    graph.tensor(tensor).map_or(0..usize::MAX, |tensor| tensor.range())
}

fn overlaps(graph: &Graph<'_>, first: usize, second: usize) -> bool {
    meet(&bytes_of(graph, first), &bytes_of(graph, second))
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn check_scratch(graph: &Graph<'_>, lives: &Lives) -> Result<(), GraphError> {
    for (index, node) in graph.nodes().enumerate().filter(|(_, node)| node.op.is_weighted()) {
        let fault = GraphError::Scratch { node: index };
        let (Some(input), Some(output)) = (graph.tensor(node.input.into()), graph.tensor(node.output.into())) else {
            return Err(fault);
        };
        let scratch = kernels::scratch(&node, &input, &output);
        if scratch.is_empty() {
            continue;
        }
        let (first, last) = lives.band(index as u8);
        let taken = (0..graph.tensor_count()).any(|tensor| {
            let lives = lives.of(tensor).is_some_and(|(from, to)| from <= last && first <= to);
            lives && meet(&bytes_of(graph, tensor), &scratch)
        });
        if taken || !scratch.start.is_multiple_of(4) || scratch.end > graph.arena_len() {
            return Err(fault);
        }
    }
    Ok(())
}
