//! From reset to a model that passed all checks, with a log and with counts of instructions.

use core::cell::Cell;

use defmt::Display2Format;
use trident::PublicKey;
use trident::slots::{self, Booted, Event, Flash};
use trident::wire::Text;

use crate::boards::{Board, Chosen};
use crate::counter::Counter;
use crate::faults;
use crate::serve::Costs;

/// Hands the best slot's model that passes all checks to `serve`, or the reason why there is none; [`slots::boot`] has the rules.
#[inline(never)]
pub fn with_model<F: Flash, R>(
    flash: &mut F,
    key: Option<PublicKey>,
    arena: &mut [u8],
    counter: &impl Counter,
    serve: impl FnOnce(Booted<'_, F::Rest<'_>>, Costs) -> R,
) -> R {
    let costs = Cell::new(Costs::default());
    let mut start = counter.mark();
    let observe = |event: Event<'_>| match event {
        Event::State(error) => defmt::error!("slot state: {}", Display2Format(error)),
        Event::Empty(slot) => defmt::info!("slot {}: empty", Display2Format(&slot)),
        Event::Checking(_) => start = counter.mark(),
        Event::Alive => faults::fed(),
        Event::Testing(_) => {
            let load_instructions = counter.since(start);
            costs.set(Costs {
                load_instructions,
                self_test_instructions: 0,
            });
            start = counter.mark();
        }
        Event::Refused(slot, stage, error) => defmt::warn!(
            "slot {}: {}: {}",
            Display2Format(&slot),
            Display2Format(&stage),
            Display2Format(error)
        ),
        Event::Passed(slot, network) => {
            let passed = Costs {
                self_test_instructions: counter.since(start),
                ..costs.get()
            };
            costs.set(passed);
            let blob = network.blob();
            let header = blob.header();
            defmt::info!(
                "slot {}: model {=u32}, {=u32} bytes, arena {=usize} bytes, loaded in {=u64} instructions, self-test passed in {=u64}",
                Display2Format(&slot),
                header.sequence,
                header.total_len,
                network.arena_len(),
                passed.load_instructions,
                passed.self_test_instructions,
            );
        }
    };
    slots::boot(flash, Chosen::MAP, key, arena, observe, |booted| {
        if let Err(none) = &booted.model {
            defmt::error!("no model: {=str}", none.reason.as_str());
        }
        serve(booted, costs.get())
    })
}

/// Serves without looking at any weights, for that reason: an update may still come.
#[inline(never)]
pub fn without_model<F: Flash, R>(
    flash: &mut F,
    key: Option<PublicKey>,
    reason: Text,
    serve: impl FnOnce(Booted<'_, F::Rest<'_>>, Costs) -> R,
) -> R {
    defmt::error!("no model: {=str}", reason.as_str());
    let observe = |event: Event<'_>| {
        if let Event::State(error) = event {
            defmt::error!("slot state: {}", Display2Format(error));
        }
    };
    slots::boot_without(flash, Chosen::MAP, key, reason, observe, |booted| {
        serve(booted, Costs::default())
    })
}
