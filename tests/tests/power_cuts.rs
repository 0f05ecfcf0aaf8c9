//! The power goes at every byte, and at every operation, of an update, from every state that a device can be in. Whatever is left, the
//! device boots with the old or the new weights, and the next update works.
//!
//! The flash is simulated and keeps the rules of NOR flash (`tests/src/flash.rs`); the code that boots and updates is the device's.
//! `TRIDENT_SOAK=1` cuts the update of `edge` in every state, else in some.

use std::collections::BTreeSet;
use std::thread;

use trident::slots::{Booted, FlashMap, Region, SlotId, Slots, Update, boot};
use trident::wire::CHUNK_LEN;
use trident_host::sign::renumbered;
use trident_tests::aligned::Aligned;
use trident_tests::flash::{Cut, Simulator, Tear};
use trident_tests::{golden, tiny};

/// Blobs of sequence numbers 1, 2, …, the same but for that.
struct Weights(Vec<Vec<u8>>);

impl Weights {
    fn of(blob: &[u8]) -> Self {
        Self((0..8).map(|number| renumbered(blob, number).expect("a blob")).collect())
    }

    fn number(&self, number: u32) -> &[u8] {
        &self.0[number as usize]
    }
}

/// A device: its flash, and all that is not lost when the power goes.
#[derive(Clone)]
struct Device<const BLOCK: usize> {
    flash: Simulator<BLOCK>,
    map: FlashMap,
}

impl<const BLOCK: usize> Device<BLOCK> {
    fn new(slot_len: usize, byte: Option<u8>) -> Self {
        let (slot_len, block) = (slot_len.next_multiple_of(BLOCK) as u32, BLOCK as u32);
        let region = |start, len| Region { start, len };
        let map = FlashMap {
            slots: [region(0, slot_len), region(slot_len, slot_len)],
            state: region(2 * slot_len, 4 * block),
        };
        let len = (2 * slot_len + 4 * block) as usize;
        let flash = byte.map_or_else(|| Simulator::erased(len), |byte| Simulator::holding(len, byte));
        Self { flash, map }
    }

    /// Boots, does `then`, and gives the sequence number of the weights that are served.
    fn boot(
        &mut self,
        then: impl FnOnce(&mut Booted<'_, <Simulator<BLOCK> as trident::slots::Flash>::Rest<'_>>),
    ) -> Option<u32> {
        let mut arena = Aligned::zeroed(64 << 10);
        let served = boot(
            &mut self.flash,
            self.map,
            None,
            arena.bytes_mut(),
            |_| (),
            |mut booted| {
                then(&mut booted);
                let model = booted.model.as_ref().ok()?;
                Some(model.network.blob().header().sequence)
            },
        );
        assert_eq!(self.flash.broken(), None, "a rule of NOR flash");
        served
    }

    /// Boots, takes an update as far as the power and `most` bytes go, and says what was served meanwhile.
    fn update(&mut self, blob: &[u8], most: usize) -> Option<u32> {
        self.boot(|booted| {
            let served = booted.model.as_ref().ok().map(|model| model.slot);
            let (slots, flash) = (&mut booted.slots, &mut booted.flash);
            let header = blob.first_chunk().expect("a header");
            let Ok(mut update) = Update::begin(slots, flash, served, header, 0) else {
                return;
            };
            for (number, chunk) in blob[..most.min(blob.len())].chunks(CHUNK_LEN).enumerate() {
                if update.write(flash, (number * CHUNK_LEN) as u32, chunk).is_err() {
                    return;
                }
            }
            if most >= blob.len() {
                // Refused only without power; what is booted next tells.
                let _ = update.finish(slots, flash, 64 << 10, || ());
            }
        })
    }
}

/// A state to start from, and the number of the weights that are served in it.
struct Start<const BLOCK: usize> {
    name: &'static str,
    device: Device<BLOCK>,
    old: Option<u32>,
}

/// Every state that the slots can be in: valid, invalid, half written, on trial; state unknown, blank or full.
fn starts<const BLOCK: usize>(weights: &Weights) -> Vec<Start<BLOCK>> {
    let slot_len = weights.number(1).len();
    let all = usize::MAX;
    let mut starts = Vec::new();
    let mut add = |name, old, device: &Device<BLOCK>| {
        let device = device.clone();
        starts.push(Start { name, device, old });
    };
    let blank = Device::<BLOCK>::new(slot_len, None);
    add("both slots empty", None, &blank);
    add("memory of zeros", None, &Device::new(slot_len, Some(0)));
    add("memory of noise", None, &Device::new(slot_len, Some(0x5a)));
    let factory = |slot: SlotId, byte| {
        let mut device = Device::<BLOCK>::new(slot_len, byte);
        let start = device.map.slot(slot).start;
        device.flash.place(start, weights.number(1));
        device
    };
    add("put into A by a programmer", Some(1), &factory(SlotId::A, None));
    add(
        "put into B by a programmer, the rest zeros",
        Some(1),
        &factory(SlotId::B, Some(0)),
    );
    let mut first = factory(SlotId::A, None);
    first.boot(|_| ());
    add("A confirmed, B empty", Some(1), &first);
    let mut garbage = first.clone();
    let b = garbage.map.slot(SlotId::B).start;
    garbage.flash.place(b, &vec![0xa5; slot_len]);
    add("A confirmed, B invalid", Some(1), &garbage);
    let mut half = first.clone();
    half.update(weights.number(2), slot_len / 2 / CHUNK_LEN * CHUNK_LEN);
    add("A confirmed, B half written", Some(1), &half);
    let mut pending = first.clone();
    pending.update(weights.number(2), all);
    add("A confirmed, B on trial", Some(2), &pending);
    let mut second = pending.clone();
    second.boot(|_| ());
    add("B confirmed, A the one before", Some(2), &second);
    let mut spoiled = second.clone();
    let b = spoiled.map.slot(SlotId::B).start + slot_len as u32 / 2;
    spoiled.flash.place(b, &[0; 16]);
    add("B confirmed but damaged, A the one before", Some(1), &spoiled);
    let begun = cut_when_begun(&pending);
    add("A confirmed, B failed on trial", Some(1), &begun);
    let mut worn = second.clone();
    for number in [3, 4, 5] {
        worn.update(weights.number(number), all);
        worn.boot(|_| ());
    }
    add("after five updates", Some(5), &worn);
    starts
}

/// The device after the power went when the trial had begun, and was not confirmed.
fn cut_when_begun<const BLOCK: usize>(pending: &Device<BLOCK>) -> Device<BLOCK> {
    let cut = |operation| {
        let mut device = pending.clone();
        device.flash.restart(Some(Cut::Operation(operation)));
        device.boot(|_| ());
        device.flash.restart(None);
        device
    };
    let has_begun = |device: &Device<BLOCK>| {
        let slots = Slots::open(&mut device.flash.clone(), device.map, None).expect("power");
        slots.state().trial.is_some_and(|trial| trial.begun)
    };
    let found = (1..20).map(cut).find(has_begun);
    found.expect("a trial is noted as begun before it is confirmed")
}

/// The update, and the boot that tries it.
fn whole<const BLOCK: usize>(device: &mut Device<BLOCK>, new: &[u8]) -> [Option<u32>; 2] {
    let meanwhile = device.update(new, usize::MAX);
    [meanwhile, device.boot(|_| ())]
}

/// One update, cut, and what is left of it. Gives how far it came.
fn cut_once<const BLOCK: usize>(start: &Start<BLOCK>, weights: &Weights, cut: Cut) -> Option<u32> {
    let said = |what: &str| format!("{}, {cut:?}: {what}", start.name);
    let mut device = start.device.clone();
    device.flash.restart(Some(cut));
    whole(&mut device, weights.number(6));
    assert!(device.flash.is_dark(), "{}", said("the cut was never reached"));
    device.flash.restart(None);
    let served = device.boot(|_| ());
    let expected = [start.old, Some(6)];
    // A trial that was running when the power went may have been given up for the weights before it.
    let given_up = start.name.contains("on trial") && served == Some(1);
    assert!(
        expected.contains(&served) || given_up,
        "{}",
        said(&format!("serves {served:?}"))
    );
    assert_eq!(device.boot(|_| ()), served, "{}", said("a second boot serves the same"));
    let next = weights.number(7);
    assert_eq!(
        whole(&mut device, next),
        [served, Some(7)],
        "{}",
        said("the next update")
    );
    assert_eq!(device.boot(|_| ()), Some(7), "{}", said("the next update stays"));
    served
}

/// Cuts at every one of `cuts`, on all cores; gives how many there were.
fn cut_at_all<const BLOCK: usize>(
    starts: &[Start<BLOCK>],
    weights: &Weights,
    cuts: impl Fn(&Device<BLOCK>) -> Vec<Cut> + Sync,
) -> usize {
    let mut count = 0;
    for start in starts {
        let mut uncut = start.device.clone();
        uncut.flash.restart(None);
        assert_eq!(
            whole(&mut uncut, weights.number(6)),
            [start.old, Some(6)],
            "{}",
            start.name
        );
        let cuts = cuts(&uncut);
        assert!(!cuts.is_empty());
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let outcomes: BTreeSet<Option<u32>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let mine = cuts.iter().skip(worker).step_by(threads);
                    scope.spawn(|| mine.map(|&cut| cut_once(start, weights, cut)).collect::<BTreeSet<_>>())
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("no failure"))
                .collect()
        });
        assert!(
            outcomes.contains(&Some(6)) && outcomes.contains(&start.old),
            "{}: {outcomes:?}",
            start.name
        );
        count += cuts.len();
    }
    count
}

#[test]
fn at_every_byte_of_an_update_of_a_small_blob() {
    let mut builder = tiny::minimal();
    // Several erase blocks long.
    builder.metrics = vec![("a figure of this model", 1.0); 58];
    let blob = builder.pack();
    assert!(blob.bytes().len() <= 2048, "{} bytes", blob.bytes().len());
    let weights = Weights::of(blob.bytes());
    let starts = starts::<512>(&weights);
    let count = cut_at_all(&starts, &weights, |uncut| {
        let steps = uncut_steps(uncut);
        [Tear::Clean, Tear::Ragged]
            .into_iter()
            .flat_map(|tear| (0..steps).map(move |step| Cut::Step(step, tear)))
            .collect()
    });
    println!(
        "{count} cuts at every byte of an update of {} bytes, from {} states",
        blob.bytes().len(),
        starts.len()
    );
}

fn uncut_steps<const BLOCK: usize>(device: &Device<BLOCK>) -> u64 {
    device.flash.steps()
}

#[test]
fn at_every_operation_of_an_update_of_edge() {
    let blob = std::fs::read(golden::workspace().join("tests/golden/edge.tri")).expect("the golden blob");
    let weights = Weights::of(&blob);
    let mut starts = starts::<4096>(&weights);
    if std::env::var_os("TRIDENT_SOAK").is_none() {
        starts.retain(|start| ["both slots empty", "B confirmed, A the one before"].contains(&start.name));
        assert_eq!(starts.len(), 2);
    }
    let count = cut_at_all(&starts, &weights, |uncut| {
        (0..uncut.flash.operations()).map(Cut::Operation).collect()
    });
    println!(
        "{count} cuts at every operation of an update of {} bytes, from {} states",
        blob.len(),
        starts.len()
    );
}
