//! Whether the files of a run speak of one model.
//!
//! `spec.json`, `transforms.json` and `run.json` are text that anyone may edit; each is read by itself, and what they say
//! together must hold before anything is computed.

use trident::spec::{Head, InputSlot, ModelSpec, Shape};

use super::{Record, Transforms};
use crate::transform::InputTransform;

/// What the three files say otherwise about one head or input; `None` if they agree.
pub(super) fn contradiction(spec: &ModelSpec, transforms: &Transforms, record: &Record) -> Option<String> {
    let Ok(shapes) = spec.shapes() else {
        return Some("spec.json is not a model".into());
    };
    let data = &record.description;
    let shape_of = |head: Head| {
        let mut heads = spec.heads.iter().filter(|own| own.head == head);
        heads.next().map(|own| shapes[usize::from(own.value)])
    };
    let rows = data.classification.as_ref();
    let pictures = data.segmentation.as_ref();
    let numbers = data.regression.as_ref();
    let logits = |classes: usize| if classes == 2 { 1 } else { classes };
    let wanted = [
        (
            Head::Classification,
            rows.map(|data| [1, 1, logits(data.classes.len())]),
        ),
        (
            Head::Segmentation,
            pictures.map(|data| [data.size[0], data.size[1], data.classes.len()]),
        ),
        (Head::Regression, numbers.map(|_| [1, 1, 1])),
    ];
    if let Some((head, _)) = wanted
        .iter()
        .find(|(head, wanted)| shape_of(*head).map(sides) != *wanted)
    {
        return Some(format!("spec.json and run.json differ about the {} head", head.name()));
    }
    let steps = [
        (
            InputSlot::Classification,
            &transforms.classification,
            rows.map(|data| data.features.len()),
        ),
        (
            InputSlot::Regression,
            &transforms.regression,
            numbers.map(|data| data.features.len()),
        ),
    ];
    let fits = |slot: InputSlot, step: &Option<InputTransform>, readings: Option<usize>| match (step, readings) {
        (None, None) => true,
        (Some(step), Some(readings)) => {
            spec.input(slot).map(Shape::len) == Some(step.len())
                && step.readings == readings
                && step.inputs.iter().all(|input| input.feature < readings)
        }
        _ => false,
    };
    if let Some((slot, ..)) = steps
        .iter()
        .find(|(slot, step, readings)| !fits(*slot, step, *readings))
    {
        return Some(format!("transforms.json does not fit the {slot:?} input of the model"));
    }
    let scaled = transforms
        .target
        .map(|target| target.mean.is_finite() && target.sd.is_normal() && target.sd > 0.0);
    (scaled != numbers.map(|_| true)).then(|| "transforms.json does not scale the target".into())
}

fn sides(shape: Shape) -> [usize; 3] {
    [shape.h, shape.w, shape.c].map(usize::from)
}
