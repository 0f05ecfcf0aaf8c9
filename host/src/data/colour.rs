//! The baseline that a segmentation network has to beat: what each pixel's own colour tells.
//!
//! A histogram of 16 × 16 × 16 colours per class, from training pixels. A pixel takes the class with the largest
//! `count · weight`; the weights, which trade rare classes against frequent ones, are the ones of a small grid that give the best
//! mean IoU on the training pixels. Colours never seen take the nearest coarser bin's answer.

use super::SegmentationData;
use crate::metrics::SegmentationMetrics;

/// Bins per channel, finest first: coarser ones serve colours that the finer ones have not seen.
const LEVELS: [usize; 3] = [16, 8, 4];

/// How strongly rare classes are favoured: class weights are `share^-exponent`.
const EXPONENTS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

/// A class for each colour.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourClassifier {
    /// Class of each finest bin.
    table: Vec<u8>,
    classes: usize,
}

impl ColourClassifier {
    /// Fits it to the pixels of these pictures.
    pub fn fit(data: &SegmentationData, rows: &[usize]) -> Self {
        let classes = data.classes.len();
        let mut counts = vec![0_u32; LEVELS[0].pow(3) * classes];
        let mut totals = vec![0_u32; classes];
        for &row in rows {
            for (pixel, &class) in data.picture(row).chunks_exact(3).zip(data.mask(row)) {
                counts[bin(pixel, LEVELS[0]) * classes + usize::from(class)] += 1;
                totals[usize::from(class)] += 1;
            }
        }
        let all: f64 = totals.iter().map(|&total| f64::from(total)).sum();
        let candidates = EXPONENTS.map(|exponent| {
            let weight = |total: &u32| (f64::from(*total).max(1.0) / all.max(1.0)).powf(-exponent);
            let weights: Vec<f64> = totals.iter().map(weight).collect();
            let table = table(&counts, &weights);
            let score = mean_iou(&counts, &table, classes);
            (score, table)
        });
        let best = candidates
            .into_iter()
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        let table = best.map(|(_, table)| table).unwrap_or_default();
        Self { table, classes }
    }

    /// The class of a colour.
    pub fn class(&self, rgb: [u8; 3]) -> u8 {
        self.table[bin(&rgb, LEVELS[0])]
    }

    /// What it is worth on these pictures.
    pub fn judge(&self, data: &SegmentationData, rows: &[usize]) -> SegmentationMetrics {
        let mut confusion = vec![0; self.classes * self.classes];
        for &row in rows {
            for (pixel, &class) in data.picture(row).chunks_exact(3).zip(data.mask(row)) {
                let predicted = self.table[bin(pixel, LEVELS[0])];
                confusion[usize::from(class) * self.classes + usize::from(predicted)] += 1;
            }
        }
        SegmentationMetrics::of_confusion(&confusion, self.classes)
    }
}

fn bin(pixel: &[u8], side: usize) -> usize {
    let level = |channel: u8| usize::from(channel) * side / 256;
    (level(pixel[0]) * side + level(pixel[1])) * side + level(pixel[2])
}

/// The coarser bin that a finest bin lies in.
fn coarse(bin: usize, side: usize) -> usize {
    let fine = LEVELS[0];
    let level = |channel: usize| channel * side / fine;
    (level(bin / (fine * fine)) * side + level(bin / fine % fine)) * side + level(bin % fine)
}

/// The best class of every finest bin.
fn table(counts: &[u32], weights: &[f64]) -> Vec<u8> {
    let classes = weights.len();
    let best = |counts: &[u32]| {
        let score = |class: usize| f64::from(counts[class]) * weights[class];
        let best = (1..classes).fold(0, |best, class| if score(class) > score(best) { class } else { best });
        (counts[best] > 0).then_some(best as u8)
    };
    let mut table: Vec<Option<u8>> = vec![None; LEVELS[0].pow(3)];
    for side in LEVELS.into_iter().chain([1]) {
        let mut sums = vec![0; side.pow(3) * classes];
        for (index, count) in counts.iter().enumerate() {
            sums[coarse(index / classes, side) * classes + index % classes] += count;
        }
        for (bin, class) in table.iter_mut().enumerate() {
            let start = coarse(bin, side) * classes;
            *class = class.or_else(|| best(&sums[start..start + classes]));
        }
    }
    table.into_iter().map(|class| class.unwrap_or(0)).collect()
}

/// Mean IoU on the pixels that were counted.
fn mean_iou(counts: &[u32], table: &[u8], classes: usize) -> f64 {
    let mut confusion = vec![0; classes * classes];
    for (index, &count) in counts.iter().enumerate() {
        let predicted = usize::from(table[index / classes]);
        confusion[index % classes * classes + predicted] += u64::from(count);
    }
    SegmentationMetrics::of_confusion(&confusion, classes).miou
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;

    fn data(pixels: Vec<u8>, masks: Vec<u8>) -> SegmentationData {
        SegmentationData {
            height: 1,
            width: masks.len(),
            classes: vec!["a".into(), "b".into()],
            names: vec!["x".into()],
            pixels,
            masks,
            places: Vec::new(),
            split: Split::default(),
            generated: false,
        }
    }

    #[test]
    fn colours_that_tell_are_learnt() {
        let data = data(vec![200, 0, 0, 205, 3, 1, 0, 200, 0, 0, 200, 9], vec![0, 0, 1, 1]);
        let classifier = ColourClassifier::fit(&data, &[0]);
        assert_eq!(classifier.judge(&data, &[0]).miou, 1.0);
        // Never seen: the nearest coarser bin answers.
        assert_eq!(classifier.class([220, 30, 30]), 0);
        assert_eq!(classifier.class([20, 230, 30]), 1);
    }
}
