//! The section of layers.

use maud::{Markup, html};

use super::parts::{bar, count, scrolling, shape};
use crate::report::Layer;

/// A row per layer.
pub fn body(layers: &[Layer]) -> Markup {
    let most = |of: fn(&Layer) -> usize| layers.iter().map(of).max().unwrap_or(0) as f64;
    let (parameters, macs) = (most(|layer| layer.parameters), most(|layer| layer.macs));
    let measured = layers.iter().any(|layer| layer.snr_db.is_some());
    html! {
        p.quiet {
            "The model as it was trained, batch normalisation folded."
            @if measured {
                " Signal / noise is the power of a layer's float values over that of what int8 changes in them, every 6 dB half the \
                 error; each head's worst layer is marked. A head's last layer keeps its sums exact."
            }
        }
        (scrolling(html! {
            table.layers {
                thead {
                    tr {
                        th.number scope="col" { "#" }
                        th scope="col" { "layer" }
                        th scope="col" { "heads" }
                        th.number scope="col" { "output" }
                        th.number scope="col" { "parameters" }
                        th.number scope="col" { "MACs" }
                        @if measured { th.number scope="col" { "signal / noise" } }
                    }
                }
                tbody {
                    @for layer in layers {
                        tr.worst[layer.worst] {
                            td.number.quiet { (layer.layer) }
                            th scope="row" { (layer.operator) }
                            td { (layer.heads.join(", ")) }
                            td.number { (shape(layer.shape)) }
                            (bar(&count(layer.parameters), layer.parameters as f64, parameters))
                            (bar(&count(layer.macs), layer.macs as f64, macs))
                            @if measured {
                                td.number {
                                    @match layer.snr_db {
                                        Some(db) => {
                                            @if layer.worst { span.badge { "worst" } " " }
                                            (format!("{db:.1} dB"))
                                        }
                                        None => { span.quiet { "exact" } }
                                    }
                                }
                            }
                        }
                    }
                }
                tfoot {
                    tr {
                        td {} th scope="row" { "all" } td {} td {}
                        td.number { (count(layers.iter().map(|layer| layer.parameters).sum::<usize>())) }
                        td.number { (count(layers.iter().map(|layer| layer.macs).sum::<usize>())) }
                        @if measured { td {} }
                    }
                }
            }
        }))
    }
}
