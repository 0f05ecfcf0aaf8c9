//! Codes at the ends of their range, in what a head's last step reads.

use crate::graph::{Element, Graph, Op};
use crate::network::Step;
use crate::spec::{Head, HeadSet};

/// Counts saturated codes while a network runs, step by step.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    heads: [Watched; 3],
}

/// The node that makes the codes of one head.
#[derive(Clone, Copy, Debug)]
struct Watched {
    /// Its number; none is as large as [`NONE`].
    node: u8,
    element: Element,
    /// Whether −128 stands for values below it, not for zero.
    below: bool,
    saturated: u32,
}

/// The head does not exist.
const NONE: u8 = u8::MAX;

impl Watch {
    /// Watches nothing.
    pub const NOTHING: Self = Self {
        heads: [Watched::NOTHING; 3],
    };

    /// Finds the nodes to be watched.
    pub(super) fn new(graph: &Graph<'_>) -> Self {
        Self {
            heads: Head::ALL.map(|head| Watched::of(graph, head).unwrap_or(Watched::NOTHING)),
        }
    }

    /// Whether the model has that head.
    pub(super) fn knows(&self, head: Head) -> bool {
        self.heads[head as usize].node != NONE
    }

    /// Looks at a step that is done.
    #[inline(always)]
    pub fn observe(&mut self, step: &Step<'_>) {
        for watched in &mut self.heads {
            if usize::from(watched.node) == step.node {
                watched.count(step.bytes);
            }
        }
    }

    /// Saturated codes of a head so far.
    pub fn saturated(&self, head: Head) -> u32 {
        self.heads[head as usize].saturated
    }
}

impl Watched {
    const NOTHING: Self = Self {
        node: NONE,
        element: Element::I8,
        below: false,
        saturated: 0,
    };

    fn of(graph: &Graph<'_>, head: Head) -> Option<Self> {
        let writer = |tensor: u8| graph.nodes().position(|node| node.writes() == Some(tensor.into()));
        let heads = HeadSet::from(head);
        let output = graph.nodes().find(|node| node.op.is_output() && node.heads == heads)?;
        let tensor = match output.op {
            Op::Logits => output.input,
            // Behind the sums, which do not saturate, to the codes that they are sums of.
            _ => graph.node(writer(output.input)?)?.input,
        };
        let (codes, node) = (graph.tensor(tensor.into())?, writer(tensor)?);
        Some(Self {
            node: node as u8,
            element: codes.element,
            below: codes.zero_point != i8::MIN,
            saturated: 0,
        })
    }

    #[inline(never)]
    fn count(&mut self, bytes: &[u8]) {
        // As bytes, 127 and −128 are neighbours.
        let ends = if self.below { 2 } else { 1 };
        let is_end = |byte: &&u8| byte.wrapping_sub(0x7F) < ends;
        let count = if self.element == Element::I16 {
            let (codes, _) = bytes.as_chunks::<2>();
            codes.iter().map(|[low, _]| low).filter(is_end).count()
        } else {
            let (words, rest) = bytes.as_chunks::<4>();
            let some = words.iter().filter(|word| may_end(u32::from_le_bytes(**word)));
            some.flatten().chain(rest).filter(is_end).count()
        };
        self.saturated = self.saturated.saturating_add(count as u32);
    }
}

/// Whether some byte of four is 127 or −128. Most words hold neither.
fn may_end(word: u32) -> bool {
    // A byte of zero borrows from its highest bit.
    let has_zero = |word: u32| word.wrapping_sub(0x0101_0101) & !word & 0x8080_8080 != 0;
    let far = word ^ 0x7F7F_7F7F;
    has_zero(far) || has_zero(!far)
}

const _: () = assert!(crate::graph::MAX_NODES <= NONE as usize);

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn both_ends_are_counted_or_the_upper_alone() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).skip(126).take(260).collect();
        for (below, expected) in [(true, 4), (false, 2)] {
            let mut watched = Watched {
                below,
                ..Watched::NOTHING
            };
            watched.count(&bytes);
            assert_eq!(watched.saturated, expected);
        }
        let wide: Vec<u8> = [127_i16, -128, -1, 126, 127]
            .iter()
            .flat_map(|code| code.to_le_bytes())
            .collect();
        for (below, expected) in [(true, 3), (false, 2)] {
            let mut watched = Watched {
                below,
                element: Element::I16,
                ..Watched::NOTHING
            };
            watched.count(&wide);
            assert_eq!(watched.saturated, expected);
        }
    }

    #[test]
    fn words_are_told_apart_by_their_bytes() {
        for place in 0..4 {
            for byte in 0..=255_u8 {
                let mut bytes = [0x42, 0x81, 0x7E, 0x00];
                bytes[place] = byte;
                let ends = bytes.iter().any(|byte| [0x7F, 0x80].contains(byte));
                assert_eq!(may_end(u32::from_le_bytes(bytes)), ends, "{bytes:02x?}");
            }
        }
    }
}
