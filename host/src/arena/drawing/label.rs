//! What is written on a rectangle: as many lines as fit, upright or along its height.

use svg::node::element::{Group, Text};

use super::place;

/// Size of letters.
const FONT: f64 = 11.0;
/// From line to line.
const PITCH: f64 = 13.0;
/// Between a rectangle's edge and its words.
const MARGIN: f64 = 3.0;

/// Lines that fit a rectangle.
pub struct Label {
    lines: Vec<String>,
    turned: bool,
}

/// The width that words take at most, in a common sans-serif font.
pub fn width(words: &str) -> f64 {
    words.chars().count() as f64 * FONT * 0.6
}

impl Label {
    /// The first lines, each in its longest form that fits; `None` if not even the first line has one. Words are turned by 90 degrees
    /// only where more of them fit so.
    pub fn fitting(lines: &[Vec<String>], (across, up): (f64, f64)) -> Option<Self> {
        let [flat, turned] = [fit(lines, across, up), fit(lines, up, across)];
        let richness = |lines: &[String]| {
            (
                lines.len(),
                lines.iter().map(|line| line.chars().count()).sum::<usize>(),
            )
        };
        let better = richness(&turned) > richness(&flat);
        let lines = if better { turned } else { flat };
        (!lines.is_empty()).then_some(Self { lines, turned: better })
    }

    /// The words around a centre.
    pub fn draw(&self, (x, y): (f64, f64)) -> Group {
        let first = y - (self.lines.len() - 1) as f64 * PITCH / 2.0 + FONT * 0.36;
        let mut group = Group::new().set("class", "label");
        for (number, line) in self.lines.iter().enumerate() {
            let text = Text::new(line.as_str());
            group = group.add(text.set("x", place(x)).set("y", place(first + number as f64 * PITCH)));
        }
        if self.turned {
            group = group.set("transform", format!("rotate(-90 {} {})", place(x), place(y)));
        }
        group
    }
}

fn fit(lines: &[Vec<String>], along: f64, across: f64) -> Vec<String> {
    let room = ((across - MARGIN - (FONT - PITCH)) / PITCH).max(0.0) as usize;
    let form = |line: &Vec<String>| line.iter().find(|form| width(form) + 2.0 * MARGIN <= along).cloned();
    lines.iter().take(room).map_while(form).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Vec<String>> {
        [&["12 Conv2d", "12"][..], &["8×8×28"], &["1,792 bytes"]]
            .map(|forms| forms.iter().map(|form| form.to_string()).collect())
            .to_vec()
    }

    fn words(size: (f64, f64)) -> Option<(Vec<String>, bool)> {
        Label::fitting(&lines(), size).map(|label| (label.lines, label.turned))
    }

    #[test]
    fn as_much_is_written_as_fits() {
        let all = ["12 Conv2d", "8×8×28", "1,792 bytes"].map(String::from).to_vec();
        assert_eq!(words((200.0, 100.0)), Some((all.clone(), false)));
        assert_eq!(words((45.0, 200.0)), Some((all, true)));
        assert_eq!(words((70.0, 16.0)), Some((vec!["12 Conv2d".into()], false)));
        assert_eq!(words((30.0, 16.0)), Some((vec!["12".into()], false)));
        assert_eq!(words((200.0, 8.0)), None);
        assert_eq!(words((8.0, 8.0)), None);
    }
}
