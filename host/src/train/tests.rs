//! Whole trainings on small data: they repeat, they survive interruptions, they learn.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::config::Balancing;
use crate::data::{ClassificationData, Place, Readings, RegressionData, SegmentationData, Split};

const EPOCHS: usize = 4;

fn split(rows: usize) -> Split {
    Split {
        train: (0..rows * 6 / 10).collect(),
        validation: (rows * 6 / 10..rows * 8 / 10).collect(),
        test: (rows * 8 / 10..rows).collect(),
    }
}

fn readings(rows: usize, features: usize) -> Readings {
    let value = |i: usize| ((i * 7919 + i * i * 31) % 1000) as f32 / 100.0;
    Readings {
        features: (0..features).map(|f| format!("x{f}")).collect(),
        values: (0..rows * features).map(value).collect(),
    }
}

/// Each four pictures are the quarters of a photograph.
fn quarter(picture: usize) -> Place {
    let step = |i: usize| (i % 2 * 16) as i64;
    Place {
        photograph: picture / 4,
        corner: [step(picture / 2), step(picture)],
        size: [16, 16],
    }
}

/// Rows and pictures that a model can learn a little from.
fn dataset() -> Dataset {
    let rows = readings(150, 3);
    let sum = |row: usize| rows.row(row).iter().sum::<f32>();
    let pictures = 20;
    let bright = |i: usize| (i / 7 + i / 112) % 3;
    let mask: Vec<u8> = (0..pictures * 256).map(|i| bright(i) as u8).collect();
    Dataset {
        classification: Some(ClassificationData {
            labels: (0..150).map(|row| (sum(row) / 10.0) as u16 % 3).collect(),
            readings: rows.clone(),
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            split: split(150),
        }),
        segmentation: Some(SegmentationData {
            height: 16,
            width: 16,
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            names: (0..pictures).map(|i| i.to_string()).collect(),
            pixels: mask
                .iter()
                .flat_map(|&m| [m * 80, 200 - m * 60, 17 * (m + 1)])
                .collect(),
            masks: mask,
            places: (0..pictures).map(|i| Some(quarter(i))).collect(),
            split: split(pictures),
            generated: true,
        }),
        regression: Some(RegressionData {
            targets: (0..150).map(|row| 100.0 + sum(row)).collect(),
            readings: rows,
            target: "sum".to_owned(),
            split: split(150),
        }),
        inputs_as_targets: trident::spec::HeadSet::EMPTY,
        aligned: false,
    }
}

fn config() -> Config {
    let mut config = Config::builtin();
    for (head, batch) in [
        (trident::spec::Head::Classification, 16),
        (trident::spec::Head::Segmentation, 5),
        (trident::spec::Head::Regression, 16),
    ] {
        let settings = config.train.head_mut(head);
        settings.epochs = Some(EPOCHS);
        settings.batch = Some(batch);
        settings.dropout = Some(0.1);
        settings.train_on_validation = Some(false);
    }
    config
}

fn attempt(run: &Run, resume: bool, interrupted: &AtomicBool) -> Result<TrainSummary, TrainError> {
    let options = Options {
        resume,
        interrupted,
        progress: Progress::silent(),
    };
    train(run.config(), &dataset(), run, &options)
}

fn train_whole(folder: &Path, config: &Config) -> TrainSummary {
    let run = Run::create(folder, config).unwrap();
    attempt(&run, false, &AtomicBool::new(false)).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let file = |name: &str, file: &str| std::fs::read(path(name).join(file)).unwrap();
    let summary = train_whole(&path("a"), &config());
    train_whole(&path("b"), &config());
    for name in [
        "weights.bin",
        "metrics.json",
        "history.json",
        "spec.json",
        "transforms.json",
        "run.json",
    ] {
        assert!(file("a", name) == file("b", name), "{name} differs");
    }
    assert_eq!(summary.epochs.len(), 3);
    assert!(
        summary.neighbours.is_some_and(|pictures| pictures > 8),
        "{:?}",
        summary.neighbours
    );
    let run = Run::open(&path("a")).unwrap();
    assert_eq!(run.metrics().unwrap(), summary.metrics);
    assert!(run.state().unwrap().fits());
    let mut other = config();
    other.train.seed += 1;
    train_whole(&path("c"), &other);
    assert!(file("a", "weights.bin") != file("c", "weights.bin"), "the seed matters");
    let mut whole = config();
    whole.train.augmentation.crop = 0.0;
    assert_eq!(train_whole(&path("d"), &whole).neighbours, None);
    assert!(file("a", "weights.bin") != file("d", "weights.bin"), "crops matter");
}

#[test]
fn heads_do_not_depend_on_each_other() {
    let folder = tempfile::tempdir().unwrap();
    train_whole(&folder.path().join("all"), &config());
    let alone = Dataset {
        regression: dataset().regression,
        ..Dataset::default()
    };
    let run = Run::create(&folder.path().join("alone"), &config()).unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        resume: false,
        interrupted: &stop,
        progress: Progress::silent(),
    };
    train(run.config(), &alone, &run, &options).unwrap();
    let all = Run::open(&folder.path().join("all")).unwrap().state().unwrap();
    let alone = run.state().unwrap();
    assert_eq!(alone.layers[..], all.layers[all.layers.len() - alone.layers.len()..]);
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    train_whole(&whole, &config());
    let run = Run::create(&folder.path().join("parts"), &config()).unwrap();
    let first = attempt(&run, false, &AtomicBool::new(true)).unwrap_err();
    assert!(first.to_string().contains("--resume"), "{first}");
    let mut interruptions = 1;
    for wait in 1.. {
        let stop = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5 * wait));
                stop.store(true, Ordering::Relaxed);
            });
            attempt(&run, true, &stop)
        });
        match result {
            Ok(_) => break,
            Err(TrainError::Interrupted { .. }) => interruptions += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(interruptions > 1, "no interruption in mid-training was tried");
    for name in ["weights.bin", "metrics.json", "history.json"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(
            read(&whole) == read(run.folder()),
            "{name} differs after {interruptions} interruptions"
        );
    }
}

/// Without int8's rounding, which the regression head would have by default.
fn float_config() -> Config {
    let mut config = config();
    config.train.qat = Some(false);
    config
}

/// Trains on, once float training is done, with int8's rounding.
fn aware_config() -> Config {
    let mut config = config();
    config.train.qat = Some(true);
    for head in trident::spec::Head::ALL {
        config.train.head_mut(head).qat_epochs = Some(3);
    }
    config
}

#[test]
fn training_with_rounding_is_never_below_post_training_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let float = train_whole(&folder.path().join("float"), &float_config());
    let [one, again] = ["one", "again"].map(|name| {
        let path = folder.path().join(name);
        let record = train_whole(&path, &aware_config()).qat.unwrap();
        (record, path)
    });
    assert_eq!(one.0, again.0);
    assert_eq!(one.0.groups.len(), 3);
    assert!(float.qat.is_none());
    for (name, group) in &one.0.groups {
        let file = format!("qat-{name}.bin");
        let read = |folder: &Path| std::fs::read(folder.join(&file)).unwrap();
        assert!(read(&one.1) == read(&again.1), "{file} differs");
        assert_eq!(group.history[name].len(), 3);
        let head = &group.heads[name];
        // A Gaussian process labels what judges the regression head.
        assert_eq!(group.rows, if name == "regression" { "fresh" } else { "validation" });
        if group.rows == "validation" {
            assert_eq!(
                Some(&head.float),
                float.metrics["validation"].get(name),
                "float figures stay what they are"
            );
        }
        assert_eq!(group.kept, head.gain() > 0.0);
        let losses: Vec<f64> = group.history[name].iter().map(|epoch| epoch.loss).collect();
        assert!(
            losses[2] < losses[0],
            "{name} does not come closer to float: {losses:?}"
        );
    }
    // What the blob is made of is what the record says.
    let run = Run::open(&one.1).unwrap();
    let data = dataset();
    let export = crate::export::export(&run, &data, &Default::default(), &Progress::silent()).unwrap();
    let rows = crate::eval::Rows::of(&data, |split| &split.validation);
    let outputs = crate::eval::int8(export.blob.as_ref(), &data, &rows).unwrap();
    let figures = crate::eval::figures(&outputs, &run.transforms().unwrap(), &data, &rows);
    for (name, group) in one.0.groups.iter().filter(|(_, group)| group.rows == "validation") {
        let head = &group.heads[name];
        let expected = if group.kept { &head.aware } else { &head.post_training };
        assert_eq!(figures.get(name.as_str()), Some(expected), "{name}");
        assert!(expected.figure() >= head.post_training.figure());
    }
}

#[test]
fn a_finished_run_is_trained_on_and_interruptions_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let expected = train_whole(&whole, &aware_config()).qat.unwrap();
    let parts = folder.path().join("parts");
    train_whole(&parts, &float_config());
    let weights = std::fs::read(parts.join("weights.bin")).unwrap();
    let run = Run::open(&parts).unwrap().with_config(&aware_config()).unwrap();
    let first = attempt(&run, true, &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(first, TrainError::Interrupted { .. }), "{first}");
    assert!(!parts.join("qat.json").exists());
    for wait in 1.. {
        let stop = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20 * wait));
                stop.store(true, Ordering::Relaxed);
            });
            attempt(&run, true, &stop)
        });
        match result {
            Ok(summary) => {
                assert_eq!(summary.qat, Some(expected));
                break;
            }
            Err(TrainError::Interrupted { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        std::fs::read(parts.join("weights.bin")).unwrap() == weights,
        "float weights stay"
    );
    for name in [
        "qat.json",
        "qat-classification.bin",
        "qat-segmentation.bin",
        "qat-regression.bin",
    ] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(read(&whole) == read(&parts), "{name} differs");
    }
}

#[test]
fn rounding_that_no_figure_can_judge_is_refused() {
    let mut config = Config::random();
    config.train.qat = Some(true);
    let data = crate::data::load(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(&folder.path().join("run"), &config).unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        resume: false,
        interrupted: &stop,
        progress: Progress::silent(),
    };
    let error = train(&config, &data, &run, &options).unwrap_err();
    assert!(matches!(error, TrainError::NothingToKeep), "{error}");
    let mut config = aware_config();
    config.train.regression.qat_learning_rate = Some(-1.0);
    let data = dataset();
    let error = train(&config, &data, &run, &options).unwrap_err().to_string();
    assert!(error.starts_with("[train.regression] qat_learning_rate"), "{error}");
    assert!(!run.is_trained(), "nothing was trained before");
}

#[test]
fn a_run_does_not_go_on_with_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(&folder.path().join("run"), &config()).unwrap();
    attempt(&run, false, &AtomicBool::new(true)).unwrap_err();
    let mut other = dataset();
    other.regression.as_mut().unwrap().targets[3] += 1.0;
    let stop = AtomicBool::new(false);
    let options = Options {
        resume: true,
        interrupted: &stop,
        progress: Progress::silent(),
    };
    let error = train(run.config(), &other, &run, &options).unwrap_err();
    assert!(matches!(error, TrainError::OtherSession { .. }), "{error}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let data = dataset();
    let refuse = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        Plan::new(&config, &data).unwrap_err().to_string()
    };
    let batch = refuse(|config| config.train.regression.batch = Some(0));
    assert!(batch.contains("[train.regression] batch"), "{batch}");
    let weights = refuse(|config| config.train.segmentation.class_weights = Some(vec![1.0]));
    assert!(weights.contains("1 given for 3 classes"), "{weights}");
    let widths = refuse(|config| {
        config.model = Some(crate::config::ModelConfig {
            segmentation: Some(vec![8, 8]),
            ..Default::default()
        });
    });
    assert!(widths.contains("2 numbers given"), "{widths}");
}

/// A few fields whose rows belong together, for a trunk.
fn fused_config(balancing: Balancing) -> Config {
    let mut config = Config::aligned();
    let pictures = config.segmentation.as_mut().unwrap();
    (pictures.count, pictures.size) = (Some(100), [16, 16]);
    config.train.balancing = balancing;
    for head in trident::spec::Head::ALL {
        let settings = config.train.head_mut(head);
        (settings.epochs, settings.batch) = (Some(3), Some(10));
    }
    config
}

#[test]
fn a_joint_training_that_is_interrupted_goes_on_to_the_same_bits() {
    let mut ends = Vec::new();
    for balancing in Balancing::ALL {
        let folder = tempfile::tempdir().unwrap();
        let config = fused_config(balancing);
        let data = crate::data::load(&config).unwrap();
        let train = |name: &str, resume: bool, stop: &AtomicBool| {
            let path = folder.path().join(name);
            let run = if resume {
                Run::open(&path)
            } else {
                Run::create(&path, &config)
            };
            let options = Options {
                resume,
                interrupted: stop,
                progress: Progress::silent(),
            };
            super::train(&config, &data, &run.unwrap(), &options)
        };
        let summary = train("whole", false, &AtomicBool::new(false)).unwrap();
        assert_eq!(summary.epochs.len(), 3);
        let mut interruptions = 0;
        for wait in 1.. {
            let stop = AtomicBool::new(false);
            let result = std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(30 * wait));
                    stop.store(true, Ordering::Relaxed);
                });
                train("parts", wait > 1, &stop)
            });
            match result {
                Ok(_) => break,
                Err(TrainError::Interrupted { .. }) => interruptions += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(interruptions > 0, "no interruption in mid-training was tried");
        let file = |run: &str, name: &str| std::fs::read(folder.path().join(run).join(name)).unwrap();
        for name in ["weights.bin", "metrics.json", "history.json"] {
            assert!(
                file("whole", name) == file("parts", name),
                "{name} differs after {interruptions} interruptions, {balancing:?}"
            );
        }
        let history = Run::open(&folder.path().join("whole")).unwrap().history().unwrap();
        let learnt = history
            .values()
            .all(|records| records.iter().all(|r| r.log_variance.is_some_and(|s| s != 0.0)));
        assert_eq!(learnt, balancing == Balancing::Uncertainty);
        let cosines = folder
            .path()
            .join("whole/cosines-classification+segmentation+regression.json");
        assert_eq!(cosines.is_file(), balancing == Balancing::PcGrad);
        if cosines.is_file() {
            let cosines: Vec<EpochCosine> = serde_json::from_slice(&std::fs::read(cosines).unwrap()).unwrap();
            assert_eq!(cosines.len(), 9, "three pairs, three epochs");
            assert!(
                cosines.iter().all(|pair| pair.steps == 7 && pair.cosine.abs() < 1.0),
                "{cosines:?}"
            );
        }
        ends.push(file("whole", "weights.bin"));
    }
    assert!(
        ends[0] != ends[1] && ends[1] != ends[2] && ends[0] != ends[2],
        "balancing matters"
    );
}

#[test]
fn measuring_changes_nothing_and_a_head_alone_starts_where_it_does_among_others() {
    let mut config = fused_config(Balancing::Fixed);
    let data = crate::data::load(&config).unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        resume: false,
        interrupted: &stop,
        progress: Progress::silent(),
    };
    let plan = Plan::new(&config, &data).unwrap();
    let whole = &plan.groups()[0];
    let rehearse =
        |plan: &Plan, group: &groups::Group, every| plan.rehearse(group, "", every, &options).unwrap().unwrap();
    let (silent, measured) = (rehearse(&plan, whole, 0), rehearse(&plan, whole, 2));
    assert_eq!(
        (&silent.metrics, &silent.history),
        (&measured.metrics, &measured.history)
    );
    assert!(silent.cosines.is_empty() && measured.cosines.len() == 9);

    // Steps too small to move anything show what every head starts with.
    for head in trident::spec::Head::ALL {
        let settings = config.train.head_mut(head);
        (settings.epochs, settings.learning_rate, settings.dropout) = (Some(1), Some(1e-12), Some(0.0));
    }
    let plan = Plan::new(&config, &data).unwrap();
    let whole = &plan.groups()[0];
    let joint = rehearse(&plan, whole, 0);
    for head in trident::spec::Head::ALL {
        let alone = rehearse(&plan, &whole.alone(head), 0);
        let (alone, joint) = (&alone.history[head.name()][0], &joint.history[head.name()][0]);
        assert!(
            (alone.loss / joint.loss - 1.0).abs() < 1e-5,
            "{head:?}: {} {}",
            alone.loss,
            joint.loss
        );
    }
}

#[test]
fn joint_settings_that_make_no_sense_say_what_to_do() {
    let refuse = |config: &Config| {
        let data = crate::data::load(config).unwrap();
        Plan::new(config, &data).unwrap_err().to_string()
    };
    let mut config = fused_config(Balancing::PcGrad);
    config.split.aligned = false;
    let apart = refuse(&config);
    assert!(
        apart.contains("aligned = true") && apart.contains("preset `edge`"),
        "{apart}"
    );
    config.split.aligned = true;
    config.train.preset = crate::config::Preset::Edge;
    let nothing = refuse(&config);
    assert!(
        nothing.contains("\"pcgrad\" means nothing here") && nothing.contains("preset `fused`"),
        "{nothing}"
    );
    config.train.balancing = Balancing::Fixed;
    config.model = Some(crate::config::ModelConfig {
        trunk: Some(vec![8]),
        ..Default::default()
    });
    let trunk = refuse(&config);
    assert!(trunk.contains("preset `edge` has no trunk"), "{trunk}");
    config.model = None;
    config.train.preset = crate::config::Preset::Fused;
    config.train.regression.epochs = Some(9);
    let epochs = refuse(&config);
    assert!(epochs.contains("must be the same"), "{epochs}");
}

#[test]
fn the_original_demo_ends_where_keras_ends() {
    // Without its picture, which takes most of the time: the towers share nothing.
    let config = Config::random();
    let mut data = crate::data::load(&config).unwrap();
    data.segmentation = None;
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(&folder.path().join("run"), &config).unwrap();
    let stop = AtomicBool::new(false);
    let options = Options {
        resume: false,
        interrupted: &stop,
        progress: Progress::silent(),
    };
    let summary = train(&config, &data, &run, &options).unwrap();
    assert!(summary.demonstration);
    assert!(
        !summary.metrics.contains_key("test"),
        "rows it was trained on are no test"
    );
    let history = run.history().unwrap();
    for (head, keras) in [("classification", 0.682), ("regression", 0.068)] {
        let last = history[head].last().unwrap();
        assert_eq!(last.epoch, 10);
        assert!((last.loss / keras - 1.0).abs() < 0.03, "{head}: {}", last.loss);
    }
}
