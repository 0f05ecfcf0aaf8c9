//! The three heads in a user's own firmware: no request loop, no slots, a model linked into the image.
//!
//! Built for the host it is an empty program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

// The board's interrupts. A crate for your microcontroller brings them, or `cortex-m-rt` without its feature `device`.
#[cfg(target_os = "none")]
#[path = "../src/start/vectors.rs"]
mod vectors;

#[cfg(target_os = "none")]
mod device {
    use cortex_m as _; // the critical section that defmt asks for
    use cortex_m_rt::entry;
    use defmt::{info, unwrap};
    use defmt_semihosting as _;
    use trident::{Blob, HeadSet, Inputs, Network};

    #[repr(C, align(16))]
    struct Aligned<T: ?Sized>(T);
    static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../tests/golden/edge.tri"));

    #[entry]
    fn main() -> ! {
        static mut ARENA: Aligned<[u8; 20 * 1024]> = Aligned([0; 20 * 1024]);
        let blob = unwrap!(Blob::new_checked(&MODEL.0).ok(), "the blob is damaged");
        let mut network = unwrap!(Network::load(blob, &mut ARENA.0).ok(), "the model does not fit");
        unwrap!(network.self_test().ok(), "this device computes otherwise");

        let (shower, picture) = (
            [28.7967, 16.0021, 2.6449, 0.3918, 0.1982, 27.7, 22.0, -8.2, 40.1, 81.9],
            [90; 3072],
        );
        let airfoil = [800.0, 0.0, 0.3048, 71.3, 0.00266337];
        let inputs = Inputs {
            classification: Some(&shower),
            picture: Some(&picture),
            regression: Some(&airfoil),
        };
        let outputs = unwrap!(network.run(HeadSet::ALL, &inputs).ok(), "an input does not fit");
        let weeds = unwrap!(outputs.segmentation())
            .classes()
            .filter(|&class| class == 0)
            .count();
        info!("gamma with probability {=f32}", unwrap!(outputs.classification())[0]);
        info!("{=usize} weed pixels, {=f32} dB", weeds, unwrap!(outputs.regression()));
        semihosting::process::exit(0)
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        semihosting::process::exit(1)
    }
}
