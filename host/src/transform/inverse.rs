//! From a model input back to a reading, along the first table of that reading.

use trident::input::Segment;

use super::InputTransform;

impl InputTransform {
    /// Where a reading lies on its own axis: the first of its model inputs.
    ///
    /// # Panics
    /// If there is no such reading.
    pub fn axis(&self, feature: usize, reading: f32) -> f32 {
        trident::input::piecewise_linear(self.table(feature), reading)
    }

    /// The reading that lies there on its own axis; where the table is level, the least such reading.
    ///
    /// # Panics
    /// If there is no such reading.
    pub fn reading(&self, feature: usize, axis: f32) -> f32 {
        let table = self.table(feature);
        let index = table[1..].partition_point(|segment| segment.base <= axis);
        let Segment { start, base, slope } = table[index];
        if slope > 0.0 {
            start + (axis - base) / slope
        } else {
            start
        }
    }

    /// Tables rise, so that a value of theirs stands for one reading.
    fn table(&self, feature: usize) -> &[Segment] {
        let mut inputs = self.inputs.iter().filter(|input| input.feature == feature);
        &inputs.next().expect("every reading is a model input").segments
    }
}

#[cfg(test)]
mod tests {
    use crate::config::TransformChoice;
    use crate::data::Readings;
    use trident::spec::Head;

    #[test]
    fn readings_come_back_through_every_transform() {
        let values: Vec<f32> = (0..400u16)
            .map(|i| f32::from(i % 97) * f32::from(i % 13) + 0.5)
            .collect();
        let readings = Readings {
            features: vec!["x".into()],
            values,
        };
        let rows: Vec<usize> = (0..400).collect();
        for kind in ["standardise", "log", "signed_log", "quantile"] {
            let toml = format!("x = '{kind}'");
            let choice = TransformChoice::PerFeature(
                toml::from_str::<std::collections::BTreeMap<String, crate::config::TransformKind>>(&toml)
                    .unwrap()
                    .into_iter()
                    .map(|(name, kind)| (name, vec![kind]))
                    .collect(),
            );
            let step = crate::transform::fit(&readings, &rows, &choice, Head::Regression).unwrap();
            for &reading in &readings.values {
                let back = step.reading(0, step.axis(0, reading));
                // A quantile is level beyond the least and the greatest reading.
                let inside = kind != "quantile" || (0.6..1000.0).contains(&reading);
                assert!(
                    !inside || (back - reading).abs() <= 1e-3 * reading.max(1.0),
                    "{kind}: {reading} {back}"
                );
            }
        }
    }
}
