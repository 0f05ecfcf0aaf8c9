//! The section that fits on one screen.

use maud::{Markup, html};

use super::parts::{count, four, scrolling, signed};
use crate::report::Report;
use crate::train::HeadMetrics;

/// The line below the page's title.
pub fn subtitle(report: &Report) -> String {
    let heads: Vec<&str> = report.summary.heads.iter().map(|head| head.head).collect();
    let provenance = &report.summary.provenance;
    let rows = match report.summary.demonstration {
        true => "it was trained on every row",
        false => "figures on held-out test rows",
    };
    format!("preset {}: {}; {rows}", provenance.preset, heads.join(", "))
}

/// Heads, sizes and provenance.
pub fn body(report: &Report) -> Markup {
    html! {
        (heads(report))
        dl.facts { (sizes(report)) }
        dl.provenance { (provenance(report)) }
    }
}

fn heads(report: &Report) -> Markup {
    let devices: Vec<_> = report.devices.iter().map(|device| &device.on).collect();
    scrolling(html! {
        table {
            thead {
                tr {
                    th scope="col" { "head" }
                    th scope="col" { "figure" }
                    th.number scope="col" { "float" }
                    th.number scope="col" { "int8" }
                    th.number scope="col" title="int8 less float" { "int8 − float" }
                    @for device in &devices { th.number scope="col" { (device) } }
                    th.number scope="col" { "test rows" }
                    th scope="col" { "further figures" }
                    th scope="col" { "tells" }
                }
            }
            tbody {
                @for head in &report.summary.heads {
                    @let [float, int8] = head.leading();
                    tr {
                        th scope="row" {
                            a href={ "#" (head.head) } { (head.head) }
                            @if report.summary.generated.contains(&head.head) { " (generated)" }
                        }
                        td { (head.figure) }
                        td.number { (four(float)) }
                        td.number { strong { (four(int8)) } }
                        td.number { (signed(int8.zip(float).map(|(int8, float)| int8 - float))) }
                        @for device in &report.devices {
                            td.number { (four(device.heads.get(head.head).and_then(|metrics| crate::eval::leading(metrics).1))) }
                        }
                        td.number { (count(head.rows[2])) }
                        td.quiet { (further(head.int8.as_ref().or(head.float.as_ref()))) }
                        td { (tells(&head.tells)) }
                    }
                }
            }
        }
    })
}

/// A few names; many are counted.
fn tells(names: &[String]) -> String {
    match names {
        _ if names.len() > 6 => format!("{}, … ({} classes)", names[..5].join(", "), names.len()),
        _ => names.join(", "),
    }
}

fn further(metrics: Option<&HeadMetrics>) -> String {
    match metrics {
        Some(HeadMetrics::Classification(metrics)) => {
            format!("accuracy {:.4}, F1 {}", metrics.accuracy, four(metrics.f1))
        }
        Some(HeadMetrics::Segmentation(metrics)) => {
            format!("pixel accuracy {:.4}, Dice {:.4}", metrics.accuracy, metrics.dice)
        }
        Some(HeadMetrics::Regression(metrics)) => format!("RMSE {:.4}, MAE {:.4}", metrics.rmse, metrics.mae),
        None => String::new(),
    }
}

fn fact(name: &str, value: String, unit: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) @if !unit.is_empty() { " " span.quiet { (unit) } } } } }
}

fn sizes(report: &Report) -> Markup {
    let summary = &report.summary;
    html! {
        (fact("parameters", count(summary.parameters), ""))
        (fact("MACs, all heads", count(summary.macs), ""))
        @if let Some(blob) = &summary.blob {
            (fact("blob", count(blob.bytes), "bytes"))
            (fact("arena", count(blob.arena_bytes), "bytes"))
        }
        @if let Some(device) = report.devices.first() {
            @let needs = device.device.arena_used + device.device.stack_high_water + device.device.other_static_len;
            (fact(&format!("RAM on {}", device.on), count(needs), "bytes"))
        }
    }
}

fn provenance(report: &Report) -> Markup {
    let provenance = &report.summary.provenance;
    html! {
        (fact("trained by", format!("trident {}", provenance.tool), ""))
        (fact("seeds", format!("training {}, split {}", provenance.train_seed, provenance.split_seed), ""))
        (fact("data, SHA-256", provenance.data_sha256.clone(), ""))
        @if let Some(blob) = &report.summary.blob {
            (fact("blob", format!("CRC-32 {}, sequence {}, format {}, {}, by {}", blob.crc32, blob.sequence, blob.format_version, blob.arithmetic, blob.tool), ""))
        }
    }
}
