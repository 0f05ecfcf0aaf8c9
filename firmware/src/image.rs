//! The image from reset to the end of its link, and its statics.

// Linked for what it provides: the logger.
use defmt_semihosting as _;
use static_cell::ConstStaticCell;
use trident::slots::{Booted, Flash};

use crate::arena::Arena;
use crate::boards::{Board, Chosen};
use crate::boot;
use crate::faults;
use crate::footprint;
use crate::inputs::InputBuffers;
use crate::key::{self, PUBLIC_KEY};
use crate::semihosting::{Fifos, exit};
use crate::serve::{Ended, Identity, Server};
use crate::start;
use crate::watched::{Hooks, Watched};

type Inputs = InputBuffers<{ Chosen::PICTURE_LEN }>;

static ARENA: ConstStaticCell<Arena<{ Chosen::ARENA_LEN }>> = ConstStaticCell::new(Arena([0; Chosen::ARENA_LEN]));
static INPUTS: ConstStaticCell<Inputs> = ConstStaticCell::new(Inputs::new());

/// Exit status when the link failed; 0 when the host closed it.
const LINK_FAILED: i32 = 1;

/// Boots and serves. `received` is shown all bytes that come in, before the request loop has them.
pub fn run(received: fn(&[u8])) -> ! {
    defmt::info!("trident {=str} on {=str}", env!("CARGO_PKG_VERSION"), Chosen::NAME);
    key::log();
    let (mut link, counter) = Chosen::start();
    faults::start();
    let identity = Identity {
        board: Chosen::NAME,
        arena_capacity: Chosen::ARENA_LEN,
        image_len: footprint::image_len(),
        other_static_len: footprint::static_len() - Chosen::ARENA_LEN - size_of::<Inputs>(),
        stack_capacity: footprint::stack_capacity(),
        stack_high_water: footprint::stack_high_water,
        alive: faults::fed,
        faults: faults::told,
    };
    let hooks = Hooks {
        alive: faults::fed,
        received,
        answered: faults::answered,
    };
    let serve = |mut booted: Booted<'_, <<Chosen as Board>::Flash as Flash>::Rest<'_>>, costs| {
        faults::fed();
        let mut server = Server::new(identity, &mut booted, costs, &counter, INPUTS.take());
        match Fifos::open() {
            Some(mut fifos) => server.serve(&mut Watched::new(&mut fifos, hooks)).ok(),
            None => server.serve(&mut Watched::new(&mut link, hooks)).ok(),
        }
    };
    let mut flash = Chosen::flash();
    let ended = match faults::safe_state() {
        Some(reason) => boot::without_model(&mut flash, PUBLIC_KEY, reason, serve),
        None => boot::with_model(&mut flash, PUBLIC_KEY, &mut ARENA.take().0, &counter, serve),
    };
    match ended {
        Some(Ended::Restart) => {
            defmt::info!("restarting, as asked");
            start::reset()
        }
        Some(Ended::Closed) => exit(0),
        None => exit(LINK_FAILED),
    }
}
