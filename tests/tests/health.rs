//! What a device tells of its health: counts that an obvious count repeats, and a drift that tells shifted readings from others.

use proptest::prelude::*;
use trident::blob::ReadingStatistics;
use trident::graph::{Element, Op};
use trident::health::{DRIFTING, Drift, HeadHealth, Health, LEAST_ROWS, Report, Verdict};
use trident::{Blob, Head, HeadSet, InputSlot, Inputs, Network, RunError};
use trident_tests::aligned::Aligned;
use trident_tests::golden::workspace;
use trident_tests::interpreter::interpret;
use trident_tests::noise::Noise;
use trident_tests::tiny;

/// As many readings as any blob here has.
const READINGS: usize = 18;

/// Inputs of a run, owned.
struct Row {
    readings: [Vec<f32>; 2],
    picture: Vec<u8>,
}

impl Row {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            classification: Some(&self.readings[0]),
            picture: Some(&self.picture),
            regression: Some(&self.readings[1]),
        }
    }

    /// Readings around their means, shifted by so many deviations; some pixels, at times all alike.
    fn random(blob: &Blob<'_>, noise: &mut Noise, shift: f32) -> Self {
        let mut readings = |slot| -> Vec<f32> {
            let known = blob.calibration(slot).expect("calibrated");
            let near = |known: &ReadingStatistics| known.mean + (1.7 * noise.unit() + shift) / known.inverse_deviation;
            known.iter().map(near).collect()
        };
        let readings = [InputSlot::Classification, InputSlot::Regression].map(&mut readings);
        let pixels = blob.input(InputSlot::Picture).expect("it has a picture").shape.len();
        let picture = noise.codes(pixels).iter().map(|&code| code as u8).collect();
        Self { readings, picture }
    }
}

/// The golden blob of the present version.
fn edge() -> Aligned {
    Aligned::copy_of(&std::fs::read(workspace().join("tests/golden/edge-v4.tri")).expect("the golden blob is there"))
}

fn with_network<T>(blob: &Aligned, run: impl FnOnce(Blob<'_>, &mut Network<'_>) -> T) -> T {
    let blob = Blob::new_exact(blob.bytes()).expect("a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let mut network = Network::load(blob, arena.bytes_mut()).expect("it loads");
    run(blob, &mut network)
}

fn of(report: &Report, head: Head) -> HeadHealth {
    *report.head(head).expect("all heads are there")
}

/// The inputs of a row as readings, in the order of their heads.
fn readings(row: &Row) -> [Vec<f64>; 3] {
    let exact = |row: &[f32]| row.iter().map(|&reading| f64::from(reading)).collect::<Vec<f64>>();
    let pixels = row.picture.len() as f64 / 3.0;
    let colour = |colour: usize| {
        row.picture
            .iter()
            .skip(colour)
            .step_by(3)
            .map(|&byte| f64::from(byte))
            .sum::<f64>()
            / pixels
    };
    [
        exact(&row.readings[0]),
        (0..3).map(colour).collect(),
        exact(&row.readings[1]),
    ]
}

/// Saturated codes of a head by the oracle: in the logits, or in what the sums are made of.
fn saturated(blob: &Blob<'_>, head: Head, row: &Row) -> u32 {
    let graph = blob.graph();
    let values = interpret(blob, head.into(), &row.inputs());
    let output = graph
        .nodes()
        .find(|node| node.op.is_output() && node.heads == head.into())
        .expect("a head");
    let tensor = if output.op == Op::Logits {
        output.input
    } else {
        graph
            .nodes()
            .find(|node| node.op == Op::Linear && node.output == output.input)
            .expect("a layer")
            .input
    };
    let zero_point = graph.tensor(tensor.into()).expect("known").zero_point;
    let map = values.tensors[usize::from(tensor)].as_ref().expect("written");
    map.numbers
        .iter()
        .filter(|&&code| code == 127 || (code == -128 && zero_point != -128))
        .count() as u32
}

/// Any stream of rows for any heads: the counts are an obvious count's, the drift that of a plain exponentially weighted mean.
fn assert_counts(blob: &Aligned, seed: u64, runs: usize, shift: f32) {
    with_network(blob, |blob, network| {
        let mut noise = Noise::new(seed);
        let mut health = Health::<READINGS>::new(&blob);
        let mut expected = [[0; 3]; 3];
        let (mut rows, mut means) = ([0; 3], [const { Vec::new() }; 3]);
        for _ in 0..runs {
            let row = Row::random(&blob, &mut noise, shift);
            let heads = HeadSet::from_bits(noise.int(1..=7) as u8).expect("three bits");
            health.run(network, heads, &row.inputs()).expect("it runs");
            for head in heads.iter() {
                let number = head as usize;
                let known = blob.calibration(InputSlot::ALL[number]).expect("calibrated");
                let readings = &readings(&row)[number];
                rows[number] += 1;
                means[number].resize(known.len(), 0.0);
                let mut outside = 0;
                for ((reading, known), mean) in readings.iter().zip(known).zip(&mut means[number]) {
                    outside += u32::from(*reading < f64::from(known.least) || *reading > f64::from(known.largest));
                    let distance = (reading - f64::from(known.mean)) * f64::from(known.inverse_deviation);
                    *mean += (distance.clamp(-16.0, 16.0) - *mean) / 64.0;
                }
                expected[number][0] += 1;
                expected[number][1] += outside;
                expected[number][2] += saturated(&blob, head, &row);
            }
        }
        for head in Head::ALL {
            let (told, number) = (of(&health.report(), head), head as usize);
            assert_eq!(
                [told.runs, told.outside, told.saturated],
                expected[number],
                "{head:?}, seed {seed}"
            );
            assert_eq!(told.faults, 0);
            let score = means[number].iter().fold(0.0_f64, |most, mean| most.max(mean.abs())) * 127.0_f64.sqrt();
            match told.drift {
                Drift::TooFewRows { rows: told } => assert!(told == rows[number] && told < LEAST_ROWS),
                Drift::Score { score: told, slot, .. } => {
                    assert!(rows[number] >= LEAST_ROWS && slot == InputSlot::ALL[number]);
                    assert!(
                        (f64::from(told) - score).abs() < 1e-3 * (1.0 + score),
                        "{told} is not {score}"
                    );
                }
                Drift::NotCalibrated => panic!("it is calibrated"),
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn counts_and_drift_are_those_of_an_obvious_count(seed: u64, runs in 1usize..300, shift in -3.0f32..3.0) {
        assert_counts(&tiny::tiny().pack(), seed, runs, shift);
    }
}

/// A quantised model hands wide codes from layer to layer and streams its rows.
#[test]
fn so_they_are_of_a_quantised_model() {
    let blob = edge();
    let wide = with_network(&blob, |blob, _| {
        blob.graph().tensors().any(|tensor| tensor.element == Element::I16)
    });
    assert!(wide, "the model has wide codes");
    for shift in [0.0, 4.0] {
        assert_counts(&blob, 3, 20, shift);
    }
}

#[test]
fn shifted_readings_drift_and_others_do_not() {
    for (shift, verdict) in [
        (0.0, Verdict::Steady),
        (1.0, Verdict::Drifting),
        (-1.0, Verdict::Drifting),
    ] {
        with_network(&edge(), |blob, network| {
            let mut noise = Noise::new(11);
            let mut health = Health::<READINGS>::new(&blob);
            let heads = HeadSet::EMPTY.with(Head::Classification).with(Head::Regression);
            for run in 0..4 * LEAST_ROWS {
                for head in heads.iter() {
                    let told = of(&health.report(), head).drift.verdict();
                    assert_eq!(told == Verdict::NotEnoughRows, run < LEAST_ROWS);
                    // A mean of a hundred rows needs some of them to move.
                    if run >= 2 * LEAST_ROWS {
                        assert_eq!(
                            told,
                            verdict,
                            "{head:?}, shifted by {shift}, row {run}: {:?}",
                            health.report()
                        );
                    }
                }
                let row = Row::random(&blob, &mut noise, shift);
                health.run(network, heads, &row.inputs()).expect("it runs");
            }
        });
    }
}

/// A dead sensor's row may come once in a while; one must not raise the alarm.
#[test]
fn one_wild_row_is_no_drift() {
    with_network(&tiny::minimal().pack(), |blob, network| {
        let mut health = Health::<1>::new(&blob);
        let mut run = |reading: f32| {
            let inputs = Inputs {
                regression: Some(&[reading]),
                ..Inputs::default()
            };
            health.run(network, Head::Regression.into(), &inputs).expect("it runs");
            of_only(&health.report())
        };
        (0..LEAST_ROWS).for_each(|_| {
            run(0.0);
        });
        let HeadHealth { drift, outside, .. } = run(f32::MAX);
        assert_eq!((drift.verdict(), outside), (Verdict::Steady, 1));
        let score = drift.score().expect("enough rows");
        assert!(score > 2.5 && score < DRIFTING / 2.0, "{score}");
        let HeadHealth { drift, outside, .. } = (0..4).map(|_| run(f32::MIN)).last().expect("four");
        assert_eq!((drift.verdict(), outside), (Verdict::Drifting, 5));
    });
}

fn of_only(report: &Report) -> HeadHealth {
    assert_eq!(
        (report.head(Head::Classification), report.head(Head::Segmentation)),
        (None, None)
    );
    of(report, Head::Regression)
}

/// A refused run is a fault of the heads that read what was wrong, and leaves all else as it was.
#[test]
fn refused_runs_are_faults_and_nothing_else() {
    with_network(&tiny::tiny().pack(), |blob, network| {
        let mut health = Health::<READINGS>::new(&blob);
        let mut faults = |change: &dyn Fn(&mut Row), heads: HeadSet| {
            let mut row = Row::random(&blob, &mut Noise::new(1), 0.0);
            change(&mut row);
            let before = health.report();
            let error = health.run(network, heads, &row.inputs()).expect_err("it is refused");
            let after = health.report();
            let faults = Head::ALL.map(|head| of(&after, head).faults - of(&before, head).faults);
            for head in Head::ALL {
                let faults = of(&before, head).faults;
                assert_eq!(
                    HeadHealth {
                        faults,
                        ..of(&after, head)
                    },
                    of(&before, head)
                );
            }
            (error, faults)
        };
        let (error, blamed) = faults(&|row| row.readings[0][1] = f32::NAN, HeadSet::ALL);
        assert!(matches!(error, RunError::NotFinite { feature: 1, .. }));
        assert_eq!(blamed, [1, 0, 0]);
        let (error, blamed) = faults(&|row| row.picture.truncate(3), HeadSet::ALL);
        assert!(matches!(error, RunError::InputLen { .. }));
        assert_eq!(blamed, [0, 1, 0]);
        let regression = HeadSet::from(Head::Regression);
        assert_eq!(faults(&|row| row.readings[1].push(0.0), regression).1, [0, 0, 1]);
    });
}

/// Blobs of older versions run and are counted; there is nothing to measure a drift by.
#[test]
fn older_blobs_are_not_calibrated() {
    let file = std::fs::read(workspace().join("tests/golden/edge-v3.tri")).expect("the golden blob is there");
    with_network(&Aligned::copy_of(&file), |blob, network| {
        let current = edge();
        let current = Blob::new_exact(current.bytes()).expect("a blob");
        let row = Row::random(&current, &mut Noise::new(2), 9.0);
        let mut health = Health::<READINGS>::new(&blob);
        health.run(network, HeadSet::ALL, &row.inputs()).expect("it runs");
        for head in Head::ALL {
            let told = of(&health.report(), head);
            assert_eq!((told.runs, told.outside, told.drift), (1, 0, Drift::NotCalibrated));
        }
    });
}

/// With room for fewer readings than the model has, the first ones are observed for drift, and all for being outside.
#[test]
fn readings_beyond_the_room_are_only_counted() {
    with_network(&tiny::tiny().pack(), |blob, network| {
        let mut health = Health::<3>::new(&blob);
        for _ in 0..LEAST_ROWS {
            let row = Row::random(&blob, &mut Noise::new(1), 20.0);
            health.run(network, HeadSet::ALL, &row.inputs()).expect("it runs");
        }
        let report = health.report();
        assert_eq!(of(&report, Head::Classification).drift.verdict(), Verdict::Drifting);
        assert!(matches!(
            of(&report, Head::Segmentation).drift,
            Drift::Score { reading: 0, .. }
        ));
        let regression = of(&report, Head::Regression);
        assert_eq!(
            (regression.drift, regression.outside),
            (Drift::NotCalibrated, 2 * LEAST_ROWS)
        );
    });
}
