//! Colours and lines, for a light and a dark page. Plain rules rather than variables, since some programs that draw SVG know no others.

use svg::node::element::{Definitions, Path, Pattern, Rectangle};

/// The style sheet. Each head has a hue that stays apart from the others' for colour-blind readers too.
pub const SHEET: &str = "
text { font: 11px system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1b1f24 }
.title { font-size: 18px; font-weight: 600 }
.strong { font-weight: 600 }
.quiet { fill: #59626d }
.end { text-anchor: end }
.middle, .label text { text-anchor: middle }
.paper { fill: #ffffff }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.grid { stroke: #e3e6ea }
.block { stroke: #1b1f24; stroke-opacity: .55 }
.classification { fill: #9fcdf0 }
.segmentation { fill: #a5dcb6 }
.regression { fill: #fbc58a }
.several { fill: #d3bdec }
.scratch { fill: #cdd2d8 }
.striped { fill: #eef0f2 }
.peak { fill: #b3202c }
.stripes { fill: url(#stripes) }
.stripe { stroke: #1b1f24; stroke-opacity: .2; stroke-width: 3 }
.sum { stroke: #1b1f24; stroke-opacity: .55 }
.turns { stroke: #59626d }
.limit { stroke: #b3202c; stroke-width: 1.5 }
.bound { stroke-dasharray: 6 4 }
@media (prefers-color-scheme: dark) {
text { fill: #e7eaee }
.quiet { fill: #a3adb8 }
.paper { fill: #14171b }
.halo { stroke: #14171b }
.grid { stroke: #2b3036 }
.block { stroke: #e7eaee; stroke-opacity: .5 }
.classification { fill: #1d5a86 }
.segmentation { fill: #1f6a43 }
.regression { fill: #8a5316 }
.several { fill: #5d4590 }
.scratch { fill: #4b525b }
.striped { fill: #262b31 }
.stripe { stroke: #e7eaee }
.sum { stroke: #e7eaee }
.turns { stroke: #a3adb8 }
.limit { stroke: #ff7a85 }
.peak { fill: #ff7a85 }
}
";

/// The hatching of streamed tensors.
pub fn stripes() -> Definitions {
    let tile = Rectangle::new().set("width", 9).set("height", 9).set("fill", "none");
    let stripe = Path::new().set("d", "M0 0V9").set("class", "stripe");
    let pattern = Pattern::new()
        .set("id", "stripes")
        .set("width", 9)
        .set("height", 9)
        .set("patternUnits", "userSpaceOnUse")
        .set("patternTransform", "rotate(45)");
    Definitions::new().add(pattern.add(tile).add(stripe))
}
