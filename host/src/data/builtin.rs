//! Data that come with the program: two public tables, with their attribution in `host/data/LICENSES.md`.
//!
//! Both hold a random four fifths of their source's rows; the rest is kept back for evaluation by others.

/// MAGIC gamma telescope (Bock, 2007; CC BY 4.0): 10 readings of a simulated shower, label `gamma`: 1 = gamma, 0 = hadron.
pub const MAGIC_CSV: &str = include_str!("../../data/classification.csv");

/// Airfoil self-noise (Brooks, Pope, Marcolini, NASA 1989; CC BY 4.0): 5 readings, target `sound_pressure_level_db`.
pub const AIRFOIL_CSV: &str = include_str!("../../data/regression.csv");

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::data::{fingerprint, load};

    #[test]
    fn the_builtin_data_load_and_repeat() {
        let mut config = Config::builtin();
        config.segmentation.as_mut().unwrap().count = Some(60);
        let data = load(&config).unwrap();
        let classification = data.classification.as_ref().unwrap();
        assert_eq!(classification.readings.rows(), 15_216);
        assert_eq!(classification.readings.features.len(), 10);
        assert_eq!(classification.classes, ["0", "1"]);
        let regression = data.regression.as_ref().unwrap();
        assert_eq!(regression.readings.rows(), 1_203);
        let segmentation = data.segmentation.as_ref().unwrap();
        assert!(segmentation.generated);
        assert_eq!(segmentation.len(), 60);
        assert_eq!(fingerprint(&data), fingerprint(&load(&config).unwrap()));
    }
}
