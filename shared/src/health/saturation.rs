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
        let is_saturated = |code: i16| code == i16::from(i8::MAX) || (self.below && code == i16::from(i8::MIN));
        let count = match self.element {
            Element::I16 => {
                let (codes, _) = bytes.as_chunks();
                codes
                    .iter()
                    .filter(|code| is_saturated(i16::from_le_bytes(**code)))
                    .count()
            }
            _ => bytes.iter().filter(|byte| is_saturated((**byte as i8).into())).count(),
        };
        self.saturated = self.saturated.saturating_add(count as u32);
    }
}

const _: () = assert!(crate::graph::MAX_NODES <= NONE as usize);
