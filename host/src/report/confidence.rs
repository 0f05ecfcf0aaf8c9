//! How sure a segmentation network was of each pixel's class.

use trident::graph::{Graph, Op};
use trident::spec::{Activation, Head};

use super::calibration::Sums;
use crate::data::SegmentationData;
use crate::eval::Output;
use crate::metrics::argmax;
use crate::model::Model;
use crate::quantize::range::Quantization;
use crate::train::HeadData;
use crate::train::evaluate::scores;

/// How many pictures are looked at together.
const PICTURES_AT_ONCE: usize = 64;

/// Sums over all pixels of some pictures, by the float model.
pub fn float(model: &Model, head_data: &HeadData<'_>, data: &SegmentationData, rows: &[usize]) -> Sums {
    let form = Form::of(model);
    let mut sums = Sums::default();
    for rows in rows.chunks(PICTURES_AT_ONCE) {
        let scores = scores(model, head_data, rows);
        let truth = rows.iter().flat_map(|&row| data.mask(row));
        for (pixel, &truth) in scores.chunks_exact(data.classes.len()).zip(truth) {
            form.add(&mut sums, pixel, truth);
        }
    }
    sums
}

/// Sums over all pixels of some pictures, by outputs of the int8 model.
pub fn int8(model: &Model, graph: &Graph<'_>, outputs: &[Output], data: &SegmentationData, rows: &[usize]) -> Sums {
    let form = Form::of(model);
    let mut sums = Sums::default();
    let logits = graph.nodes().find(|node| node.op == Op::Logits);
    let Some(tensor) = logits.and_then(|node| graph.tensor(node.input.into())) else {
        return sums;
    };
    let range = Quantization {
        scale: tensor.scale,
        zero_point: tensor.zero_point,
    };
    for (output, &row) in outputs.iter().zip(rows) {
        let Output::Codes(codes) = output else { continue };
        for (pixel, &truth) in codes.chunks_exact(data.classes.len()).zip(data.mask(row)) {
            let real: Vec<f32> = pixel.iter().map(|&code| range.real(code)).collect();
            form.add(&mut sums, &real, truth);
        }
    }
    sums
}

/// What the numbers of a pixel are.
#[derive(Clone, Copy)]
enum Form {
    Logits,
    Probabilities,
}

impl Form {
    fn of(model: &Model) -> Self {
        let spec = model.spec();
        let head = spec.heads.iter().find(|own| own.head == Head::Segmentation);
        let layer = head.and_then(|head| usize::from(head.value).checked_sub(spec.inputs.len()));
        match layer.map(|layer| spec.layers[layer].layer.activation()) {
            Some(Activation::Sigmoid) => Self::Probabilities,
            _ => Self::Logits,
        }
    }

    fn add(self, sums: &mut Sums, pixel: &[f32], truth: u8) {
        let class = argmax(pixel);
        let probability = match self {
            Self::Probabilities => pixel[class],
            Self::Logits => 1.0 / pixel.iter().map(|value| (value - pixel[class]).exp()).sum::<f32>(),
        };
        sums.add(probability, class == usize::from(truth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_become_the_share_of_the_largest() {
        let mut sums = Sums::default();
        Form::Logits.add(&mut sums, &[0.0, 3f32.ln(), 0.0], 1);
        Form::Probabilities.add(&mut sums, &[0.2, 0.1], 1);
        let bins = sums.calibration().unwrap().bins;
        let found: Vec<_> = bins
            .iter()
            .map(|bin| ((bin.given * 1e6).round(), bin.came_true))
            .collect();
        assert_eq!(found, [(200_000.0, 0.0), (600_000.0, 1.0)]);
    }
}
