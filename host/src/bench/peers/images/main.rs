//! One workload, chosen by a feature, in a peer's engine.
#![no_std]
#![no_main]
#![allow(dead_code)] // each workload uses some of the layers

mod layers;
mod start;

#[cfg_attr(any(feature = "w1", feature = "w2"), path = "perceptron.rs")]
#[cfg_attr(feature = "w3", path = "w3.rs")]
#[cfg_attr(feature = "w4", path = "w4.rs")]
mod workload;

/// One inference. Its name is kept so that the tracer finds it.
#[unsafe(no_mangle)]
#[inline(never)]
fn trident_peer_run() {
    workload::run();
}

fn prepare() {
    workload::prepare();
}
