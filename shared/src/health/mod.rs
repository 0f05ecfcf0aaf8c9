//! Whether what a device reads is still what its model was trained on.

mod readings;

pub use readings::picture_means;
