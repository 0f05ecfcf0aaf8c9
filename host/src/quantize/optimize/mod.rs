//! Rewrites that make a plain graph fast and small, each of which leaves every result what it was, to the bit.
//!
//! | rewrite | does |
//! |---|---|
//! | [`tables`] | a table that follows a layer becomes part of it |
//! | [`upsample`] | a doubled picture under a 3×3 window, or in a sum, is never made |
//! | [`crop`] | rows and columns that a pooling drops are not computed |
//! | [`pictures`] | a picture that is needed again is read again instead of being kept |
//! | [`forms`] | an operator by the kernel that suits it |
//! | [`stream`] | tensors that need not exist whole keep a few rows |

pub mod crop;
pub mod forms;
pub mod pictures;
pub mod stream;
pub mod tables;
pub mod upsample;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::plain::PlainGraph;

/// What counts where flash and speed pull apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimize {
    /// Eight bits a weight, but for depthwise windows
    Size,
    /// Sixteen bits a weight in convolutions and layers of few inputs; Winograd where it adds less than a sixteenth to the model
    #[default]
    Balanced,
    /// Winograd wherever it saves instructions
    Speed,
}

/// Rewrites a graph; [`stream`] is left to whoever knows the order of the nodes to be final.
pub fn rewrite(graph: &mut PlainGraph, optimize: Optimize) {
    tables::fuse(graph);
    upsample::fuse(graph, optimize);
    crop::shrink(graph);
    pictures::read_again(graph);
    forms::choose(graph, optimize);
    graph.drop_unwritten();
}
