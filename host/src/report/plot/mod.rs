//! Plots: what is drawn is said in the numbers' own units; plotters finds the places and writes an SVG for the page.
//!
//! Lengths are in units of a quarter pixel, since plotters knows whole numbers only and a curve should not climb in steps. An
//! element's tooltip is a `title`, laid over the drawing as a shape that shows itself when pointed at.

mod axis;
mod ink;

use maud::{Markup, PreEscaped, html};
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

pub use axis::{Axis, tick};
pub use ink::Ink;

/// Units per pixel at full size.
const UNIT: u32 = 4;
/// Width and height in pixels at full size.
const SIZE: [u32; 2] = [420, 290];
/// Plotters writes letters smaller by this factor than it is told.
const LETTERS: f64 = 1.24;
/// Size of letters, in pixels.
const FONT: f64 = 13.0;

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// The picture in words, for those who do not see it.
    pub words: String,
    /// From left to right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// What is drawn, from back to front.
    pub marks: Vec<Mark>,
    /// What is said where.
    pub tips: Vec<Tip>,
}

/// Something drawn.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A line through points.
    Line(Ink, Vec<(f64, f64)>),
    /// A dot for each point.
    Dots(Ink, Vec<(f64, f64)>),
    /// A larger dot for each point.
    Spots(Ink, Vec<(f64, f64)>),
    /// Bars from zero: where each begins, where it ends, how high it is.
    Bars(Ink, Vec<(f64, f64, f64)>),
}

/// Words that appear where one points.
#[derive(Clone, Debug)]
pub enum Tip {
    /// Anywhere between two places on the horizontal axis.
    Band([f64; 2], String),
    /// Near a point.
    Spot((f64, f64), String),
}

type Chart<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, Y>>;
type Failed = DrawingAreaErrorKind<std::io::Error>;

impl Plot {
    /// The plot as an `svg` element that takes its colours from the page.
    pub fn draw(&self) -> Markup {
        let [width, height] = SIZE.map(|pixels| pixels * UNIT);
        let mut drawing = String::new();
        let tips = {
            let area = SVGBackend::with_string(&mut drawing, (width, height)).into_drawing_area();
            let tips = self.draw_on(&area).expect("memory takes all that is drawn");
            area.present().expect("memory takes all that is drawn");
            tips
        };
        html! {
            svg.plot viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(self.words) {
                (PreEscaped(ink::classed(&drawing)))
                (tips)
            }
        }
    }

    fn draw_on(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<Markup, Failed> {
        let unit = |pixels: u32| pixels * UNIT;
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_top(unit(8))
            .margin_right(unit(14))
            .x_label_area_size(unit(44))
            .y_label_area_size(unit(68));
        let x = self.x.low..self.x.high;
        if self.y.log {
            let y = (self.y.low..self.y.high).log_scale();
            self.fill(&mut builder.build_cartesian_2d(x, y)?)
        } else {
            self.fill(&mut builder.build_cartesian_2d(x, self.y.low..self.y.high)?)
        }
    }

    fn fill<Y>(&self, chart: &mut Chart<'_, '_, Y>) -> Result<Markup, Failed>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let unit = |pixels: u32| pixels * UNIT;
        let colour = Ink::Label.stand_in();
        let letters = ("sans-serif", FONT * LETTERS * f64::from(UNIT), &colour);
        let letters = letters.into_text_style(chart.plotting_area());
        let line = |ink: Ink| ink.stand_in().stroke_width(UNIT);
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|value| self.x.mark(*value))
            .y_label_formatter(&|value| self.y.mark(*value))
            .x_desc(&*self.x.label)
            .y_desc(&*self.y.label)
            .label_style(letters.clone())
            .axis_desc_style(letters)
            .axis_style(line(Ink::Axis))
            .bold_line_style(line(Ink::Grid))
            .light_line_style(TRANSPARENT)
            .set_all_tick_mark_size(unit(4))
            .draw()?;
        for mark in &self.marks {
            match mark {
                Mark::Line(ink, points) => {
                    let thin = if *ink == Ink::Guide { UNIT } else { UNIT * 2 };
                    let style = ink.stand_in().stroke_width(thin);
                    chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
                }
                Mark::Dots(ink, points) => dots(chart, *ink, points, 2)?,
                Mark::Spots(ink, points) => dots(chart, *ink, points, 4)?,
                Mark::Bars(ink, bars) => {
                    let bar = |&(from, to, height): &(f64, f64, f64)| {
                        Rectangle::new([(from, 0.0), (to, height)], ink.stand_in().filled())
                    };
                    chart.draw_series(bars.iter().map(bar))?;
                }
            };
        }
        Ok(self.tips(chart))
    }

    fn tips<Y: Ranged<ValueType = f64>>(&self, chart: &Chart<'_, '_, Y>) -> Markup {
        let (_, rows) = chart.plotting_area().get_pixel_range();
        let place = |x: f64, y: f64| chart.plotting_area().map_coordinate(&(x, y));
        html! {
            @for tip in &self.tips {
                @match tip {
                    Tip::Band([from, to], words) => {
                        @let (left, right) = (place(*from, self.y.low).0, place(*to, self.y.low).0);
                        rect.tip x=(left) y=(rows.start) width=((right - left).max(1)) height=(rows.end - rows.start) {
                            title { (words) }
                        }
                    }
                    Tip::Spot((x, y), words) => {
                        @let (x, y) = place(*x, *y);
                        circle.tip cx=(x) cy=(y) r=(7 * UNIT) { title { (words) } }
                    }
                }
            }
        }
    }
}

fn dots<Y>(chart: &mut Chart<'_, '_, Y>, ink: Ink, points: &[(f64, f64)], pixels: u32) -> Result<(), Failed>
where
    Y: Ranged<ValueType = f64>,
{
    let dot = |&point: &(f64, f64)| Circle::new(point, pixels * UNIT, ink.stand_in().filled());
    chart.draw_series(points.iter().map(dot)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_data_stay_words() {
        let plot = Plot {
            words: "a \"plot\" of <b>".into(),
            x: Axis::new("<script>x", 0.0, 1.0),
            y: Axis::new("y", 1.0, 100.0),
            marks: vec![
                Mark::Line(Ink::Float, vec![(0.0, 2.0), (1.0, 90.0)]),
                Mark::Dots(Ink::Int8, vec![(0.5, 50.0)]),
            ],
            tips: vec![
                Tip::Band([0.0, 0.5], "<here>".into()),
                Tip::Spot((0.5, 50.0), "there".into()),
            ],
        };
        let drawn = plot.draw().into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("<here>"), "{drawn}");
        for part in [
            "&lt;script&gt;x",
            "<title>&lt;here&gt;</title>",
            "s ink-float",
            "f ink-int8",
            "class=\"tip\"",
        ] {
            assert!(drawn.contains(part), "should hold `{part}`: {drawn}");
        }
        assert!(!drawn.contains("\"#0"), "a colour is left: {drawn}");
        assert_eq!(drawn.matches("<svg").count(), 1);
    }

    #[test]
    fn a_logarithmic_axis_gives_each_decade_the_same_room() {
        let y = Axis {
            log: true,
            ..Axis::new("y", 1.0, 100.0)
        };
        let spot = |value| Tip::Spot((0.5, value), String::new());
        let plot = Plot {
            words: String::new(),
            x: Axis::new("x", 0.0, 1.0),
            y,
            marks: Vec::new(),
            tips: vec![spot(1.0), spot(10.0), spot(100.0)],
        };
        let drawn = plot.draw().into_string();
        let heights: Vec<i32> = drawn
            .split("cy=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(heights.len(), 3, "{drawn}");
        assert!(
            ((heights[0] - heights[1]) - (heights[1] - heights[2])).abs() <= 2,
            "{heights:?}"
        );
    }
}
