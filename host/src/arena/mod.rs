//! What lies where in a blob's arena, and when: for reports and pictures.
//!
//! ```text
//! Graph ─► Block (tensor or scratch memory: bytes, place, life) ─► ArenaMap ─┬► chart   (text)
//!                                                                            └► drawing (SVG)
//! ```
//!
//! Everything is read from the blob, so that any blob can be drawn, whoever made it. Time is counted in steps: step `n` is node
//! `n`, and one step more follows the last node, in which the caller reads the segmentation head's codes. Sizes are bytes.

mod block;
mod chart;
mod drawing;
#[cfg(test)]
mod samples;

use std::ops::RangeInclusive;

use serde::{Serialize, Serializer};
use trident::graph::Graph;
use trident::spec::{Head, HeadSet};

use crate::cli::table::whole;
use block::Lives;
pub use block::{Block, Content};
pub use chart::{chart, symbols};
pub use drawing::{drawing, drawing_width};

/// The arena of one graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArenaMap {
    /// Bytes that the blob asks for.
    pub arena_bytes: usize,
    /// The most that lives at one time: no places need less.
    pub lower_bound_bytes: usize,
    /// The one less the other.
    pub gap_bytes: usize,
    /// The same, in percent of the bound.
    pub gap_percent: f64,
    /// Where as much lives as the bound says, in runs of neighbouring nodes.
    pub peaks: Vec<Peak>,
    /// Each head by itself.
    pub heads: Vec<HeadNeed>,
    /// Nodes in execution order.
    pub nodes: Vec<NodeNeed>,
    /// What lies in the arena, in order of birth.
    pub blocks: Vec<Block>,
}

/// Neighbouring steps during which the most lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The first.
    pub first_step: usize,
    /// The last.
    pub last_step: usize,
}

/// What one head needs if it runs alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadNeed {
    /// The head's name.
    pub head: &'static str,
    /// The most that lives at one time: an arena for this head alone cannot be smaller.
    pub lower_bound_bytes: usize,
    /// Where the highest of its blocks ends in this arena.
    pub end_bytes: usize,
    /// The node at which the most lives, the first of several.
    pub peak_node: usize,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeNeed {
    /// What it does.
    pub operator: String,
    /// The heads that need it.
    #[serde(serialize_with = "names")]
    pub heads: HeadSet,
    /// First and last of the nodes that it runs in turns with, row by row; itself if it runs alone.
    pub turns: [usize; 2],
    /// All that lives while it runs, the largest scratch memory of its turns included.
    pub live_bytes: usize,
}

impl ArenaMap {
    /// The map of a graph whose blob was checked.
    pub fn of(graph: &Graph<'_>) -> Self {
        let lives = Lives::of(graph, HeadSet::ALL);
        let live = lives.live_bytes();
        let lower_bound_bytes = live.iter().copied().max().unwrap_or(0);
        let gap_bytes = graph.arena_len().saturating_sub(lower_bound_bytes);
        let nodes = graph
            .nodes()
            .zip(&live)
            .enumerate()
            .map(|(number, (node, &live_bytes))| {
                let turns = lives.turns(number);
                NodeNeed {
                    operator: format!("{:?}", node.op),
                    heads: node.heads,
                    turns: [*turns.start(), *turns.end()],
                    live_bytes,
                }
            });
        Self {
            arena_bytes: graph.arena_len(),
            lower_bound_bytes,
            gap_bytes,
            gap_percent: 100.0 * gap_bytes as f64 / lower_bound_bytes.max(1) as f64,
            peaks: peaks(&live, lower_bound_bytes),
            heads: heads(graph),
            nodes: nodes.collect(),
            blocks: lives.blocks,
        }
    }

    /// Steps, the caller's included.
    pub fn steps(&self) -> usize {
        self.nodes.len() + 1
    }

    /// Runs of more than one node that take turns.
    pub fn turns(&self) -> Vec<RangeInclusive<usize>> {
        let mut turns: Vec<RangeInclusive<usize>> =
            self.nodes.iter().map(|node| node.turns[0]..=node.turns[1]).collect();
        turns.dedup();
        turns.retain(|turns| turns.start() < turns.end());
        turns
    }

    /// A step in words: `33 Conv2d`.
    pub fn step_name(&self, step: usize) -> String {
        match self.nodes.get(step) {
            Some(node) => format!("{step} {}", node.operator),
            None => "the caller".into(),
        }
    }

    /// The nodes that write a block: `12 Conv2d → 13 Add`, `scratch of 7, 8`.
    pub fn writers(&self, block: &Block) -> String {
        let nodes = block.nodes.iter();
        if block.is_scratch() {
            let numbers: Vec<String> = nodes.map(usize::to_string).collect();
            return format!("scratch of {}", numbers.join(", "));
        }
        nodes.map(|&node| self.step_name(node)).collect::<Vec<_>>().join(" → ")
    }

    /// How near the arena is to the bound.
    pub fn verdict(&self) -> String {
        let [arena, bound, gap] =
            [self.arena_bytes, self.lower_bound_bytes, self.gap_bytes].map(|bytes| whole(bytes as u64));
        if self.gap_bytes == 0 {
            return format!("The arena takes {arena} bytes: no places for these tensors need less.");
        }
        let percent = self.gap_percent;
        format!(
            "The arena takes {arena} bytes, {gap} ({percent:.1} %) above the {bound} that live at one time: no places need less than those."
        )
    }

    /// Where the most lives.
    pub fn peak_words(&self) -> String {
        let steps = |peak: &Peak| match peak.last_step - peak.first_step {
            0 => self.step_name(peak.first_step),
            _ => format!(
                "{} to {}",
                self.step_name(peak.first_step),
                self.step_name(peak.last_step)
            ),
        };
        let peaks: Vec<String> = self.peaks.iter().map(steps).collect();
        let bytes = whole(self.lower_bound_bytes as u64);
        format!("The most, {bytes} bytes, lives at {}.", peaks.join(", "))
    }
}

impl Peak {
    /// Whether a step belongs to it.
    pub fn contains(&self, step: usize) -> bool {
        (self.first_step..=self.last_step).contains(&step)
    }
}

fn peaks(live: &[usize], most: usize) -> Vec<Peak> {
    let mut peaks: Vec<Peak> = Vec::new();
    for step in (0..live.len()).filter(|&step| live[step] == most) {
        match peaks.last_mut().filter(|peak| peak.last_step + 1 == step) {
            Some(peak) => peak.last_step = step,
            None => peaks.push(Peak {
                first_step: step,
                last_step: step,
            }),
        }
    }
    peaks
}

fn heads(graph: &Graph<'_>) -> Vec<HeadNeed> {
    let all = graph.nodes().fold(HeadSet::EMPTY, |all, node| all.union(node.heads));
    let alone = |head: Head| {
        let lives = Lives::of(graph, head.into());
        let live = lives.live_bytes();
        let lower_bound_bytes = live.iter().copied().max().unwrap_or(0);
        HeadNeed {
            head: head.name(),
            lower_bound_bytes,
            end_bytes: lives.blocks.iter().map(Block::end).max().unwrap_or(0),
            peak_node: live.iter().position(|&bytes| bytes == lower_bound_bytes).unwrap_or(0),
        }
    };
    all.iter().map(alone).collect()
}

fn names<S: Serializer>(heads: &HeadSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(heads.iter().map(Head::name))
}

#[cfg(test)]
mod tests {
    use trident::graph::Op;

    use super::samples::{map, node, tensor};

    #[test]
    fn the_verdict_says_how_near_the_bound_is() {
        let tensors = [tensor(0, [1, 1, 2000], 1), tensor(2000, [1, 1, 2000], 1)];
        let nodes = [
            node(Op::Picture, [0, 0, 0], 0),
            node(Op::Lut, [0, 0, 1], 0),
            node(Op::Logits, [1, 0, 0], 0),
        ];
        let [exact, wide] = [4000, 4200].map(|arena_len| map(&tensors, &nodes, arena_len));
        assert_eq!(
            exact.verdict(),
            "The arena takes 4,000 bytes: no places for these tensors need less."
        );
        assert_eq!(
            wide.verdict(),
            "The arena takes 4,200 bytes, 200 (5.0 %) above the 4,000 that live at one time: no places need less than those."
        );
        assert_eq!(wide.peak_words(), "The most, 4,000 bytes, lives at 1 Lut.");
    }
}
