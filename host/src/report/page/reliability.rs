//! The reliability diagram: what probabilities were given, and how often they came true.

use maud::Markup;

use super::parts::{self, count, percent};
use crate::report::Calibration;
use crate::report::plot::{Axis, Ink, Mark, Plot, Tip};

/// The diagram of both models; `given` says whose probability is meant.
pub fn diagram(float: Option<&Calibration>, int8: Option<&Calibration>, given: &str, cases: &str) -> Option<Markup> {
    let shipped = int8.or(float)?;
    let line = |calibration: &Calibration| calibration.bins.iter().map(|bin| (bin.given, bin.came_true)).collect();
    let mut marks = vec![Mark::Line(Ink::Guide, vec![(0.0, 0.0), (1.0, 1.0)])];
    let most = shipped.bins.iter().map(|bin| bin.cases).max().unwrap_or(1);
    let share = |cases: u64| 0.18 * cases as f64 / most as f64;
    marks.push(Mark::Bars(
        Ink::Grid,
        shipped
            .bins
            .iter()
            .map(|bin| (bin.low, bin.high, share(bin.cases)))
            .collect(),
    ));
    let mut inks = Vec::new();
    let mut words = Vec::new();
    for (ink, name, calibration) in [(Ink::Float, "float", float), (Ink::Int8, "int8", int8)] {
        let Some(calibration) = calibration else { continue };
        let points: Vec<(f64, f64)> = line(calibration);
        marks.push(Mark::Line(ink, points.clone()));
        marks.push(Mark::Dots(ink, points));
        inks.push((ink, name));
        words.push(format!("{name} {}", percent(calibration.expected_error)));
    }
    let tip = |bin: &crate::report::Bin| {
        let words = format!(
            "{:.1}–{:.1}: {} {cases}, given {} on average, came true {}",
            bin.low,
            bin.high,
            count(bin.cases),
            percent(bin.given),
            percent(bin.came_true)
        );
        Tip::Band([bin.low, bin.high], words)
    };
    let plot = Plot {
        words: format!("Reliability: {given} against how often it came true"),
        x: Axis::new(given, 0.0, 1.0),
        y: Axis::new("came true", 0.0, 1.0),
        marks,
        tips: shipped.bins.iter().map(tip).collect(),
    };
    let words = format!(
        "Expected calibration error: {}. On the diagonal probabilities come true; grey bars show how many {cases} each tenth holds.",
        words.join(", ")
    );
    Some(parts::plot("Calibration", &plot, &inks, &words))
}
