//! An arena in characters: addresses upwards, steps to the right, a letter per tensor.

use std::ops::{Range, RangeInclusive};

use trident::spec::{Head, HeadSet};

use super::{ArenaMap, Block};
use crate::cli::table::whole;

/// Columns that a chart may take.
const WIDTH: usize = 100;
/// Lines of arena that it has.
const HEIGHT: usize = 24;
/// The most characters that a step takes.
const WIDEST: usize = 8;
/// What scratch memory is drawn with.
const SCRATCH: char = '░';

/// The character of each block: a capital for a tensor that exists whole, a small letter for one that is streamed. After 26 tensors
/// the letters begin anew.
pub fn symbols(map: &ArenaMap) -> Vec<char> {
    let mut letters = ('a'..='z').cycle();
    let mut symbol = |block: &Block| {
        if block.is_scratch() {
            return SCRATCH;
        }
        let letter = letters.next().unwrap_or('a');
        match block.streamed() {
            Some(_) => letter,
            None => letter.to_ascii_uppercase(),
        }
    };
    map.blocks.iter().map(&mut symbol).collect()
}

/// The chart, of at most 100 columns. Where a character stands for more than one block, that of most bytes is shown.
pub fn chart(map: &ArenaMap) -> String {
    let label = whole(map.arena_bytes as u64).len().max("bytes".len());
    let axis = Axis::new(map.steps(), WIDTH - label - 2);
    let symbols = symbols(map);
    let lines = HEIGHT.min(map.arena_bytes.div_ceil(4)).max(1);
    let mut out = format!("{:>label$}\n", "bytes");
    for line in (0..lines).rev() {
        let [start, end] = [line, line + 1].map(|line| map.arena_bytes * line / lines);
        let cells = axis.line(|steps| cell(map, &symbols, &steps, &(start..end)));
        out += &format!("{:>label$} │{}\n", whole(start as u64), cells.trim_end());
    }
    let mut below = |title: &str, cells: &str| {
        out += format!("{title:>label$}  {cells}").trim_end();
        out.push('\n');
    };
    below("", &"─".repeat(axis.columns() * axis.width));
    below("node", &axis.numbers(map.nodes.len()));
    below("head", &axis.line(|steps| initial(map, steps)));
    if !map.turns().is_empty() {
        below("turns", &axis.runs(&map.turns()));
    }
    let peak = |steps: Range<usize>| {
        map.peaks
            .iter()
            .any(|peak| steps.clone().any(|step| peak.contains(step)))
    };
    below("peak", &axis.line(|steps| if peak(steps) { '▲' } else { ' ' }));
    out
}

/// How steps are laid out in columns: some characters per step, or some steps per character.
struct Axis {
    steps: usize,
    /// Characters of a column.
    width: usize,
    /// Steps of a column.
    per_column: usize,
}

impl Axis {
    fn new(steps: usize, room: usize) -> Self {
        Self {
            steps,
            width: (room / steps).clamp(1, WIDEST),
            per_column: steps.div_ceil(room),
        }
    }

    fn columns(&self) -> usize {
        self.steps.div_ceil(self.per_column)
    }

    /// A line with one character repeated per column.
    fn line(&self, cell: impl Fn(Range<usize>) -> char) -> String {
        let steps = |column: usize| column * self.per_column..((column + 1) * self.per_column).min(self.steps);
        (0..self.columns())
            .flat_map(|column| std::iter::repeat_n(cell(steps(column)), self.width))
            .collect()
    }

    /// `<═>` from the first to the last step of each run.
    fn runs(&self, runs: &[RangeInclusive<usize>]) -> String {
        let mut line = vec![' '; self.columns() * self.width];
        for run in runs {
            let start = run.start() / self.per_column * self.width;
            let end = (run.end() / self.per_column + 1) * self.width;
            line[start..end].fill('═');
            line[start] = '<';
            line[end - 1] = '>';
        }
        line.into_iter().collect()
    }

    /// Numbers of nodes, as far apart as they need to be.
    fn numbers(&self, nodes: usize) -> String {
        let mut line = String::new();
        for column in 0..self.columns() {
            let (node, at) = (column * self.per_column, column * self.width);
            let round = self.width > 3 || node.is_multiple_of(5);
            if node < nodes && round && (at == 0 || line.len() < at) {
                line += &format!("{:at$}{node}", "", at = at - line.len());
            }
        }
        line
    }
}

/// The character of the block that takes most of some bytes over some steps.
fn cell(map: &ArenaMap, symbols: &[char], steps: &Range<usize>, bytes: &Range<usize>) -> char {
    let taken = |block: &Block| {
        let bytes = block.end().min(bytes.end).saturating_sub(block.offset.max(bytes.start));
        bytes * steps.clone().filter(|&step| block.lives_at(step)).count()
    };
    let most = map.blocks.iter().zip(symbols).max_by_key(|(block, _)| taken(block));
    match most.filter(|(block, _)| taken(block) > 0) {
        Some((_, symbol)) => *symbol,
        None => ' ',
    }
}

/// The initial of the head that a column's nodes serve, `+` if there are several.
fn initial(map: &ArenaMap, steps: Range<usize>) -> char {
    let nodes = &map.nodes[steps.start.min(map.nodes.len())..steps.end.min(map.nodes.len())];
    let heads = nodes.iter().fold(HeadSet::EMPTY, |heads, node| heads.union(node.heads));
    let mut initials = heads.iter().filter_map(|head: Head| head.name().chars().next());
    match (initials.next(), initials.next()) {
        (Some(initial), None) => initial,
        (Some(_), Some(_)) => '+',
        (None, _) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::samples::streamed;

    #[test]
    fn lines_are_addresses_and_columns_are_steps() {
        let map = streamed(144);
        assert_eq!(symbols(&map), ['A', 'b', SCRATCH, 'C']);
        let chart = chart(&map);
        let lines: Vec<&str> = chart.lines().collect();
        // One line per 8 bytes, 8 characters per step.
        assert_eq!(lines[0], "bytes");
        for (address, expected) in [
            (0, "    0 │AAAAAAAAAAAAAAAAAAAAAAAA"),
            (56, "   56 │AAAAAAAAAAAAAAAAAAAAAAAA"),
            (64, "   64 │        bbbbbbbbbbbbbbbb"),
            (80, "   80 │        CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"),
            (136, "  136 │        CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"),
            (144, "  144 │        ░░░░░░░░░░░░░░░░"),
            (184, "  184 │"),
        ] {
            assert_eq!(lines[HEIGHT - address / 8], expected);
        }
        let below = [
            "       ────────────────────────────────────────",
            " node  0       1       2       3",
            " head  ssssssssssssssssssssssssssssssss",
            "turns          <══════════════>",
            " peak          ▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲",
        ];
        assert_eq!(lines[HEIGHT + 1..], below);
    }

    #[test]
    fn no_line_is_wider_than_it_may_be() {
        for steps in 1..=129 {
            let axis = Axis::new(steps, 92);
            assert!(axis.columns() * axis.width <= 92, "{steps} steps");
            assert_eq!(
                axis.line(|steps| if steps.is_empty() { '!' } else { '.' }).len(),
                axis.columns() * axis.width
            );
            assert!(
                !axis
                    .line(|steps| if steps.is_empty() { '!' } else { '.' })
                    .contains('!')
            );
            assert!(axis.numbers(steps).len() <= 92 + 2, "{steps} steps");
        }
    }
}
