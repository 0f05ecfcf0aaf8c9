//! Bands with the fewest rows: see `trident::schedule`.

use std::ops::Range;

use trident::graph::{Element, Graph};
use trident::schedule::{Schedule, rows_per_step, rows_read};

use crate::builder::Builder;

/// Lets the nodes of a band, but the last, keep the fewest rows that the others can do with; `false`, and nothing is changed, if there is
/// one that must keep all.
pub fn stream(builder: &mut Builder, band: Range<usize>) -> bool {
    let Some(kept) = fewest_rows(builder, band) else {
        return false;
    };
    for (tensor, kept) in kept {
        builder.tensors[tensor].kept = kept;
    }
    true
}

/// The tensors that the nodes of a band write, but for the last, and how many rows they must keep.
fn fewest_rows(builder: &Builder, band: Range<usize>) -> Option<Vec<(usize, u16)>> {
    let nodes = &builder.nodes[band.clone()];
    let written: Vec<usize> = nodes.iter().map_while(|node| node.writes()).collect();
    if written.len() < nodes.len() || nodes.iter().any(|node| node.heads != nodes[0].heads) {
        return None;
    }
    let streamed = &written[..written.len() - 1];
    let foreign = |tensor: usize| {
        let mut readers = builder
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.reads().any(|read| read == tensor));
        readers.any(|(number, _)| !band.contains(&number))
    };
    let rows = |tensor: usize| builder.tensors[tensor].element == Element::I8 && !foreign(tensor);
    if !streamed.iter().all(|&tensor| rows(tensor)) {
        return None;
    }
    let (tensors, nodes) = builder.records();
    let graph = Graph::new(&tensors, &nodes, builder.arena_len)?;
    let mut schedule = Schedule::new(graph, band.clone());
    let mut kept = vec![1; streamed.len()];
    loop {
        let before = schedule.clone();
        let Some(turn) = schedule.next() else { break };
        let node = &builder.nodes[turn.node];
        let output = &builder.tensors[usize::from(node.output)];
        for tensor in node.reads() {
            let Some(place) = streamed.iter().position(|&other| other == tensor) else {
                continue;
            };
            let first = rows_read(node, &builder.tensors[tensor], output, turn.row).start;
            kept[place] = kept[place].max(before.written(band.start + place).saturating_sub(first));
        }
    }
    let whole_steps = |(place, kept): (usize, u16)| {
        let tensor = streamed[place];
        let node = &builder.nodes[band.start + place];
        let input = node.reads().next().unwrap_or(tensor);
        let step = rows_per_step(node, &builder.tensors[input], &builder.tensors[tensor]);
        let kept = kept.next_multiple_of(step);
        (kept < builder.tensors[tensor].shape.h).then_some((tensor, kept))
    };
    kept.into_iter().enumerate().map(whole_steps).collect()
}
