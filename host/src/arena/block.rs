//! Bytes of the arena that are taken for a time, found by the rules that the blob's own checks go by.

use std::ops::{Range, RangeInclusive};

use serde::Serialize;
use trident::graph::{Graph, Node, Op, Tensor};
use trident::kernels;
use trident::schedule::band;
use trident::spec::HeadSet;

use super::names;

/// Bytes that are taken for a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Block {
    /// What lies there.
    #[serde(flatten)]
    pub content: Content,
    /// The nodes that write it: of a tensor one, and each addition that puts its sum in the same place; of scratch memory all
    /// that use it in turns.
    pub nodes: Vec<usize>,
    /// The heads that need it.
    #[serde(serialize_with = "names")]
    pub heads: HeadSet,
    /// Where it begins.
    pub offset: usize,
    /// How many there are.
    pub bytes: usize,
    /// The first step at which they are taken.
    pub first_step: usize,
    /// The last.
    pub last_step: usize,
}

/// What lies in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Content {
    /// A tensor, or several one after the other.
    Tensor {
        /// Their numbers, in the order in which they are written.
        tensors: Vec<usize>,
        /// `[h, w, c]` of each of them.
        shape: [u16; 3],
        /// Rows that the arena holds at a time; `h` unless the tensor is streamed.
        kept_rows: u16,
    },
    /// Memory that a node needs while it runs.
    Scratch,
}

impl Block {
    /// The first byte behind it.
    pub const fn end(&self) -> usize {
        self.offset + self.bytes
    }

    /// Whether it is taken at a step.
    pub fn lives_at(&self, step: usize) -> bool {
        (self.first_step..=self.last_step).contains(&step)
    }

    /// Whether it is scratch memory.
    pub fn is_scratch(&self) -> bool {
        self.content == Content::Scratch
    }

    /// Kept rows and all rows of a streamed tensor; none of anything else.
    pub fn streamed(&self) -> Option<[u16; 2]> {
        match &self.content {
            Content::Tensor { shape, kept_rows, .. } if *kept_rows < shape[0] => Some([*kept_rows, shape[0]]),
            _ => None,
        }
    }

    /// A tensor's sides: `16×16×12`.
    pub fn shape(&self) -> Option<String> {
        match &self.content {
            Content::Tensor { shape, .. } => Some(shape.map(|side| side.to_string()).join("×")),
            Content::Scratch => None,
        }
    }
}

/// All blocks of a run for some heads.
pub(super) struct Lives {
    /// In order of birth.
    pub blocks: Vec<Block>,
    /// Per node, first and last of the nodes that it takes turns with.
    turns: Vec<RangeInclusive<usize>>,
    /// Per node, bytes of scratch memory; none of nodes that do not run.
    scratch: Vec<usize>,
}

impl Lives {
    pub(super) fn of(graph: &Graph<'_>, heads: HeadSet) -> Self {
        let turns = turns(graph);
        let nodes: Vec<(usize, Node)> = graph
            .nodes()
            .enumerate()
            .filter(|(_, node)| node.heads.intersects(heads))
            .collect();
        let mut blocks = tensors(graph, &nodes, &turns);
        let mut scratch = vec![0; turns.len()];
        for (number, node) in &nodes {
            let range = scratch_of(graph, node);
            if !range.is_empty() {
                scratch[*number] = range.len();
                take_scratch(&mut blocks, (*number, node), range, &turns[*number]);
            }
        }
        blocks.sort_by_key(|block| (block.first_step, block.nodes[0], block.is_scratch()));
        Self { blocks, turns, scratch }
    }

    /// First and last of the nodes that a node takes turns with.
    pub(super) fn turns(&self, node: usize) -> RangeInclusive<usize> {
        self.turns[node].clone()
    }

    /// Bytes that live at each step. Of nodes that take turns one runs at a time, so that the largest scratch memory is enough.
    pub(super) fn live_bytes(&self) -> Vec<usize> {
        let tensors = |step: usize| {
            let live = self
                .blocks
                .iter()
                .filter(|block| !block.is_scratch() && block.lives_at(step));
            live.map(|block| block.bytes.next_multiple_of(4)).sum::<usize>()
        };
        let scratch = |step: usize| {
            let turns = self.turns.get(step).cloned();
            turns
                .and_then(|turns| self.scratch[turns].iter().max().copied())
                .unwrap_or(0)
        };
        (0..=self.turns.len())
            .map(|step| tensors(step) + scratch(step))
            .collect()
    }
}

/// Per node, first and last of the nodes that it takes turns with.
fn turns(graph: &Graph<'_>) -> Vec<RangeInclusive<usize>> {
    let mut turns = Vec::new();
    while turns.len() < graph.node_count() {
        let first = turns.len();
        let last = band(graph, first).map_or(first, |band| band.end - 1);
        turns.extend((first..=last).map(|_| first..=last));
    }
    turns
}

/// Tensors that those nodes write; sums share the block of the tensor whose place they take.
fn tensors(graph: &Graph<'_>, nodes: &[(usize, Node)], turns: &[RangeInclusive<usize>]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut block_of = vec![None; graph.tensor_count()];
    for (number, node) in nodes {
        for read in node.reads() {
            // Codes of the segmentation head are read by the caller, after the last node.
            let last_step = match node.op {
                Op::Logits => turns.len(),
                _ => *turns[*number].end(),
            };
            if let Some(block) = block_of[read].map(|block: usize| &mut blocks[block]) {
                block.last_step = block.last_step.max(last_step);
                block.heads = block.heads.union(node.heads);
            }
        }
        let Some((written, tensor)) = node
            .writes()
            .and_then(|written| Some((written, graph.tensor(written)?)))
        else {
            continue;
        };
        let place = in_place(graph, node, &tensor).and_then(|read| block_of[read]);
        let block = place.unwrap_or(blocks.len());
        block_of[written] = Some(block);
        match place {
            Some(block) => add_sum(&mut blocks[block], written, *number),
            None => blocks.push(Block {
                content: Content::Tensor {
                    tensors: vec![written],
                    shape: [tensor.shape.h, tensor.shape.w, tensor.shape.c],
                    kept_rows: tensor.kept,
                },
                nodes: vec![*number],
                heads: node.heads,
                offset: tensor.offset as usize,
                bytes: tensor.byte_len(),
                first_step: *turns[*number].start(),
                last_step: *turns[*number].end(),
            }),
        }
    }
    blocks
}

/// The tensor whose place a sum takes.
fn in_place(graph: &Graph<'_>, node: &Node, sum: &Tensor) -> Option<usize> {
    let read = usize::from(node.input);
    let at = graph.tensor(read)?.offset;
    (node.op.is_sum() && at == sum.offset).then_some(read)
}

fn add_sum(block: &mut Block, tensor: usize, node: usize) {
    block.nodes.push(node);
    if let Content::Tensor { tensors, .. } = &mut block.content {
        tensors.push(tensor);
    }
}

fn scratch_of(graph: &Graph<'_>, node: &Node) -> Range<usize> {
    let (input, output) = (graph.tensor(node.input.into()), graph.tensor(node.output.into()));
    match input.zip(output) {
        Some((input, output)) if node.op.is_weighted() => kernels::scratch(node, &input, &output),
        _ => 0..0,
    }
}

/// Adds a node's scratch memory: as a part of what the nodes that it takes turns with use, where they share bytes.
fn take_scratch(
    blocks: &mut Vec<Block>,
    (number, node): (usize, &Node),
    range: Range<usize>,
    turns: &RangeInclusive<usize>,
) {
    let mut block = Block {
        content: Content::Scratch,
        nodes: vec![number],
        heads: node.heads,
        offset: range.start,
        bytes: range.len(),
        first_step: *turns.start(),
        last_step: *turns.end(),
    };
    // What is joined may reach further blocks.
    while let Some(other) = blocks.iter().position(|other| shares(other, &block)) {
        let other = blocks.remove(other);
        let end = block.end().max(other.end());
        block.offset = block.offset.min(other.offset);
        block.bytes = end - block.offset;
        block.heads = block.heads.union(other.heads);
        block.nodes.extend(other.nodes);
        block.nodes.sort_unstable();
    }
    blocks.push(block);
}

fn shares(a: &Block, b: &Block) -> bool {
    a.is_scratch() && b.is_scratch() && a.first_step == b.first_step && a.offset < b.end() && b.offset < a.end()
}

#[cfg(test)]
mod tests {
    use trident::spec::Head;

    use super::*;
    use crate::arena::samples::{map, node, streamed, tensor};
    use crate::arena::{ArenaMap, Peak};

    /// Of each block: numbers of its tensors, its bytes, its life.
    fn summary(map: &ArenaMap) -> Vec<(Vec<usize>, Range<usize>, RangeInclusive<usize>)> {
        let of = |block: &Block| {
            let tensors = match &block.content {
                Content::Tensor { tensors, .. } => tensors.clone(),
                Content::Scratch => Vec::new(),
            };
            (tensors, block.offset..block.end(), block.first_step..=block.last_step)
        };
        map.blocks.iter().map(of).collect()
    }

    #[test]
    fn a_sum_takes_the_place_of_what_it_is_made_from() {
        let tensors = [0, 64, 0].map(|offset| tensor(offset, [4, 4, 4], 4));
        let nodes = [
            node(Op::Picture, [0, 0, 0], 0),
            node(Op::Lut, [0, 0, 1], 0),
            node(Op::Add, [0, 1, 2], 0),
            node(Op::Logits, [2, 0, 0], 0),
        ];
        let map = map(&tensors, &nodes, 160);
        assert_eq!(summary(&map), [(vec![0, 2], 0..64, 0..=4), (vec![1], 64..128, 1..=2)]);
        assert_eq!((map.lower_bound_bytes, map.gap_bytes, map.gap_percent), (128, 32, 25.0));
        let (first_step, last_step) = (1, 2);
        assert_eq!(map.peaks, [Peak { first_step, last_step }]);
        let live: Vec<usize> = map.nodes.iter().map(|node| node.live_bytes).collect();
        assert_eq!(live, [64, 128, 128, 64]);
    }

    #[test]
    fn nodes_that_take_turns_share_a_life_and_need_the_largest_scratch_memory_alone() {
        let shared = streamed(144);
        assert_eq!(shared.turns(), [1..=2]);
        let scratch = shared.blocks[2].bytes;
        assert_eq!(
            summary(&shared),
            [
                (vec![0], 0..64, 0..=2),
                (vec![1], 64..80, 1..=2),
                (vec![], 144..144 + scratch, 1..=2),
                (vec![2], 80..144, 1..=4),
            ]
        );
        assert_eq!(shared.blocks[2].nodes, [1, 2]);
        assert_eq!(shared.blocks[1].streamed(), Some([1, 4]));
        assert_eq!(shared.lower_bound_bytes, 64 + 16 + 64 + scratch);

        let apart = streamed(144 + scratch as i32);
        let nodes: Vec<&[usize]> = apart
            .blocks
            .iter()
            .filter(|block| block.is_scratch())
            .map(|block| &*block.nodes)
            .collect();
        assert_eq!(nodes, [[1], [2]]);
        assert_eq!(
            apart.lower_bound_bytes, shared.lower_bound_bytes,
            "one of them runs at a time"
        );
    }

    #[test]
    fn a_head_alone_needs_less() {
        let tensors = [
            tensor(0, [1, 1, 8], 1),
            tensor(0, [1, 1, 100], 1),
            tensor(8, [1, 1, 8], 1),
        ];
        let mut nodes = [
            node(Op::Readings, [0, 0, 0], 0),
            node(Op::Lut, [0, 0, 2], 0),
            node(Op::Value, [2, 0, 0], 0),
            node(Op::Picture, [0, 0, 1], 0),
            node(Op::Logits, [1, 0, 0], 0),
        ];
        for node in &mut nodes[..3] {
            node.heads = Head::Regression.into();
        }
        let map = map(&tensors, &nodes, 100);
        let needs: Vec<_> = map
            .heads
            .iter()
            .map(|need| (need.head, need.lower_bound_bytes, need.end_bytes, need.peak_node))
            .collect();
        assert_eq!(needs, [("segmentation", 100, 100, 3), ("regression", 16, 16, 1)]);
        assert_eq!(map.lower_bound_bytes, 100);
    }
}
