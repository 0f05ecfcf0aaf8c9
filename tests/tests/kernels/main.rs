//! Each operator, step by step, equals the oracle: odd sizes, every window and border, extreme codes and weights; and so do those that
//! are faster ways to one result.

mod case;
mod linear;
mod pointwise;
mod steps;
mod windows;
