//! An arena as an SVG: addresses upwards, steps to the right, a rectangle per block.
//!
//! The picture follows the reader's light or dark theme, says in `title` and `desc` what it shows, and names every rectangle in a
//! `title` of its own, so that pointing at it tells what is too small to be written on it. Lengths are in pixels.

mod label;
mod style;

use svg::Document;
use svg::node::element::{Description, Group, Line, Rectangle, Style, Text, Title};
use svg::node::{Node, Text as Words};
use trident::spec::{Head, HeadSet};

use super::{ArenaMap, Block, Content};
use crate::cli::table::whole;
use label::Label;

const LEFT: f64 = 78.0;
const TOP: f64 = 124.0;
const RIGHT: f64 = 30.0;
/// Height of the arena.
const HEIGHT: f64 = 540.0;
/// Width that all steps together are given, as long as one has no less than the narrowest and no more than the widest.
const STEPS_WIDTH: f64 = 1240.0;
const NARROWEST: f64 = 26.0;
const WIDEST: f64 = 96.0;
/// Title, verdict and legend need so much.
const LEAST_WIDTH: f64 = 760.0;
/// From the arena's lower edge to the names of nodes.
const TO_NAMES: f64 = 48.0;

/// The drawing of a map under a title.
pub fn drawing(map: &ArenaMap, title: &str) -> String {
    let scale = Scale::of(map);
    let (width, height) = scale.size(map);
    let mut document = Document::new()
        .set("viewBox", (0, 0, width.ceil() as u32, height.ceil() as u32))
        .set("width", width.ceil())
        .set("height", height.ceil())
        .set("class", style::CLASS)
        .set("role", "img")
        .set("aria-labelledby", "arena-title arena-description")
        .add(Title::new(title).set("id", "arena-title"))
        .add(
            Description::new()
                .set("id", "arena-description")
                .add(Words::new(format!("{} {}", map.verdict(), map.peak_words()))),
        )
        .add(Style::new(style::SHEET))
        .add(style::stripes())
        .add(
            Rectangle::new()
                .set("width", "100%")
                .set("height", "100%")
                .set("class", "paper"),
        )
        .add(text((LEFT, 34.0), "title", title))
        .add(text((LEFT, 56.0), "", &map.verdict()))
        .add(legend(map));
    for part in [addresses(map, &scale), nodes(map, &scale)] {
        document.append(part);
    }
    for block in &map.blocks {
        document.append(rectangle(map, &scale, block));
    }
    for part in [peaks(map, &scale), limits(map, &scale)] {
        document.append(part);
    }
    format!("{document}\n")
}

/// The width that the drawing of a map is made for.
pub fn drawing_width(map: &ArenaMap) -> u32 {
    Scale::of(map).size(map).0.ceil() as u32
}

/// From steps and bytes to places in the picture.
struct Scale {
    column: f64,
    steps: usize,
    bytes: f64,
}

impl Scale {
    fn of(map: &ArenaMap) -> Self {
        Self {
            column: (STEPS_WIDTH / map.steps() as f64).clamp(NARROWEST, WIDEST),
            steps: map.steps(),
            bytes: HEIGHT / map.arena_bytes.max(1) as f64,
        }
    }

    /// The left edge of a step.
    fn x(&self, step: usize) -> f64 {
        LEFT + step as f64 * self.column
    }

    /// The height of an address.
    fn y(&self, address: usize) -> f64 {
        TOP + HEIGHT - address as f64 * self.bytes
    }

    fn right(&self) -> f64 {
        self.x(self.steps)
    }

    /// Width and height of the whole picture.
    fn size(&self, map: &ArenaMap) -> (f64, f64) {
        let names = (0..map.steps()).map(|step| label::width(&map.step_name(step)));
        let longest = names.fold(0.0, f64::max);
        let width = (self.right() + RIGHT).max(LEAST_WIDTH);
        // Names stand at an angle of 60 degrees.
        (width, TOP + HEIGHT + TO_NAMES + longest * 0.87 + 16.0)
    }
}

fn text(at: (f64, f64), class: &str, words: &str) -> Text {
    Text::new(words)
        .set("x", place(at.0))
        .set("y", place(at.1))
        .set("class", class)
}

fn line(from: (f64, f64), to: (f64, f64), class: &str) -> Line {
    Line::new()
        .set("x1", place(from.0))
        .set("y1", place(from.1))
        .set("x2", place(to.0))
        .set("y2", place(to.1))
        .set("class", class)
}

fn area((x, y): (f64, f64), (width, height): (f64, f64), class: &str) -> Rectangle {
    Rectangle::new()
        .set("x", place(x))
        .set("y", place(y))
        .set("width", place(width))
        .set("height", place(height))
        .set("class", class)
}

/// A tenth of a pixel is exact enough.
fn place(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// The colour of what some heads need.
fn colour(heads: HeadSet) -> &'static str {
    let mut heads = heads.iter();
    match (heads.next(), heads.next()) {
        (Some(head), None) => head.name(),
        _ => "several",
    }
}

fn legend(map: &ArenaMap) -> Group {
    let mut entries: Vec<(&str, &str)> = Head::ALL
        .into_iter()
        .filter(|&head| map.heads.iter().any(|need| need.head == head.name()))
        .map(|head| (head.name(), head.name()))
        .collect();
    if map.nodes.iter().any(|node| node.heads.iter().count() > 1) {
        entries.push(("several", "several heads"));
    }
    if map.blocks.iter().any(|block| block.streamed().is_some()) {
        entries.push(("striped", "streamed: a few rows at a time"));
    }
    if map.blocks.iter().any(Block::is_scratch) {
        entries.push(("scratch", "scratch memory"));
    }
    entries.push(("peak", "where the most lives"));
    let mut group = Group::new();
    let mut x = LEFT;
    for (class, words) in entries {
        group.append(match class {
            "peak" => area((x, 79.0), (14.0, 4.0), class),
            _ => area((x, 74.0), (14.0, 14.0), &format!("block {class}")),
        });
        if class == "striped" {
            group.append(area((x, 74.0), (14.0, 14.0), "stripes"));
        }
        group.append(text((x + 20.0, 85.5), "", words));
        x += 20.0 + label::width(words) + 22.0;
    }
    group
}

/// Bars above and below the steps at which the most lives.
fn peaks(map: &ArenaMap, scale: &Scale) -> Group {
    let mut group = Group::new();
    for peak in &map.peaks {
        let (left, right) = (scale.x(peak.first_step), scale.x(peak.last_step + 1));
        for y in [TOP - 6.0, TOP + HEIGHT + 13.0] {
            group.append(area((left, y), (right - left, 4.0), "peak"));
        }
    }
    group
}

/// The axis of addresses, a multiple of a power of two at each mark.
fn addresses(map: &ArenaMap, scale: &Scale) -> Group {
    let mut group = Group::new();
    let mut every = 4;
    while map.arena_bytes / every > 12 {
        every *= 2;
    }
    for address in (0..=map.arena_bytes).step_by(every) {
        let y = scale.y(address);
        group.append(line((LEFT - 5.0, y), (scale.right(), y), "grid"));
        group.append(text((LEFT - 10.0, y + 4.0), "end", &whole(address as u64)));
    }
    group.append(text((LEFT - 10.0, TOP - 14.0), "end quiet", "bytes"));
    group
}

/// Below the arena: which heads need a node, which nodes take turns, and their names.
fn nodes(map: &ArenaMap, scale: &Scale) -> Group {
    let mut group = Group::new();
    let floor = TOP + HEIGHT;
    for (number, node) in map.nodes.iter().enumerate() {
        let class = format!("strip {}", colour(node.heads));
        group.append(area(
            (scale.x(number) + 1.0, floor + 5.0),
            (scale.column - 2.0, 6.0),
            &class,
        ));
    }
    for turns in map.turns() {
        let (left, right) = (scale.x(*turns.start()) + 3.0, scale.x(*turns.end() + 1) - 3.0);
        let y = floor + 24.0;
        group.append(line((left, y), (right, y), "turns"));
        group.append(line((left, y - 4.0), (left, y + 4.0), "turns"));
        group.append(line((right, y - 4.0), (right, y + 4.0), "turns"));
        if right - left > label::width("in turns") {
            group.append(text(((left + right) / 2.0, y + 13.0), "middle quiet", "in turns"));
        }
    }
    for step in 0..map.steps() {
        let (x, y) = (scale.x(step) + scale.column / 2.0 + 4.0, floor + TO_NAMES);
        let peak = map.peaks.iter().any(|peak| peak.contains(step));
        let class = if peak { "end strong" } else { "end" };
        let name = text((x, y), class, &map.step_name(step));
        group.append(name.set("transform", format!("rotate(-60 {} {})", place(x), place(y))));
    }
    group
}

fn rectangle(map: &ArenaMap, scale: &Scale, block: &Block) -> Group {
    let (left, right) = (scale.x(block.first_step) + 0.5, scale.x(block.last_step + 1) - 0.5);
    let (top, bottom) = (scale.y(block.end()), scale.y(block.offset));
    let size = (right - left, (bottom - top).max(1.0));
    let class = if block.is_scratch() {
        "scratch"
    } else {
        colour(block.heads)
    };
    let mut group =
        Group::new()
            .add(Title::new(description(map, block)))
            .add(area((left, top), size, &format!("block {class}")));
    if block.streamed().is_some() {
        group.append(area((left, top), size, "stripes"));
    }
    if let Content::Tensor { .. } = block.content {
        // A mark at both edges where a sum takes over; a line across would strike the words through.
        let mark = (size.1 / 4.0).min(8.0);
        for &sum in &block.nodes[1..] {
            let x = scale.x(sum);
            group.append(line((x, top), (x, top + mark), "sum"));
            group.append(line((x, bottom - mark), (x, bottom), "sum"));
        }
    }
    if let Some(label) = Label::fitting(&lines(map, block), size) {
        let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
        group.append(label.draw((x, y)));
    }
    group
}

/// What can be written on a block, the most important line first; of each line, forms from long to short.
fn lines(map: &ArenaMap, block: &Block) -> Vec<Vec<String>> {
    let bytes = vec![
        format!("{} bytes", whole(block.bytes as u64)),
        whole(block.bytes as u64),
    ];
    if block.is_scratch() {
        return vec![vec!["scratch".into()], bytes];
    }
    let first = block.nodes[0];
    let names = vec![map.writers(block), map.step_name(first), first.to_string()];
    let rows = block
        .streamed()
        .map(|[kept, all]| vec![format!("{kept} of {all} rows"), format!("{kept} of {all}")]);
    let shape = block.shape().map(|shape| vec![shape]);
    [Some(names), rows, shape, Some(bytes)].into_iter().flatten().collect()
}

/// A block in words.
fn description(map: &ArenaMap, block: &Block) -> String {
    let what = match (block.shape(), block.streamed()) {
        (Some(shape), Some([kept, all])) => format!("{}: {shape}, {kept} of {all} rows", map.writers(block)),
        (Some(shape), None) => format!("{}: {shape}", map.writers(block)),
        (None, _) => map.writers(block),
    };
    let life = match block.last_step {
        last if last == block.first_step => format!("node {last}"),
        last if last < map.nodes.len() => format!("nodes {}–{last}", block.first_step),
        _ => format!("node {} until the caller has read it", block.first_step),
    };
    let heads: Vec<&str> = block.heads.iter().map(Head::name).collect();
    format!(
        "{what}; {} bytes from {} on; {life}; {}",
        whole(block.bytes as u64),
        whole(block.offset as u64),
        heads.join(", ")
    )
}

/// The arena's end, and the bound where it lies lower.
fn limits(map: &ArenaMap, scale: &Scale) -> Group {
    let limit = |address: usize, below: f64, class: &str, words: String| {
        let y = scale.y(address);
        Group::new().add(line((LEFT, y), (scale.right(), y), class)).add(text(
            (scale.right(), y + below),
            "end strong halo",
            &words,
        ))
    };
    let words = format!("arena {} bytes", whole(map.arena_bytes as u64));
    let end = limit(map.arena_bytes, -10.0, "limit", words);
    if map.gap_bytes == 0 {
        return end;
    }
    let words = format!("lower bound {} bytes", whole(map.lower_bound_bytes as u64));
    Group::new()
        .add(end)
        .add(limit(map.lower_bound_bytes, 14.0, "limit bound", words))
}

#[cfg(test)]
mod tests {
    use svg::parser::Event;

    use super::*;
    use crate::arena::samples::streamed;

    /// Elements of a name, by class, and all words of the picture.
    fn read(picture: &str) -> (Vec<(String, String)>, Vec<String>) {
        let (mut elements, mut words) = (Vec::new(), Vec::new());
        for event in svg::read(picture).expect("it opens") {
            match event {
                Event::Tag(name, _, attributes) => {
                    let class = attributes.get("class").map(ToString::to_string).unwrap_or_default();
                    elements.push((name.to_string(), class));
                }
                Event::Text(text) => words.push(text.to_string()),
                Event::Error(error) => panic!("not an SVG: {error}"),
                _ => {}
            }
        }
        (elements, words)
    }

    #[test]
    fn every_block_is_drawn_and_named() {
        let map = streamed(144);
        let (elements, words) = read(&drawing(&map, "Arena of <a & b>"));
        let count = |class: &str| elements.iter().filter(|(_, of)| of == class).count();
        // Swatches of the legend count too.
        assert_eq!(count("block segmentation"), 3 + 1);
        assert_eq!(count("block scratch"), 1 + 1);
        assert_eq!(count("stripes"), 1 + 1);
        assert_eq!(count("peak"), 2 + 1);
        assert_eq!(count("limit bound"), 1);
        let said = |phrase: &str| words.iter().any(|words| words.contains(phrase));
        for phrase in [
            "Arena of &lt;a &amp; b&gt;",
            "1 CompactConv2d: 4×4×4, 1 of 4 rows; 16 bytes from 64 on; nodes 1–2; segmentation",
            "scratch of 1, 2",
            "2 CompactConv2d: 4×4×4; 64 bytes from 80 on; node 1 until the caller has read it; segmentation",
            "lower bound",
        ] {
            assert!(said(phrase), "should say `{phrase}`: {words:#?}");
        }
    }
}
