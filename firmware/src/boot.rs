//! From reset to a model that passed all checks: slot, blob, network, self-test, in this order.

use trident::wire::{SelfTest, Text, text};
use trident::{Blob, BlobError, Network};

use crate::counter::Counter;
use crate::serve::{Boot, Loaded};

/// Hands the first slot's model that passes all checks to `serve`, or the reason why there is none.
///
/// It calls `serve` instead of giving the model back because the model borrows the arena, which the next slot needs if this one
/// fails.
pub fn with_model<R>(
    slots: impl Iterator<Item = &'static [u8]>,
    arena: &mut [u8],
    counter: &impl Counter,
    serve: impl FnOnce(Boot<'_>) -> R,
) -> R {
    let mut fault: Option<(Text, SelfTest)> = None;
    for (index, slot) in slots.enumerate() {
        let failed = |stage: &str, error: &dyn core::fmt::Display| {
            defmt::warn!("slot {=usize}: {=str}: {}", index, stage, defmt::Display2Format(error));
            text(format_args!("slot {index}: {stage}: {error}"))
        };
        let start = counter.mark();
        let blob = match Blob::new_checked(slot) {
            Ok(blob) => blob,
            Err(BlobError::Magic {
                found: [0, 0, 0, 0] | [0xff, 0xff, 0xff, 0xff],
            }) => {
                defmt::info!("slot {=usize}: empty", index);
                continue;
            }
            Err(error) => {
                fault.get_or_insert((failed("blob", &error), SelfTest::NotRun));
                continue;
            }
        };
        let mut network = match Network::load(blob, arena) {
            Ok(network) => network,
            Err(error) => {
                fault.get_or_insert((failed("load", &error), SelfTest::NotRun));
                continue;
            }
        };
        let load_instructions = counter.since(start);
        let start = counter.mark();
        if let Err(error) = network.self_test() {
            fault.get_or_insert((failed("self-test", &error), SelfTest::Failed));
            continue;
        }
        let self_test_instructions = counter.since(start);
        defmt::info!(
            "slot {=usize}: model {=u32}, {=u32} bytes, arena {=usize} bytes, loaded in {=u64} instructions, self-test passed in {=u64}",
            index,
            blob.header().sequence,
            blob.header().total_len,
            network.arena_len(),
            load_instructions,
            self_test_instructions,
        );
        return serve(Boot::Serving(Loaded {
            network,
            load_instructions,
            self_test_instructions,
        }));
    }
    let (reason, self_test) = fault.unwrap_or_else(|| (text("every slot is empty"), SelfTest::NotRun));
    defmt::error!("no model: {=str}", reason.as_str());
    serve(Boot::NoModel { reason, self_test })
}
