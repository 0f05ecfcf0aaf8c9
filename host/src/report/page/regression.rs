//! The section of the regression head.

use maud::{Markup, html};

use super::parts::{self, breakable, count, reading, scrolling};
use crate::report::plot::{Axis, Ink, Mark, Plot, Tip, tick};
use crate::report::regression::Row;
use crate::report::{Histogram, Regression};

/// How many of the points furthest off are told by pointing at them.
const TIPS: usize = 40;

/// Predicted against true, residuals, and the worst rows.
pub fn body(judged: &Regression) -> Markup {
    let (model, ink) = if judged.float_only {
        ("float", Ink::Float)
    } else {
        ("int8", Ink::Int8)
    };
    html! {
        div.plots {
            (against_truth(judged, model, ink))
            (residuals(judged, model, ink))
            (histogram("How residuals are spread", "predicted − true", &judged.residuals, ink))
        }
        h3 { "Rows missed by most" }
        (worst(judged))
    }
}

fn truth(row: &Row) -> f64 {
    f64::from(row.truth)
}

fn drawn(judged: &Regression, model: &str) -> String {
    match judged.points.len() {
        all if all == judged.rows => format!("{model}, all {} test rows", count(judged.rows)),
        some => format!(
            "{model}, {} of {} test rows, those missed by most among them",
            count(some),
            count(judged.rows)
        ),
    }
}

fn against_truth(judged: &Regression, model: &str, ink: Ink) -> Markup {
    let both = || judged.points.iter().flat_map(|row| [truth(row), row.shipped()]);
    let target = &judged.target;
    let y = Axis::around("predicted", both());
    let plot = Plot {
        words: format!("{target}: predicted against true"),
        x: Axis {
            label: format!("true {target}"),
            ..y.clone()
        },
        marks: vec![
            Mark::Line(Ink::Guide, vec![(y.low, y.low), (y.high, y.high)]),
            Mark::Dots(
                ink,
                judged.points.iter().map(|row| (truth(row), row.shipped())).collect(),
            ),
        ],
        tips: tips(judged, |row| (truth(row), row.shipped())),
        y,
    };
    parts::plot(
        "Predicted against true",
        &plot,
        &[(ink, model)],
        &format!("{}.", drawn(judged, model)),
    )
}

fn residuals(judged: &Regression, model: &str, ink: Ink) -> Markup {
    let x = Axis::around(format!("true {}", judged.target), judged.points.iter().map(truth));
    let plot = Plot {
        words: format!("{}: residuals against true values", judged.target),
        y: Axis::around("predicted − true", judged.points.iter().map(Row::residual)),
        marks: vec![
            Mark::Line(Ink::Guide, vec![(x.low, 0.0), (x.high, 0.0)]),
            Mark::Dots(
                ink,
                judged.points.iter().map(|row| (truth(row), row.residual())).collect(),
            ),
        ],
        tips: tips(judged, |row| (truth(row), row.residual())),
        x,
    };
    parts::plot(
        "Residuals",
        &plot,
        &[(ink, model)],
        "A slope or a funnel says what the model has not learnt.",
    )
}

fn tips(judged: &Regression, place: impl Fn(&Row) -> (f64, f64)) -> Vec<Tip> {
    let mut rows: Vec<&Row> = judged.points.iter().collect();
    rows.sort_by(|a, b| b.residual().abs().total_cmp(&a.residual().abs()));
    let tip = |row: &&Row| {
        let words = format!(
            "row {}: true {}, predicted {}",
            row.row,
            tick(truth(row)),
            tick(row.shipped())
        );
        Tip::Spot(place(row), words)
    };
    rows.iter().take(TIPS).map(tip).collect()
}

/// A histogram as bars.
pub fn histogram(name: &str, label: &str, histogram: &Histogram, ink: Ink) -> Markup {
    let bars: Vec<(f64, f64, u64)> = match histogram.counts[..] {
        // All values are one: a bar needs some width to be seen.
        [all] => vec![(histogram.low - 0.5, histogram.low + 0.5, all)],
        _ => histogram.bars().collect(),
    };
    let most = bars.iter().map(|bar| bar.2).max().unwrap_or(1).max(1);
    let tip = |&(from, to, cases): &(f64, f64, u64)| {
        Tip::Band([from, to], format!("{} to {}: {}", tick(from), tick(to), count(cases)))
    };
    let plot = Plot {
        words: format!("{name}: {label}"),
        x: Axis::around(label, bars.iter().flat_map(|bar| [bar.0, bar.1])),
        y: Axis::new("how many", 0.0, most as f64 * 1.05),
        tips: bars.iter().map(tip).collect(),
        marks: vec![Mark::Bars(
            ink,
            bars.iter().map(|&(from, to, cases)| (from, to, cases as f64)).collect(),
        )],
    };
    let words = format!("Mean {}, median {}.", tick(histogram.mean), tick(histogram.median));
    parts::plot(name, &plot, &[], &words)
}

fn worst(judged: &Regression) -> Markup {
    scrolling(html! {
        table {
            thead {
                tr {
                    th.number scope="col" title="counted from 0, header apart" { "row" }
                    th.number scope="col" { "true" }
                    th.number scope="col" { "float" }
                    @if !judged.float_only { th.number scope="col" { "int8" } }
                    th.number scope="col" { "predicted − true" }
                    @for feature in &judged.features { th.number scope="col" { (breakable(feature)) } }
                }
            }
            tbody {
                @for worst in &judged.worst {
                    tr {
                        th.number scope="row" { (count(worst.row.row)) }
                        td.number { (reading(worst.row.truth)) }
                        td.number { (reading(worst.row.float)) }
                        @if let Some(int8) = worst.row.int8 { td.number { (reading(int8)) } }
                        td.number { (tick(worst.row.residual())) }
                        @for &value in &worst.readings { td.number { (reading(value)) } }
                    }
                }
            }
        }
    })
}
