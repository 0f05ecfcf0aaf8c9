//! The section of what runs and what it costs.

use maud::{Markup, html};

use super::parts::{count, scrolling, shape};
use crate::report::Costs;
use crate::run::Evaluation;

/// Heads, devices, and every node.
pub fn body(costs: &Costs, devices: &[Evaluation]) -> Markup {
    html! {
        p.quiet { "One firmware runs any of the heads alone: only the nodes that it needs." }
        (heads(costs, devices))
        @for device in devices { (of_device(device)) }
        details {
            summary { "All " (costs.nodes.len()) " nodes of the blob" }
            (nodes(costs))
        }
    }
}

fn heads(costs: &Costs, devices: &[Evaluation]) -> Markup {
    let counted = |device: &Evaluation, head: &str| device.instructions.get(head).copied().filter(|&count| count > 0);
    scrolling(html! {
        table {
            thead {
                tr {
                    th scope="col" { "head alone" }
                    th.number scope="col" { "nodes" }
                    th.number scope="col" title="that no other head needs" { "its own" }
                    th.number scope="col" { "MACs" }
                    th.number scope="col" title="bytes that live at one time, at most" { "arena, least" }
                    th.number scope="col" title="where its highest tensor ends in the arena of all heads" { "ends at" }
                    @for device in devices {
                        th.number scope="col" { "instructions, " (device.on) }
                        th.number scope="col" { "per MAC" }
                    }
                }
            }
            tbody {
                @for head in &costs.heads {
                    tr {
                        th scope="row" { (head.head) }
                        td.number { (head.nodes) }
                        td.number { (head.own_nodes) }
                        td.number { (count(head.macs)) }
                        td.number { (count(head.live_bytes)) }
                        td.number { (count(head.arena_end)) }
                        @for device in devices {
                            @let instructions = counted(device, head.head);
                            td.number { (instructions.map_or_else(|| "–".into(), count)) }
                            td.number {
                                (instructions.map_or_else(|| "–".into(), |count| format!("{:.2}", count as f64 / head.macs.max(1) as f64)))
                            }
                        }
                    }
                }
            }
        }
    })
}

fn of_device(device: &Evaluation) -> Markup {
    let has = &device.device;
    let rows: u64 = device.samples.values().map(|&rows| rows as u64).sum();
    html! {
        h3 { (device.on) }
        p {
            (count(rows)) " test rows ran there; of " (count(device.compared_values)) " output values "
            @if device.differing_values == 0 { "none differs from int8 on the host in any bit." } @else {
                strong { (count(device.differing_values)) " differ from int8 on the host." }
            }
            " Instructions are those of the slowest row, and are not cycles."
        }
        dl.facts {
            @for (name, bytes) in [
                ("arena", has.arena_used), ("stack, most", has.stack_high_water), ("other statics", has.other_static_len),
                ("flash, blob apart", has.image_len),
            ] {
                div { dt { (name) } dd { (count(bytes)) " " span.quiet { "bytes" } } }
            }
        }
    }
}

fn nodes(costs: &Costs) -> Markup {
    scrolling(html! {
        table {
            thead {
                tr {
                    th.number scope="col" { "#" }
                    th scope="col" { "node" }
                    th scope="col" { "heads" }
                    th.number scope="col" { "output" }
                    th.number scope="col" { "MACs" }
                    th.number scope="col" { "arena in use" }
                }
            }
            tbody {
                @for (number, node) in costs.nodes.iter().enumerate() {
                    tr {
                        td.number.quiet { (number) }
                        th scope="row" { (node.operator) }
                        td { (node.heads.join(", ")) }
                        td.number { (shape(node.shape)) }
                        td.number { (count(node.macs)) }
                        td.number { (count(node.live_bytes)) }
                    }
                }
            }
        }
    })
}
