use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::config::Config;
use crate::data::{RegressionData, Split};
use crate::progress::Progress;
use crate::train::{Plan, TrainError, TrainSummary, train};

fn config() -> Config {
    let mut config = Config::builtin();
    (config.classification, config.segmentation) = (None, None);
    config.train.regression.epochs = Some(3);
    config
}

/// A smooth function of three readings: 60 training rows, 20 of validation, 20 of test.
fn dataset() -> Dataset {
    let value = |i: usize| ((i * 7919 + i * i * 31) % 1000) as f32 / 100.0;
    let readings = Readings {
        features: ["a", "b", "c"].map(str::to_owned).to_vec(),
        values: (0..300).map(value).collect(),
    };
    let target = |row: usize| {
        let readings = readings.row(row);
        100.0 + (0.5 * readings[0]).sin() + 0.3 * readings[1] - 0.1 * readings[2]
    };
    Dataset {
        regression: Some(RegressionData {
            targets: (0..100).map(target).collect(),
            readings,
            target: "level".to_owned(),
            split: Split {
                train: (0..60).collect(),
                validation: (60..80).collect(),
                test: (80..100).collect(),
            },
        }),
        ..Dataset::default()
    }
}

fn attempt(config: &Config, data: &Dataset, run: &Run, stop: bool) -> Result<TrainSummary, TrainError> {
    let options = Options {
        resume: true,
        interrupted: &AtomicBool::new(stop),
        progress: Progress::silent(),
    };
    train(config, data, run, &options)
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("weights.bin")).unwrap()
}

#[test]
fn rows_that_judge_are_never_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, config: &Config, data: &Dataset| {
        let run = Run::create(&folder.path().join(name), config).unwrap();
        let record = attempt(config, data, &run, false).unwrap().process.unwrap();
        (record.rows, record.kernel, record.log_likelihood, weights(run.folder()))
    };
    let mut learns = config();
    learns.train.regression.train_on_validation = Some(true);
    let mut judged = config();
    judged.train.regression.train_on_validation = Some(false);
    // Only the last weights are compared: those that the validation rows choose depend on them.
    let mut last = judged.clone();
    last.train.regression.epochs = Some(1);
    for (name, config, rows, held_out) in [("test", &learns, 80, 80..100), ("both", &last, 60, 60..100)] {
        let mut other = dataset();
        let regression = other.regression.as_mut().unwrap();
        for row in held_out {
            regression.targets[row] += 1e3;
            regression.readings.values[3 * row] += 50.0;
        }
        let one = train(name, config, &dataset());
        assert_eq!(one.0, rows);
        assert!(one == train(&format!("{name}-other"), config, &other), "{name}");
        let regression = other.regression.as_mut().unwrap();
        regression.targets[rows - 1] += 1.0;
        assert!(one.1 != train(&format!("{name}-seen"), config, &other).1, "{name}");
    }
}

#[test]
fn a_training_that_goes_on_learns_from_the_same_process() {
    let folder = tempfile::tempdir().unwrap();
    let create = |name: &str| Run::create(&folder.path().join(name), &config()).unwrap();
    let data = dataset();
    let whole = create("whole");
    let expected = attempt(&config(), &data, &whole, false).unwrap().process.unwrap();

    // Interrupted before the fit was done.
    let run = create("parts");
    assert!(matches!(
        attempt(&config(), &data, &run, true),
        Err(TrainError::Interrupted { .. })
    ));
    assert!(!run.path(FILE).exists());
    assert_eq!(
        attempt(&config(), &data, &run, false).unwrap().process.as_ref(),
        Some(&expected)
    );
    assert!(weights(run.folder()) == weights(whole.folder()));

    // What is remembered is taken, and is what would be fitted anew.
    let remembers = create("remembers");
    std::fs::copy(whole.path(FILE), remembers.path(FILE)).unwrap();
    attempt(&config(), &data, &remembers, false).unwrap();
    assert!(weights(remembers.folder()) == weights(whole.folder()));
    let other = ProcessRecord {
        kernel: Kernel::start(3),
        ..expected.clone()
    };
    let follows = create("follows");
    follows.write_json(FILE, &other).unwrap();
    attempt(&config(), &data, &follows, false).unwrap();
    assert!(weights(follows.folder()) != weights(whole.folder()));
    // That of another training is not.
    let stranger = create("stranger");
    let identity = "another".to_owned();
    stranger.write_json(FILE, &ProcessRecord { identity, ..other }).unwrap();
    assert_eq!(
        attempt(&config(), &data, &stranger, false).unwrap().process,
        Some(expected)
    );
    assert!(weights(stranger.folder()) == weights(whole.folder()));
}

/// Noise is added to a kernel that is too flat: to one that no noise can help, without end.
#[test]
fn a_kernel_that_no_fit_gave_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(&folder.path().join("run"), &config()).unwrap();
    let fitted = attempt(&config(), &dataset(), &run, false).unwrap().process.unwrap();
    let fresh = |name: &str, kernel: Kernel| {
        let run = Run::create(&folder.path().join(name), &config()).unwrap();
        let identity = fitted.identity.clone();
        run.write_json(
            FILE,
            &ProcessRecord {
                identity,
                kernel,
                ..fitted.clone()
            },
        )
        .unwrap();
        attempt(&config(), &dataset(), &run, false)
    };
    let mut kernels = vec![fitted.kernel.clone(); 4];
    kernels[0].rbf.variance = 1e300;
    kernels[1].matern.lengths[2] = 1e-300;
    kernels[2].noise = -1.0;
    kernels[3].rbf.lengths.pop();
    for (number, kernel) in kernels.into_iter().enumerate() {
        let name = format!("altered-{number}");
        let error = fresh(&name, kernel).unwrap_err().to_string();
        let file = folder.path().join(&name).join(FILE);
        assert!(error.starts_with(&file.display().to_string()), "{error}");
        assert!(
            error.contains("was the file edited? delete it, and `trident train -o"),
            "{error}"
        );
        // What it says to do helps.
        std::fs::remove_file(file).unwrap();
        let run = Run::open(&folder.path().join(&name)).unwrap();
        assert_eq!(
            attempt(&config(), &dataset(), &run, false).unwrap().process.as_ref(),
            Some(&fitted)
        );
    }
    // A kernel too flat for this arithmetic is given the noise that it needs.
    let mut flat = fitted.kernel.clone();
    (flat.rbf.variance, flat.noise) = (1e4, 1e-6);
    flat.rbf.lengths.fill(1e3);
    fresh("flat", flat).unwrap();
}

#[test]
fn the_points_that_judge_are_none_that_were_learnt_from() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(&folder.path().join("run"), &config()).unwrap();
    let summary = attempt(&config(), &dataset(), &run, false).unwrap();
    let judged = &summary.qat.unwrap().groups["regression"];
    assert_eq!(judged.rows, "fresh");
    let (config, data) = (config(), dataset());
    let plan = Plan::new(&config, &data).unwrap();
    let options = Options {
        resume: true,
        interrupted: &AtomicBool::new(false),
        progress: Progress::silent(),
    };
    let training = plan.heads().next().unwrap();
    let exam = plan.exam(training, &plan.groups()[0], &run, &options).unwrap().unwrap();
    let exam = exam.regression.unwrap();
    let sources = plan
        .taught_sources(&plan.groups()[0], Some(&run), &options)
        .unwrap()
        .unwrap();
    let lesson = sources[0].lesson.clone().unwrap();
    let taught = &lesson.fresh().unwrap().inputs;
    let transform = plan.transforms().regression.as_ref().unwrap();
    for point in exam.readings.values.chunks(3) {
        let mut inputs = Vec::new();
        transform.apply(point, &mut inputs);
        assert!(taught.chunks(inputs.len()).all(|taught| taught != inputs), "{point:?}");
    }
    assert!(exam.targets.len() > 3_000 && exam.split.validation.len() == exam.targets.len());
    let rows = &data.regression.as_ref().unwrap().readings;
    for point in exam.readings.values.chunks(3) {
        assert!((0..80).all(|row| rows.row(row) != point), "{point:?}");
        assert!(
            (0..3).all(|i| (0..80).any(|row| rows.row(row)[i] == point[i])),
            "{point:?}"
        );
    }
    // It is the process that says what they should give: about the function itself.
    let off = exam
        .readings
        .values
        .chunks(3)
        .zip(&exam.targets)
        .map(|(point, target)| {
            let truth = 100.0 + (0.5 * point[0]).sin() + 0.3 * point[1] - 0.1 * point[2];
            (truth - target).abs()
        });
    assert!(off.sum::<f32>() / (exam.targets.len() as f32) < 0.3);
}

/// Crossed points of one reading are its training rows.
#[test]
fn rows_judge_where_no_point_is_left_to() {
    let mut data = dataset();
    let regression = data.regression.as_mut().unwrap();
    let first = regression.readings.values.iter().step_by(3).copied().collect();
    (regression.readings.values, regression.readings.features) = (first, vec!["a".to_owned()]);
    let mut validated = config();
    validated.train.regression.train_on_validation = Some(false);
    for (name, config, rows) in [("all", config(), "training"), ("parted", validated, "validation")] {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::create(&folder.path().join(name), &config).unwrap();
        let summary = attempt(&config, &data, &run, false).unwrap();
        let judged = &summary.qat.unwrap().groups["regression"];
        assert_eq!(judged.rows, rows);
        assert!(judged.heads.contains_key("regression"), "{judged:?}");
    }
}

#[test]
fn where_it_cannot_teach_it_is_left_out_unless_it_was_asked_for() {
    let refused = |data: &Dataset| {
        let mut asked = config();
        asked.train.regression.process = Some(true);
        Plan::new(&asked, data).unwrap_err().to_string()
    };
    let recipe = |data: &Dataset| {
        let plan = Plan::new(&config(), data).unwrap();
        let recipe = plan.heads().next().unwrap().recipe.clone();
        (recipe.process, recipe.distill, recipe.fresh)
    };
    assert_eq!(recipe(&dataset()), (true, 0.7, 1.0));
    let mut few = dataset();
    let split = &mut few.regression.as_mut().unwrap().split;
    (split.train, split.validation) = ((0..15).collect(), (15..19).collect());
    assert_eq!(recipe(&few), (false, 0.0, 0.0));
    assert!(
        refused(&few)
            .contains("[train.regression] process: a Gaussian process cannot teach here: 19 training rows are too few")
    );
    let mut flat = dataset();
    flat.regression.as_mut().unwrap().targets[..80].fill(7.0);
    assert_eq!(recipe(&flat), (false, 0.0, 0.0));
    assert!(refused(&flat).contains("the target is the same in every training row"));
    let mut many = dataset();
    let regression = many.regression.as_mut().unwrap();
    regression.split.train = (0..80).cycle().take(MOST + 1).collect();
    assert_eq!(recipe(&many), (false, 0.0, 0.0));
    assert!(refused(&many).contains("training rows are too many"));
}
