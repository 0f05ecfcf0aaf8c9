//! What runs for which head, and what that costs.

use serde::Serialize;
use trident::graph::Graph;
use trident::spec::Head;

use crate::arena::ArenaMap;

/// The costs of a blob.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Costs {
    /// One by one, and run alone.
    pub heads: Vec<HeadCost>,
    /// Multiplications of a run of all heads; nodes that serve several count once.
    pub macs: u64,
    /// Nodes in execution order.
    pub nodes: Vec<NodeCost>,
}

/// One head, run alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadCost {
    /// The head's name.
    pub head: &'static str,
    /// How many nodes run.
    pub nodes: usize,
    /// How many of them run for this head only.
    pub own_nodes: usize,
    /// Multiplications.
    pub macs: u64,
    /// The most of the arena that lives at one time.
    pub live_bytes: usize,
    /// Where the highest of its tensors ends in the arena of all heads.
    pub arena_end: usize,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeCost {
    /// What it does.
    pub operator: String,
    /// `[h, w, c]` of what it makes, or of what it takes out.
    pub shape: [u16; 3],
    /// The heads that need it.
    pub heads: Vec<&'static str>,
    /// Multiplications.
    pub macs: u64,
    /// All that lives in the arena while it runs.
    pub live_bytes: usize,
}

impl Costs {
    /// Of a checked blob's graph.
    pub fn of(graph: &Graph<'_>, map: &ArenaMap) -> Self {
        let nodes: Vec<NodeCost> = graph
            .nodes()
            .zip(&map.nodes)
            .map(|(node, need)| {
                let tensor = if node.op.is_output() { node.input } else { node.output };
                let shape = graph.tensor(tensor.into()).map(|tensor| tensor.shape);
                NodeCost {
                    operator: need.operator.clone(),
                    shape: shape.map_or([0; 3], |shape| [shape.h, shape.w, shape.c]),
                    heads: need.heads.iter().map(Head::name).collect(),
                    macs: graph.node_macs(&node),
                    live_bytes: need.live_bytes,
                }
            })
            .collect();
        let heads = map.heads.iter().map(|need| {
            let own = || nodes.iter().filter(|node| node.heads.contains(&need.head));
            HeadCost {
                head: need.head,
                nodes: own().count(),
                own_nodes: own().filter(|node| node.heads.len() == 1).count(),
                macs: own().map(|node| node.macs).sum(),
                live_bytes: need.lower_bound_bytes,
                arena_end: need.end_bytes,
            }
        });
        Self {
            heads: heads.collect(),
            macs: nodes.iter().map(|node| node.macs).sum(),
            nodes,
        }
    }
}
