//! The section of the arena.

use maud::{Markup, PreEscaped, html};

use crate::arena::{ArenaMap, drawing, drawing_width};

/// The drawing of `trident plan`, which names its blocks by pointing at them.
pub fn body(map: &ArenaMap) -> Markup {
    html! {
        p { (map.peak_words()) }
        figure.arena style={ "--width:" (drawing_width(map)) "px" } {
            div.scroll tabindex="0" { (PreEscaped(drawing(map, "Arena"))) }
            figcaption.quiet {
                "Addresses upwards, nodes in execution order to the right. A rectangle is a tensor or scratch memory, from the node \
                 that writes it to the last that reads it."
            }
        }
    }
}
