//! The section that sets int8 against float.

use maud::{Markup, html};

use super::parts::{self, count, percent, scrolling};
use super::regression::histogram;
use crate::report::plot::{Axis, Ink, Mark, Plot, Tip, tick};
use crate::report::{Report, Rounding};

/// How many of the points furthest apart are told by pointing at them.
const TIPS: usize = 40;

/// Outputs of both models against each other, head by head.
pub fn body(report: &Report) -> Markup {
    html! {
        p {
            "Every test row's output by the int8 model against the float model's. That a device gives the int8 outputs to the bit is \
             what " code { "trident eval --on" } " checks."
        }
        (table(report))
        @for (head, rounding) in in_order(report) {
            h3 { (head) }
            div.plots {
                (scatter(rounding))
                (histogram("How far apart", &format!("int8 − float, {}", rounding.of), &rounding.differences, Ink::Int8))
            }
        }
    }
}

fn in_order(report: &Report) -> impl Iterator<Item = (&'static str, &Rounding)> {
    let heads = report.summary.heads.iter();
    heads.filter_map(|head| Some((head.head, report.rounding.get(head.head)?)))
}

fn table(report: &Report) -> Markup {
    scrolling(html! {
        table {
            thead {
                tr {
                    th scope="col" { "head" }
                    th scope="col" { "compared" }
                    th.number scope="col" { "values" }
                    th.number scope="col" { "mean distance" }
                    th.number scope="col" { "largest" }
                    th.number scope="col" { "decisions changed" }
                }
            }
            tbody {
                @for (head, rounding) in in_order(report) {
                    tr {
                        th scope="row" { (head) }
                        td { (rounding.of) }
                        td.number { (count(rounding.values)) }
                        td.number { (tick(rounding.mean_difference)) }
                        td.number { (tick(rounding.largest_difference)) }
                        td.number {
                            @match rounding.decisions {
                                Some(decisions) => {
                                    (count(decisions.changed)) " of " (count(decisions.all)) " "
                                    span.quiet { (percent(decisions.changed as f64 / decisions.all.max(1) as f64)) }
                                }
                                None => { "–" }
                            }
                        }
                    }
                }
            }
        }
    })
}

fn scatter(rounding: &Rounding) -> Markup {
    let y = Axis::around("int8", rounding.points.iter().flatten().copied());
    let mut furthest: Vec<&[f64; 2]> = rounding.points.iter().collect();
    furthest.sort_by(|a, b| (b[1] - b[0]).abs().total_cmp(&(a[1] - a[0]).abs()));
    let tip =
        |&&[float, int8]: &&[f64; 2]| Tip::Spot((float, int8), format!("float {}, int8 {}", tick(float), tick(int8)));
    let plot = Plot {
        words: format!("{}: int8 against float", rounding.of),
        x: Axis {
            label: format!("float, {}", rounding.of),
            ..y.clone()
        },
        marks: vec![
            Mark::Line(Ink::Guide, vec![(y.low, y.low), (y.high, y.high)]),
            Mark::Dots(
                Ink::Int8,
                rounding.points.iter().map(|&[float, int8]| (float, int8)).collect(),
            ),
        ],
        tips: furthest.iter().take(TIPS).map(tip).collect(),
        y,
    };
    let words = match rounding.points.len() {
        all if all == rounding.values => format!("All {} values.", count(all)),
        some => format!(
            "{} of {} values, those furthest apart among them.",
            count(some),
            count(rounding.values)
        ),
    };
    parts::plot("int8 against float", &plot, &[], &words)
}
