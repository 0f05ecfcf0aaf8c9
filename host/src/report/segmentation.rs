//! How pictures were segmented: confusion and figures per class over all test pixels, calibration, and the worst tiles.

use serde::Serialize;

use super::calibration::{Calibration, Sums};
use super::gallery::{self, Tile};
use crate::data::SegmentationData;
use crate::metrics::{SegmentationMetrics, confusion};

/// What the segmentation head is worth on the test pictures.
#[derive(Clone, Debug, Serialize)]
pub struct Segmentation {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Their colours in the gallery, as `#rrggbb`.
    pub colours: Vec<String>,
    /// Test pictures.
    pub pictures: usize,
    /// `[height, width]` of each.
    pub size: [usize; 2],
    /// The float model.
    pub float: View,
    /// The int8 model, if there is one.
    pub int8: Option<View>,
    /// The pictures with the most wrong pixels by the model that ships, worst first.
    pub worst: Vec<Tile>,
}

/// What one model said.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// Pixels, `[true class][class that they were taken for]`.
    pub confusion: Vec<Vec<u64>>,
    /// Figures of each class.
    pub per_class: Vec<ClassFigures>,
    /// Of the probability of each pixel's likeliest class.
    pub calibration: Option<Calibration>,
}

/// One class; a figure that the pixels do not define is absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Intersection over union.
    pub iou: Option<f64>,
    /// Share of the pixels taken for it that are of it.
    pub precision: Option<f64>,
    /// Share of its pixels that were found.
    pub recall: Option<f64>,
    /// Its share of all pixels.
    pub share: f64,
}

/// A class per pixel for all rows, and how sure the model was of it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Classes, picture after picture.
    pub mask: &'a [u8],
    /// The probabilities that those were given.
    pub sums: &'a Sums,
}

impl Segmentation {
    /// What those masks say about pictures of the data.
    pub fn new(data: &SegmentationData, rows: &[usize], float: Said<'_>, int8: Option<Said<'_>>) -> Self {
        let truth: Vec<u8> = rows.iter().flat_map(|&row| data.mask(row)).copied().collect();
        let view = |said: Said<'_>| View::new(said, &truth, data.classes.len());
        Self {
            classes: data.classes.clone(),
            colours: (0..data.classes.len()).map(gallery::colour_name).collect(),
            pictures: rows.len(),
            size: [data.height, data.width],
            float: view(float),
            int8: int8.map(view),
            worst: gallery::worst(data, rows, float.mask, int8.map(|said| said.mask)),
        }
    }

    /// The model that ships: int8 if there is one.
    pub fn shipped(&self) -> &View {
        self.int8.as_ref().unwrap_or(&self.float)
    }
}

impl View {
    fn new(said: Said<'_>, truth: &[u8], classes: usize) -> Self {
        let counts = confusion(said.mask, truth, classes);
        let metrics = SegmentationMetrics::of_confusion(&counts, classes);
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let per_class = (0..classes).map(|class| {
            let both = counts[class * classes + class];
            let wanted: u64 = counts[class * classes..(class + 1) * classes].iter().sum();
            let given: u64 = counts.iter().skip(class).step_by(classes).sum();
            ClassFigures {
                iou: metrics.iou[class],
                precision: ratio(both, given),
                recall: ratio(both, wanted),
                share: wanted as f64 / truth.len().max(1) as f64,
            }
        });
        Self {
            per_class: per_class.collect(),
            confusion: counts.chunks_exact(classes).map(<[u64]>::to_vec).collect(),
            calibration: said.sums.calibration(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_class_worked_by_hand() {
        let sums = Sums::default();
        let said = Said {
            mask: &[0, 0, 1, 1, 1, 0],
            sums: &sums,
        };
        let view = View::new(said, &[0, 0, 0, 1, 1, 0], 3);
        assert_eq!(view.confusion, [[3, 1, 0], [0, 2, 0], [0, 0, 0]]);
        let first = ClassFigures {
            iou: Some(0.75),
            precision: Some(1.0),
            recall: Some(0.75),
            share: 4.0 / 6.0,
        };
        assert_eq!(view.per_class[0], first);
        assert_eq!(view.per_class[1].precision, Some(2.0 / 3.0));
        assert_eq!((view.per_class[2].iou, view.per_class[2].recall), (None, None));
    }
}
