//! Colours that follow the page: plotters draws with numbers that stand for an ink, and the finished SVG gets a class for each.

use plotters::style::RGBColor;

/// What something is drawn with. The page's style sheet says which colour that is, in light and in dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Words on axes.
    Label,
    /// Axes.
    Axis,
    /// Lines across the plot.
    Grid,
    /// What would be ideal, and zero.
    Guide,
    /// The float model.
    Float,
    /// The int8 model.
    Int8,
    /// One of several classes.
    Series(usize),
}

/// How many classes have an ink of their own; further ones begin again.
pub const SERIES: usize = 8;

impl Ink {
    const ALL: [Self; 6 + SERIES] = [
        Self::Label,
        Self::Axis,
        Self::Grid,
        Self::Guide,
        Self::Float,
        Self::Int8,
        Self::Series(0),
        Self::Series(1),
        Self::Series(2),
        Self::Series(3),
        Self::Series(4),
        Self::Series(5),
        Self::Series(6),
        Self::Series(7),
    ];

    /// Its class in the page.
    pub fn class(self) -> String {
        match self {
            Self::Label => "ink-label".into(),
            Self::Axis => "ink-axis".into(),
            Self::Grid => "ink-grid".into(),
            Self::Guide => "ink-guide".into(),
            Self::Float => "ink-float".into(),
            Self::Int8 => "ink-int8".into(),
            Self::Series(number) => format!("ink-{}", number % SERIES),
        }
    }

    /// The colour that stands for it while plotters draws.
    pub fn stand_in(self) -> RGBColor {
        let number = match self {
            Self::Label => 0,
            Self::Axis => 1,
            Self::Grid => 2,
            Self::Guide => 3,
            Self::Float => 4,
            Self::Int8 => 5,
            Self::Series(number) => 6 + (number % SERIES) as u8,
        };
        RGBColor(1, 0, number)
    }
}

/// The elements of a drawing, its own `svg` element taken off, with classes in place of colours.
pub fn classed(drawing: &str) -> String {
    let start = drawing.find('>').map_or(0, |end| end + 1);
    let end = drawing.rfind("</svg>").unwrap_or(drawing.len());
    let mut inside = drawing[start..end].replace(" opacity=\"1\"", "");
    for ink in Ink::ALL {
        let RGBColor(r, g, b) = ink.stand_in();
        for (attribute, class) in [("fill", "f"), ("stroke", "s")] {
            // Words of the data cannot look like this: plotters writes their quotation marks as `&quot;`.
            let colour = format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\"");
            inside = inside.replace(&colour, &format!("class=\"{class} {}\"", ink.class()));
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes() {
        let drawing =
            "<svg width=\"1\">\n<line opacity=\"1\" stroke=\"#010004\"/><text fill=\"#010000\">\nx\n</text>\n</svg>\n";
        assert_eq!(
            classed(drawing),
            "\n<line class=\"s ink-float\"/><text class=\"f ink-label\">\nx\n</text>\n"
        );
    }

    #[test]
    fn no_two_inks_are_one() {
        for (index, ink) in Ink::ALL.iter().enumerate() {
            assert!(Ink::ALL[..index].iter().all(|other| other.stand_in() != ink.stand_in()));
            assert!(Ink::ALL[..index].iter().all(|other| other.class() != ink.class()));
        }
    }
}
