//! The section of the classification head.

use maud::{Markup, html};

use super::parts::{self, four, percent, scrolling};
use super::{confusion, reliability};
use crate::report::Classification;
use crate::report::plot::{Axis, Ink, Mark, Plot, Tip};
use crate::report::roc::Point;

/// The most points of a curve at which its threshold is told.
const TIPS: usize = 60;
/// Corners of a curve that are nearer to each other than this are drawn as one.
const NEAR: f64 = 0.0005;

/// Curves, calibration and confusion.
pub fn body(judged: &Classification) -> Markup {
    let given = match &judged.classes[..] {
        [_, second] => format!("probability of class {second}"),
        _ => "probability of the likeliest class".into(),
    };
    let [float, int8] =
        [Some(&judged.float), judged.int8.as_ref()].map(|view| view.and_then(|view| view.calibration.as_ref()));
    html! {
        div.plots {
            (curves(judged))
            @if let Some(diagram) = reliability::diagram(float, int8, &given, "rows") { (diagram) }
        }
        div.pair {
            (confusion::table("float", &judged.classes, &judged.float.confusion))
            @if let Some(int8) = &judged.int8 { (confusion::table("int8", &judged.classes, &int8.confusion)) }
        }
        @if judged.classes.len() > 2 { (areas(judged)) }
    }
}

fn curves(judged: &Classification) -> Markup {
    let mut marks = vec![Mark::Line(Ink::Guide, vec![(0.0, 0.0), (1.0, 1.0)])];
    let (mut tips, mut inks, mut words) = (Vec::new(), Vec::new(), Vec::new());
    let two = judged.classes.len() == 2;
    let views = match (two, &judged.int8) {
        (true, Some(int8)) => vec![("float", Ink::Float, &judged.float), ("int8", Ink::Int8, int8)],
        (true, None) => vec![("float", Ink::Float, &judged.float)],
        // A curve per class is enough to look at.
        (false, _) => vec![("", Ink::Float, judged.shipped())],
    };
    for (model, ink, view) in views {
        for roc in &view.roc {
            let class = &judged.classes[roc.class];
            let ink = if two { ink } else { Ink::Series(roc.class) };
            let name = if two { model } else { class };
            marks.push(Mark::Line(ink, spaced(&roc.points)));
            words.push(format!("{name} {:.4}", roc.auc));
            inks.push((ink, name));
            let every = roc.points.len().div_ceil(TIPS / view.roc.len().max(1)).max(1);
            tips.extend(roc.points.iter().step_by(every).filter_map(|point| {
                let words = format!(
                    "{name}: {class} from {:.4} on finds {} at {} false alarms",
                    point.threshold?,
                    percent(point.true_positive_rate),
                    percent(point.false_positive_rate)
                );
                Some(Tip::Spot((point.false_positive_rate, point.true_positive_rate), words))
            }));
        }
    }
    let plot = Plot {
        words: format!("Receiver operating curve; area {}", words.join(", ")),
        x: Axis::new("false positive rate", 0.0, 1.0),
        y: Axis::new("true positive rate", 0.0, 1.0),
        marks,
        tips,
    };
    let meaning = match &judged.classes[..] {
        [first, second] => format!("class {second} against {first}"),
        _ => format!(
            "each class against the rest, {}",
            if judged.int8.is_some() { "int8" } else { "float" }
        ),
    };
    let words = match judged.classes.len() {
        2 => format!("Area under the curve: {}; {meaning}.", words.join(", ")),
        _ => format!("{}; areas are below.", capital(&meaning)),
    };
    parts::plot("Receiver operating curve", &plot, &inks, &words)
}

/// The curve without corners that lie so near the one before that nobody could tell them apart.
fn spaced(points: &[Point]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let (x, y) = (point.false_positive_rate, point.true_positive_rate);
        let far = kept.last().is_none_or(|last| x - last.0 > NEAR || y - last.1 > NEAR);
        if far || place + 1 == points.len() {
            kept.push((x, y));
        }
    }
    kept
}

fn areas(judged: &Classification) -> Markup {
    let area = |view: &crate::report::classification::View, class: usize| {
        four(view.roc.iter().find(|roc| roc.class == class).map(|roc| roc.auc))
    };
    scrolling(html! {
        table {
            caption { "area under the curve, each class against the rest" }
            thead {
                tr {
                    th scope="col" { "class" }
                    th.number scope="col" { "float" }
                    @if judged.int8.is_some() { th.number scope="col" { "int8" } }
                }
            }
            tbody {
                @for (class, name) in judged.classes.iter().enumerate() {
                    tr {
                        th scope="row" { (name) }
                        td.number { (area(&judged.float, class)) }
                        @if let Some(int8) = &judged.int8 { td.number { (area(int8, class)) } }
                    }
                }
            }
        }
    })
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
