//! Generated rows that belong together: a picture, ten readings and five readings of one moment in one field.
//!
//! All that a row shows comes from one hidden `Field`: what was sown, how many weeds stand in it, how far the crop has grown,
//! how wet and how light it is. No sensor tells it alone:
//!
//! | | shows | leaves open |
//! |---|---|---|
//! | picture | plants of either kind, brightness | which kind was sown; wet ground or little light |
//! | ten readings of a mast | green of all plants together, height, light | weed or crop, growth |
//! | five readings of a probe | what was sown, day, moisture | weeds |
//!
//! The three tasks ask for that state: which pixels are weed and which crop, whether to treat the field, how much yield it will
//! lose. What a model learns for one task is therefore of use to the others. Readings carry noise, so that each is worth more
//! beside the others. A row depends on its index alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::tiles::{CLASSES, CROP, Scene, Stand, WEED, gauss};
use super::{ClassificationData, Readings, RegressionData, SegmentationData, Split};

/// Rows unless the configuration says otherwise.
pub const ROWS: usize = 1_500;

/// The seed of the built-in rows.
const SEED: u64 = 11;

/// Readings of the mast above the field.
const MAST: [&str; 10] = [
    "light_klux",
    "air_humidity_percent",
    "canopy_ndvi",
    "leaf_temperature_c",
    "canopy_height_cm",
    "canopy_roughness_cm",
    "red_edge_index",
    "ground_reflectance",
    "wind_m_s",
    "battery_v",
];

/// Readings of the probe in the ground.
const PROBE: [&str; 5] = [
    "soil_moisture",
    "soil_nitrogen",
    "day_of_season",
    "row_spacing_cm",
    "soil_temperature_c",
];

/// Class names: what to do with the field.
const ADVICE: [&str; 2] = ["leave", "treat"];

/// The hidden state of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Field {
    /// Broad-leaved crop, so that grass is the weed; else the other way round.
    broadleaf_crop: bool,
    /// Weed pressure, 0 to 1.
    weeds: f32,
    /// Growth of the crop, 0 to 1.
    growth: f32,
    /// 0 dry to 1 wet.
    moisture: f32,
    /// 0 dusk to 1 noon.
    light: f32,
}

/// Ten readings and whether to treat.
pub fn classification(rows: usize) -> ClassificationData {
    let fields: Vec<_> = (0..rows).map(Field::of_row).collect();
    ClassificationData {
        readings: readings(&MAST, fields.iter().map(|(field, rng)| field.mast(&mut rng.clone()))),
        classes: ADVICE.map(str::to_owned).to_vec(),
        labels: fields.iter().map(|(field, _)| field.needs_treatment().into()).collect(),
        split: Split::default(),
    }
}

/// Five readings and the yield that will be lost, in percent.
pub fn regression(rows: usize, target: &str) -> RegressionData {
    let fields: Vec<_> = (0..rows).map(Field::of_row).collect();
    let probe = |rng: &ChaCha8Rng| {
        let mut rng = rng.clone();
        rng.set_stream(rng.get_stream() + 1);
        rng
    };
    RegressionData {
        readings: readings(&PROBE, fields.iter().map(|(field, rng)| field.probe(&mut probe(rng)))),
        target: target.to_owned(),
        targets: fields.iter().map(|(field, _)| field.yield_loss()).collect(),
        split: Split::default(),
    }
}

/// Pictures of `[height, width]`.
pub fn segmentation(rows: usize, [height, width]: [usize; 2]) -> SegmentationData {
    let mut pixels = vec![0; rows * height * width * 3];
    let mut masks = vec![0; rows * height * width];
    let pictures = pixels
        .par_chunks_exact_mut(height * width * 3)
        .zip(masks.par_chunks_exact_mut(height * width));
    pictures.enumerate().for_each(|(row, (pixels, mask))| {
        let (field, mut rng) = Field::of_row(row);
        rng.set_stream(rng.get_stream() + 2);
        let scene = field.scene(&mut rng);
        scene.draw(&mut rng, [height, width], pixels, mask);
    });
    SegmentationData {
        height,
        width,
        classes: CLASSES.map(str::to_owned).to_vec(),
        names: (0..rows).map(|row| format!("field {row}")).collect(),
        pixels,
        masks,
        places: Vec::new(),
        split: Split::default(),
        generated: true,
    }
}

impl Field {
    /// The state of a row, and a generator for the noise of what shows it. Every row has three streams: mast, probe, picture.
    fn of_row(row: usize) -> (Self, ChaCha8Rng) {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(row as u64 * 3);
        let field = Self {
            broadleaf_crop: rng.random(),
            weeds: rng.random(),
            growth: rng.random(),
            moisture: rng.random(),
            light: rng.random(),
        };
        (field, rng)
    }

    /// Young crops bear fewer weeds than grown ones, dry ones fewer than wet ones.
    fn needs_treatment(&self) -> bool {
        self.weeds > 0.3 + 0.35 * self.growth + 0.15 * (self.moisture - 0.5)
    }

    /// Percent of the yield.
    fn yield_loss(&self) -> f32 {
        let competition = 60.0 * self.weeds * (1.0 - 0.6 * self.growth) * (1.2 - 0.4 * self.moisture);
        competition + 15.0 * (1.0 - self.moisture) * self.light
    }

    fn mast(&self, rng: &mut ChaCha8Rng) -> [f32; 10] {
        let &Self {
            weeds,
            growth,
            moisture,
            light,
            broadleaf_crop,
        } = self;
        let mut near = |value: f32, deviation: f32| value + deviation * gauss(rng);
        let (crop_height, weed_height) = if broadleaf_crop { (18.0, 30.0) } else { (45.0, 14.0) };
        [
            near(8.0 + 70.0 * light, 6.0).max(0.0),
            near(45.0 + 35.0 * moisture - 10.0 * light, 8.0),
            near(0.12 + 0.3 * weeds + 0.4 * growth, 0.03),
            near(14.0 + 12.0 * light - 5.0 * moisture, 1.2),
            near(4.0 + crop_height * growth + weed_height * weeds, 3.0).max(0.0),
            near(2.0 + 0.25 * weed_height * weeds + 2.0 * growth, 1.0).max(0.0),
            near(
                0.2 + 0.15 * weeds + 0.25 * growth - 0.1 * f32::from(broadleaf_crop),
                0.05,
            ),
            near((1.0 - 0.5 * moisture) * (0.5 + 0.5 * light), 0.06),
            near(3.0, 1.5).max(0.0),
            near(3.7, 0.1),
        ]
    }

    fn probe(&self, rng: &mut ChaCha8Rng) -> [f32; 5] {
        let &Self {
            weeds,
            growth,
            moisture,
            light,
            broadleaf_crop,
        } = self;
        let mut near = |value: f32, deviation: f32| value + deviation * gauss(rng);
        let spacing = if broadleaf_crop { 45.0 } else { 20.0 };
        [
            near(0.08 + 0.3 * moisture, 0.025).max(0.0),
            near(60.0 - 25.0 * growth - 15.0 * weeds, 5.0).max(0.0),
            near(20.0 + 90.0 * growth, 9.0).max(0.0),
            near(spacing, 8.0).max(0.0),
            near(10.0 + 7.0 * light - 3.0 * moisture, 0.8),
        ]
    }

    fn scene(&self, rng: &mut ChaCha8Rng) -> Scene {
        let weeds = (0..6).filter(|_| rng.random_bool(f64::from(self.weeds) * 0.6)).count();
        let sown = rng.random_range(1..4);
        let scale = 0.5 + 0.6 * self.growth;
        let crop = Stand {
            plants: sown,
            scale,
            class: CROP,
        };
        let weed = Stand {
            plants: weeds,
            scale: 0.75,
            class: WEED,
        };
        let (broadleaf, grass) = if self.broadleaf_crop {
            (crop, weed)
        } else {
            (weed, crop)
        };
        Scene {
            broadleaf,
            grass,
            reflectance: 1.0 - 0.55 * self.moisture,
            brightness: 0.45 + 0.75 * self.light,
        }
    }
}

fn readings<const N: usize>(names: &[&str; N], rows: impl Iterator<Item = [f32; N]>) -> Readings {
    Readings {
        features: names.map(str::to_owned).to_vec(),
        values: rows.flatten().collect(),
    }
}

#[cfg(test)]
mod tests;
