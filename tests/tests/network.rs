//! Running: what is refused and why, and what a head's answer may depend on.

use trident::spec::{Head, HeadSet, InputSlot};
use trident::{Blob, Inputs, Network, RunError, SelfTestError};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::tiny;

/// Loads those parts and hands the network over.
fn with_network<R>(builder: &Builder, test: impl FnOnce(&mut Network<'_>) -> R) -> R {
    let packed = builder.pack();
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    arena.bytes_mut().fill(0xA5); // no run may lean on what the arena held
    test(&mut Network::load(blob, arena.bytes_mut()).expect("loads"))
}

fn slot_of(head: Head) -> InputSlot {
    match head {
        Head::Classification => InputSlot::Classification,
        Head::Segmentation => InputSlot::Picture,
        Head::Regression => InputSlot::Regression,
    }
}

/// Every head's answer, to the bit.
fn answers(network: &Network<'_>) -> [Option<Vec<u32>>; 3] {
    let outputs = network.outputs();
    [
        outputs
            .classification()
            .map(|all| all.iter().map(|one| one.to_bits()).collect()),
        outputs
            .segmentation()
            .map(|logits| logits.codes.iter().map(|&code| code as u32).collect()),
        outputs.regression().map(|value| vec![value.to_bits()]),
    ]
}

#[test]
fn a_head_alone_answers_as_in_a_full_run() {
    with_network(&tiny::tiny(), |network| {
        let picture = tiny::picture();
        let all = tiny::inputs(&picture);
        network.run(HeadSet::ALL, &all).expect("runs");
        let together = answers(network);
        assert!(together.iter().all(Option::is_some));
        for heads in (0..=7).filter_map(HeadSet::from_bits) {
            // Only the inputs that those heads need.
            let inputs = Inputs {
                classification: all.classification.filter(|_| heads.contains(Head::Classification)),
                picture: all.picture.filter(|_| heads.contains(Head::Segmentation)),
                regression: all.regression.filter(|_| heads.contains(Head::Regression)),
            };
            network.run(heads, &inputs).expect("runs");
            let alone = answers(network);
            for head in Head::ALL {
                let expected = together[head as usize].as_ref().filter(|_| heads.contains(head));
                assert_eq!(alone[head as usize].as_ref(), expected, "{head:?} in {heads:?}");
            }
        }
    });
}

#[test]
fn probabilities_masks_and_values_are_in_range() {
    with_network(&tiny::tiny(), |network| {
        let picture = tiny::picture();
        let outputs = network.run(HeadSet::ALL, &tiny::inputs(&picture)).expect("runs");
        let &[probability] = outputs.classification().expect("asked for") else {
            panic!("two labels are one probability");
        };
        assert!((0.0..=1.0).contains(&probability));
        let logits = outputs.segmentation().expect("asked for");
        let mut mask = [9; 16];
        logits.mask(&mut mask);
        assert!(mask.iter().all(|&class| class < 2));
        for (pixel, class) in logits.codes.chunks(2).zip(mask) {
            assert_eq!(class == 1, pixel[1] > pixel[0], "ties go to the first class: {pixel:?}");
        }
        assert!(outputs.regression().expect("asked for").is_finite());
    });
}

#[test]
fn readings_that_are_no_numbers_are_refused() {
    with_network(&tiny::tiny(), |network| {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for feature in [0, 1] {
                let mut row = [1.0, 2.0];
                row[feature] = bad;
                let (classification, regression) = (Some(&row[..]), Some(&row[..]));
                let inputs = Inputs {
                    classification,
                    regression,
                    picture: None,
                };
                for head in [Head::Classification, Head::Regression] {
                    let slot = slot_of(head);
                    let error = network.run(head.into(), &inputs).expect_err("not finite");
                    assert_eq!(error, RunError::NotFinite { slot, feature });
                }
            }
        }
        // Any finite reading is accepted, however large.
        for most in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45] {
            let inputs = Inputs {
                classification: Some(&[most, -most]),
                regression: Some(&[most, -most]),
                picture: None,
            };
            let heads = HeadSet::from(Head::Classification).with(Head::Regression);
            let outputs = network.run(heads, &inputs).expect("finite");
            assert!(outputs.regression().expect("asked for").is_finite());
            assert!(outputs.classification().expect("asked for")[0].is_finite());
        }
    });
}

#[test]
fn inputs_of_the_wrong_length_are_refused() {
    with_network(&tiny::tiny(), |network| {
        for found in [0, 1, 3, 64] {
            let row = vec![0.0; found];
            let inputs = Inputs {
                classification: Some(&row),
                regression: Some(&row),
                picture: None,
            };
            for head in [Head::Classification, Head::Regression] {
                let (slot, expected) = (slot_of(head), 2);
                let error = network.run(head.into(), &inputs).expect_err("wrong length");
                assert_eq!(error, RunError::InputLen { slot, expected, found });
            }
        }
        for found in [0, 47, 49] {
            let picture = vec![0; found];
            let inputs = Inputs {
                picture: Some(&picture),
                ..Inputs::default()
            };
            let (slot, expected) = (InputSlot::Picture, 48);
            let error = network
                .run(Head::Segmentation.into(), &inputs)
                .expect_err("wrong length");
            assert_eq!(error, RunError::InputLen { slot, expected, found });
        }
    });
}

#[test]
fn missing_inputs_are_refused() {
    with_network(&tiny::tiny(), |network| {
        for head in Head::ALL {
            let slot = slot_of(head);
            let error = network
                .run(head.into(), &Inputs::default())
                .expect_err("nothing to read");
            assert_eq!(error, RunError::MissingInput { slot });
        }
    });
}

#[test]
fn heads_that_a_model_lacks_are_refused() {
    with_network(&tiny::minimal(), |network| {
        assert_eq!(network.heads(), Head::Regression.into());
        let inputs = Inputs {
            regression: Some(&[0.25]),
            ..Inputs::default()
        };
        for head in [Head::Classification, Head::Segmentation] {
            let error = network
                .run(HeadSet::from(head).with(Head::Regression), &inputs)
                .expect_err("no such head");
            assert_eq!(error, RunError::NoSuchHead { head });
        }
        let value = network
            .run(Head::Regression.into(), &inputs)
            .expect("runs")
            .regression();
        assert_eq!(value, Some(1.5));
    });
}

#[test]
fn after_a_failed_run_there_are_no_outputs() {
    with_network(&tiny::tiny(), |network| {
        let nothing = [None, None, None];
        assert_eq!(answers(network), nothing);
        let picture = tiny::picture();
        let good = tiny::inputs(&picture);
        network.run(HeadSet::ALL, &good).expect("runs");
        assert_ne!(answers(network), nothing);
        let bad = Inputs {
            regression: Some(&[0.0, f32::NAN]),
            ..good
        };
        network.run(HeadSet::ALL, &bad).expect_err("not finite");
        assert_eq!(answers(network), nothing);
        network.run(HeadSet::ALL, &good).expect("the network stays usable");
        assert_ne!(answers(network), nothing);
    });
}

/// The self-test names the head whose answer differs.
#[test]
fn a_wrong_golden_vector_fails_the_self_test() {
    let differs = |head| Err(SelfTestError::Differs { vector: 0, head });
    let self_test = |builder: &Builder| with_network(builder, |network| network.self_test());
    assert_eq!(self_test(&tiny::tiny()), Ok(()));

    let mut builder = tiny::tiny();
    let probability = builder.golden[0].probabilities.offset as usize;
    builder.parameters[probability] ^= 1;
    assert_eq!(self_test(&builder), differs(Head::Classification));

    let mut builder = tiny::tiny();
    builder.golden[0].probabilities.len = 0;
    assert_eq!(self_test(&builder), differs(Head::Classification));

    for crc in [None, Some(0)] {
        let mut builder = tiny::tiny();
        builder.golden[0].logits_crc = crc;
        assert_eq!(self_test(&builder), differs(Head::Segmentation));
    }
    for bits in [None, Some(0)] {
        let mut builder = tiny::tiny();
        builder.golden[0].value_bits = bits;
        assert_eq!(self_test(&builder), differs(Head::Regression));
    }

    let mut builder = tiny::tiny();
    let reading = builder.golden[0].inputs[0].offset as usize;
    builder.parameters[reading..reading + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let (slot, feature) = (InputSlot::Classification, 0);
    assert_eq!(
        self_test(&builder),
        Err(SelfTestError::Run(RunError::NotFinite { slot, feature }))
    );
}

#[test]
fn a_blob_tells_what_it_holds() {
    let packed = tiny::tiny().pack();
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    assert_eq!(blob.header().sequence, 7);
    assert_eq!(blob.header().total_len as usize, packed.bytes().len());
    let input = blob.input(InputSlot::Classification).expect("has one");
    assert_eq!(input.names.iter().collect::<Vec<_>>(), ["width", "alpha"]);
    let head = blob.head(Head::Segmentation).expect("has one");
    assert_eq!(
        (head.name, head.classes.iter().collect::<Vec<_>>()),
        ("ground", vec!["soil", "plant"])
    );
    let metrics: Vec<(&str, f32)> = blob.metadata().provenance.metrics.iter().collect();
    assert_eq!(metrics, [("accuracy", 0.875)]);
}
