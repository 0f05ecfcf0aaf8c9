//! One training step's rows: tensors for the model, and each head's loss on its output.

use std::sync::Arc;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use trident::spec::{Activation, InputSlot, ModelSpec};

use super::augment::Change;
use super::crop::{Crop, Neighbours};
use super::loss;
use super::prepare::{HeadData, Inputs, Targets};
use super::random::{Draw, generator};
use super::recipe::Recipe;
use super::soft_loss;
use super::teacher::Lesson;
use crate::config::{Augmentation, TrainConfig};
use crate::model::{ModelInputs, Value, numbers, picture_tensor};
use crate::quantize::readings::ReadingCodes;

/// A head with all that its steps need.
#[derive(Clone, Debug)]
pub(super) struct HeadTraining<'d> {
    pub data: HeadData<'d>,
    pub recipe: Recipe,
    pub augmentation: Augmentation,
    pub class_weights: Vec<f32>,
    pub seed: u64,
    /// Whether the head's value holds probabilities already, not logits.
    pub probabilities: bool,
    /// What teachers say, if there are any.
    pub lesson: Option<Arc<Lesson>>,
    /// Training pictures beside each other, where crops may stand for them.
    pub neighbours: Arc<Neighbours>,
}

/// One head's part of a batch.
pub(super) struct HeadBatch {
    rows: Vec<usize>,
    /// Changed pictures and their masks, `n × [h, w, 3]` and `n × [h, w]`; empty for a head of readings.
    pixels: Vec<u8>,
    masks: Vec<u8>,
    /// The teachers' labels of those rows, then of the points; empty without teachers.
    soft: Vec<f32>,
    /// Model inputs of points between training rows, and how many there are.
    fresh: Vec<f32>,
    points: usize,
}

/// What one step says about a head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StepFigures {
    /// Rows or pixels whose favoured class is the true one, of how many; 0 of 0 for a head without classes.
    pub hits: u64,
    pub judged: u64,
}

impl<'d> HeadTraining<'d> {
    pub fn new(data: HeadData<'d>, recipe: Recipe, config: &TrainConfig, spec: &ModelSpec) -> Self {
        let value = spec
            .heads
            .iter()
            .find(|head| head.head == data.head)
            .map(|head| usize::from(head.value));
        let last = value.and_then(|value| spec.layers.get(value - spec.inputs.len()));
        Self {
            class_weights: recipe.weights_of_classes(&data.class_counts()),
            probabilities: last.is_some_and(|last| last.layer.activation() == Activation::Sigmoid),
            augmentation: config.augmentation,
            seed: config.seed,
            neighbours: Arc::new(neighbours(&data, &config.augmentation)),
            data,
            recipe,
            lesson: None,
        }
    }

    /// Gathers rows; pictures are changed by draws that depend on seed, epoch and picture alone, points between rows are drawn by
    /// seed and step.
    pub fn batch(&self, rows: &[usize], epoch: u64, step: u64) -> HeadBatch {
        let mut batch = HeadBatch {
            rows: rows.to_vec(),
            pixels: Vec::new(),
            masks: Vec::new(),
            soft: Vec::new(),
            fresh: Vec::new(),
            points: 0,
        };
        if let (Some(lesson), Inputs::Rows { .. }) = (&self.lesson, &self.data.inputs) {
            batch.soft.extend(rows.iter().flat_map(|&row| lesson.of_row(row)));
            self.add_points(lesson, step, &mut batch);
        }
        if let Inputs::Pictures(data) = &self.data.inputs {
            let size = [data.height, data.width];
            let unchanged = matches!(self.data.targets, Targets::OwnPixels(_));
            for &row in rows {
                if unchanged {
                    batch.pixels.extend(data.picture(row));
                    batch.masks.extend(data.mask(row));
                    continue;
                }
                let mut rng = generator(self.seed, self.data.head, Draw::Augmentation, epoch, row as u64);
                let change = Change::draw(&self.augmentation, data.height == data.width, &mut rng);
                let mut rng = generator(self.seed, self.data.head, Draw::Crop, epoch, row as u64);
                let crop = self.neighbours.draw(row, self.augmentation.crop, size, &mut rng);
                let crop = crop.unwrap_or_else(|| Crop::whole(row));
                change.picture(&crop.cut(|row| data.picture(row), size, 3), size, &mut batch.pixels);
                change.mask(&crop.cut(|row| data.mask(row), size, 1), size, &mut batch.masks);
                if let Some(lesson) = &self.lesson {
                    let pixels = data.height * data.width;
                    for plane in 0..data.classes.len() {
                        let of = |row| &lesson.of_row(row)[plane * pixels..][..pixels];
                        change.mask(&crop.cut(of, size, 1), size, &mut batch.soft);
                    }
                }
            }
        }
        batch
    }

    /// The same head for a model whose readings are stretched.
    pub fn stretch(&mut self, codes: &ReadingCodes) {
        let slot = self.data.slot();
        self.data.stretch(codes);
        if let Some(lesson) = &self.lesson {
            self.lesson = Some(Arc::new(lesson.stretched(|inputs| codes.stretch_values(slot, inputs))));
        }
    }

    fn add_points(&self, lesson: &Lesson, step: u64, batch: &mut HeadBatch) {
        let Some(fresh) = lesson.fresh() else { return };
        batch.points = (batch.rows.len() as f64 * self.recipe.fresh).ceil() as usize;
        let mut rng = generator(self.seed, self.data.head, Draw::FreshOrder, 0, step);
        for _ in 0..batch.points {
            let point = rng.random_range(0..fresh.count);
            batch.fresh.extend(fresh.inputs_of(point));
            batch.soft.extend(fresh.soft_of(point));
        }
    }

    /// Puts a batch where the model reads it.
    pub fn place(&self, batch: &HeadBatch, spec: &ModelSpec, device: &Device, inputs: &mut ModelInputs) {
        let slot = self.data.slot();
        match &self.data.inputs {
            Inputs::Rows { values, width } => {
                let of_rows = batch
                    .rows
                    .iter()
                    .flat_map(|&row| &values[row * width..(row + 1) * width]);
                let gathered: Vec<f32> = of_rows.chain(&batch.fresh).copied().collect();
                let count = batch.rows.len() + batch.points;
                let tensor = Tensor::from_data(TensorData::new(gathered, [count, *width]), device);
                match slot {
                    InputSlot::Classification => inputs.classification = Some(tensor),
                    _ => inputs.regression = Some(tensor),
                }
            }
            Inputs::Pictures(_) => {
                let input = spec.inputs.iter().find(|input| input.slot == slot);
                inputs.picture = input.map(|input| picture_tensor(&batch.pixels, input, device));
            }
        }
    }

    /// The head's loss on what the model gives for the batch, and how many it got right.
    pub fn loss(&self, output: Value, batch: &HeadBatch) -> (Tensor<1>, StepFigures) {
        let Some(lesson) = &self.lesson else {
            return self.loss_by_labels(output, batch);
        };
        let share = self.recipe.distill;
        let rows = batch.rows.len();
        let (hard, figures) = self.loss_by_labels(output.clone().narrow(0, rows), batch);
        let taught = if lesson.labels_rows() {
            output
        } else {
            output.narrow(rows, batch.points)
        };
        let soft = self.loss_by_teachers(taught, batch);
        (hard.mul_scalar(1.0 - share) + soft.mul_scalar(share), figures)
    }

    fn loss_by_teachers(&self, output: Value, batch: &HeadBatch) -> Tensor<1> {
        let soft = batch.soft.clone();
        match self.data.targets {
            Targets::Labels { .. } => soft_loss::of_classes(output.into_rows(), &soft),
            Targets::Numbers { .. } | Targets::OwnReadings { .. } => {
                loss::of_numbers(output.into_rows(), soft, self.recipe.distance)
            }
            Targets::Masks(_) | Targets::OwnPixels(_) if self.probabilities => {
                loss::of_probabilities(output.into_map(), soft)
            }
            Targets::Masks(_) | Targets::OwnPixels(_) => soft_loss::of_pixels(output.into_map(), soft),
        }
    }

    fn loss_by_labels(&self, output: Value, batch: &HeadBatch) -> (Tensor<1>, StepFigures) {
        match &self.data.targets {
            Targets::Labels { labels, .. } => {
                let labels: Vec<u16> = batch.rows.iter().map(|&row| labels[row]).collect();
                let logits = output.into_rows();
                let columns = logits.dims()[1];
                let favoured = loss::favoured(&numbers(logits.clone().detach()), columns);
                let hits = favoured
                    .iter()
                    .zip(&labels)
                    .filter(|(f, l)| u16::from(**f) == **l)
                    .count();
                let figures = StepFigures {
                    hits: hits as u64,
                    judged: labels.len() as u64,
                };
                let smoothing = self.recipe.label_smoothing;
                (
                    loss::of_classes(logits, &labels, &self.class_weights, smoothing),
                    figures,
                )
            }
            Targets::Masks(data) | Targets::OwnPixels(data) => {
                let map = output.into_map();
                let classes = data.classes.len();
                let favoured = loss::favoured(&numbers(map.clone().detach().permute([0, 2, 3, 1])), classes);
                let hits = favoured.iter().zip(&batch.masks).filter(|(f, m)| f == m).count();
                let figures = StepFigures {
                    hits: hits as u64,
                    judged: batch.masks.len() as u64,
                };
                (self.pixel_loss(map, batch, data.height * data.width, classes), figures)
            }
            Targets::Numbers { targets, scale } => {
                let targets = batch.rows.iter().map(|&row| scale.apply(targets[row])).collect();
                let numbers = output.into_rows();
                (
                    loss::of_numbers(numbers, targets, self.recipe.distance),
                    StepFigures::default(),
                )
            }
            Targets::OwnReadings { readings, .. } => {
                let targets = batch.rows.iter().flat_map(|&row| readings.row(row)).copied().collect();
                let numbers = output.into_rows();
                (
                    loss::of_numbers(numbers, targets, self.recipe.distance),
                    StepFigures::default(),
                )
            }
        }
    }

    fn pixel_loss(&self, map: Tensor<4>, batch: &HeadBatch, pixels: usize, classes: usize) -> Tensor<1> {
        if let Targets::OwnPixels(_) = self.data.targets {
            let mut targets = Vec::with_capacity(batch.pixels.len());
            for picture in batch.pixels.chunks_exact(pixels * 3) {
                for channel in 0..3 {
                    targets.extend(
                        picture
                            .iter()
                            .skip(channel)
                            .step_by(3)
                            .map(|&byte| f32::from(byte) / 255.0),
                    );
                }
            }
            let probabilities = if self.probabilities { map } else { sigmoid(map) };
            return loss::of_probabilities(probabilities, targets);
        }
        if self.probabilities {
            return loss::of_probabilities(map, loss::planes(&batch.masks, classes, pixels));
        }
        let recipe = &self.recipe;
        loss::of_pixels(map, &batch.masks, &self.class_weights, recipe.focal, recipe.region)
    }
}

/// The neighbours among a head's training pictures, unless crops are off or readings belong to each picture as it is.
fn neighbours(data: &HeadData, augmentation: &Augmentation) -> Neighbours {
    match &data.targets {
        Targets::Masks(pictures) if augmentation.crop > 0.0 && data.beside.is_empty() => {
            Neighbours::of(pictures, &data.split.train)
        }
        _ => Neighbours::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::data::{Dataset, Place, SegmentationData, Split};
    use trident::spec::Head;

    /// Two pictures side by side, in which classes go with colours.
    fn dataset() -> Dataset {
        let mask: Vec<u8> = (0..512u32).map(|i| (i * i / 7 % 2) as u8).collect();
        let place = |left| Place {
            photograph: 0,
            corner: [0, left],
            size: [16, 16],
        };
        Dataset {
            segmentation: Some(SegmentationData {
                height: 16,
                width: 16,
                classes: vec!["a".into(), "b".into()],
                names: vec!["left".into(), "right".into()],
                pixels: mask.iter().flat_map(|&m| [m, 7, 9]).collect(),
                masks: mask,
                places: vec![Some(place(0)), Some(place(16))],
                split: Split {
                    train: vec![0, 1],
                    ..Split::default()
                },
                generated: true,
            }),
            ..Dataset::default()
        }
    }

    /// Whatever is done to a picture is done to its mask and to what teachers say of it.
    #[test]
    fn picture_mask_and_lesson_change_alike() {
        let dataset = dataset();
        let pictures = dataset.segmentation.as_ref().unwrap();
        let head = Head::Segmentation;
        let mut config = Config::builtin().train;
        config.augmentation.crop = 0.9;
        let recipe = Recipe::new(&config, head);
        let data = HeadData::new(&dataset, head, None).unwrap();
        let spec = ModelSpec {
            inputs: heapless::Vec::new(),
            layers: heapless::Vec::new(),
            heads: heapless::Vec::new(),
        };
        let mut training = HeadTraining::new(data, recipe, &config, &spec);
        let soft = loss::planes(&pictures.masks, 2, 256);
        training.lesson = Some(Arc::new(Lesson::new(2, &[0, 1], soft, None)));
        let mut crops = 0;
        for epoch in 0..20 {
            let batch = training.batch(&[1, 0], epoch, 0);
            let red: Vec<u8> = batch.pixels.iter().copied().step_by(3).collect();
            assert_eq!(red, batch.masks);
            assert_eq!(batch.soft, loss::planes(&batch.masks, 2, 256));
            let ones = |mask: &[u8]| mask.iter().filter(|&&class| class == 1).count();
            crops += usize::from(ones(&batch.masks[..256]) != ones(pictures.mask(1)));
        }
        assert!(crops > 5, "{crops}");
    }
}
