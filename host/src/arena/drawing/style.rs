//! Colours and lines, for a light and a dark page. Plain rules rather than variables, since some programs that draw SVG know no others.

use svg::node::element::{Definitions, Path, Pattern, Rectangle};

/// The class of the drawing itself, so that its rules reach nothing else in a page that holds it.
pub const CLASS: &str = "arena-map";

/// The style sheet; every rule is for what lies inside [`CLASS`]. Each head has a hue that stays apart from the others' for colour-blind readers too.
pub const SHEET: &str = "
.arena-map text { font: 11px system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1b1f24 }
.arena-map .title { font-size: 18px; font-weight: 600 }
.arena-map .strong { font-weight: 600 }
.arena-map .quiet { fill: #59626d }
.arena-map .end { text-anchor: end }
.arena-map .middle, .arena-map .label text { text-anchor: middle }
.arena-map .paper { fill: #ffffff }
.arena-map .halo { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.arena-map .grid { stroke: #e3e6ea }
.arena-map .block { stroke: #1b1f24; stroke-opacity: .55 }
.arena-map .classification { fill: #9fcdf0 }
.arena-map .segmentation { fill: #a5dcb6 }
.arena-map .regression { fill: #fbc58a }
.arena-map .several { fill: #d3bdec }
.arena-map .scratch { fill: #cdd2d8 }
.arena-map .striped { fill: #eef0f2 }
.arena-map .peak { fill: #b3202c }
.arena-map .stripes { fill: url(#stripes) }
.arena-map .stripe { stroke: #1b1f24; stroke-opacity: .2; stroke-width: 3 }
.arena-map .sum { stroke: #1b1f24; stroke-opacity: .55 }
.arena-map .turns { stroke: #59626d }
.arena-map .limit { stroke: #b3202c; stroke-width: 1.5 }
.arena-map .bound { stroke-dasharray: 6 4 }
@media screen and (prefers-color-scheme: dark) {
.arena-map text { fill: #e7eaee }
.arena-map .quiet { fill: #a3adb8 }
.arena-map .paper { fill: #14171b }
.arena-map .halo { stroke: #14171b }
.arena-map .grid { stroke: #2b3036 }
.arena-map .block { stroke: #e7eaee; stroke-opacity: .5 }
.arena-map .classification { fill: #1d5a86 }
.arena-map .segmentation { fill: #1f6a43 }
.arena-map .regression { fill: #8a5316 }
.arena-map .several { fill: #5d4590 }
.arena-map .scratch { fill: #4b525b }
.arena-map .striped { fill: #262b31 }
.arena-map .stripe { stroke: #e7eaee }
.arena-map .sum { stroke: #e7eaee }
.arena-map .turns { stroke: #a3adb8 }
.arena-map .limit { stroke: #ff7a85 }
.arena-map .peak { fill: #ff7a85 }
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
