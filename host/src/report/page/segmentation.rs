//! The section of the segmentation head.

use maud::{Markup, html};

use super::parts::{count, four, percent, scrolling};
use super::{confusion, reliability};
use crate::report::segmentation::View;
use crate::report::{Segmentation, Tile};

/// How many of the worst pictures are shown at once; the rest unfold.
const SHOWN: usize = 12;

/// Figures per class, confusion, calibration, and the worst pictures.
pub fn body(judged: &Segmentation) -> Markup {
    let [float, int8] =
        [Some(&judged.float), judged.int8.as_ref()].map(|view| view.and_then(|view| view.calibration.as_ref()));
    let (shown, rest) = judged.worst.split_at(judged.worst.len().min(SHOWN));
    html! {
        (classes(judged))
        div.plots {
            @if let Some(diagram) = reliability::diagram(float, int8, "probability of a pixel's class", "pixels") { (diagram) }
            (confusion::table(if judged.int8.is_some() { "pixels, int8" } else { "pixels, float" }, &judged.classes, &judged.shipped().confusion))
        }
        h3 { "Worst pictures first" }
        p.quiet {
            "The " (count(judged.worst.len())) " of " (count(judged.pictures)) " test pictures with the most wrong pixels, "
            (judged.size[0]) "×" (judged.size[1]) ": picture, truth, float"
            @if judged.int8.is_some() { ", int8" } "."
        }
        p.legend {
            @for (name, colour) in judged.classes.iter().zip(&judged.colours) {
                span.key { span.swatch style={ "background:" (colour) } {} (name) }
            }
        }
        (tiles(shown, judged))
        @if !rest.is_empty() {
            details {
                summary { (count(rest.len())) " more" }
                (tiles(rest, judged))
            }
        }
    }
}

fn classes(judged: &Segmentation) -> Markup {
    let views: Vec<(&str, &View)> = [("float", Some(&judged.float)), ("int8", judged.int8.as_ref())]
        .into_iter()
        .filter_map(|(name, view)| Some((name, view?)))
        .collect();
    scrolling(html! {
        table {
            thead {
                tr {
                    th scope="col" { "class" }
                    @for (name, _) in &views { th.number scope="col" { "IoU, " (name) } }
                    @for (name, _) in &views { th.number scope="col" { "precision, " (name) } }
                    @for (name, _) in &views { th.number scope="col" { "recall, " (name) } }
                    th.number scope="col" { "share of pixels" }
                }
            }
            tbody {
                @for (class, name) in judged.classes.iter().enumerate() {
                    tr {
                        th scope="row" {
                            span.swatch style={ "background:" (judged.colours[class]) } {} (name)
                        }
                        @for (_, view) in &views { td.number { (four(view.per_class[class].iou)) } }
                        @for (_, view) in &views { td.number { (four(view.per_class[class].precision)) } }
                        @for (_, view) in &views { td.number { (four(view.per_class[class].recall)) } }
                        td.number { (percent(judged.float.per_class[class].share)) }
                    }
                }
            }
        }
    })
}

fn tiles(tiles: &[Tile], judged: &Segmentation) -> Markup {
    let pixels = (judged.size[0] * judged.size[1]) as f64;
    html! {
        div.tiles {
            @for tile in tiles {
                @let own = tile.shipped();
                figure.tile {
                    div {
                        (picture(&tile.picture, "picture", tile, judged))
                        (picture(&tile.truth, "truth", tile, judged))
                        (picture(&tile.float.mask, "float", tile, judged))
                        @if let Some(int8) = &tile.int8 { (picture(&int8.mask, "int8", tile, judged)) }
                    }
                    figcaption title={ "row " (tile.row) " of the data, counted from 0" } {
                        span.name { (tile.name) }
                        span.quiet { (percent(own.wrong_pixels as f64 / pixels)) " wrong, mean IoU " (format!("{:.3}", own.miou)) }
                    }
                }
            }
        }
    }
}

fn picture(address: &str, what: &str, tile: &Tile, judged: &Segmentation) -> Markup {
    html! {
        img src=(address) alt={ (what) " of " (tile.name) } title=(what) width=(judged.size[1]) height=(judged.size[0]);
    }
}
