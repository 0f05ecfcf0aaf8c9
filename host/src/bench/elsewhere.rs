//! What others reach on W1 to W4, measured in November 2026 on an emulated Cortex-M4F, `mps2-an386`.
//!
//! int8 throughout, weights and inputs uniformly random, an int8 sigmoid at the end. Instructions are counted as here, cycles
//! modelled from every executed instruction by ARM's published timings without wait states; nothing was measured on silicon.
//! CMSIS-NN is the version in the tree of TensorFlow Lite Micro of that month, C, `-O3`, DSP path.

use serde::Serialize;

/// On what.
pub const CORE: &str = "Cortex-M4F";

/// When.
pub const MEASURED: &str = "2026-11";

/// One engine on one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The workload.
    pub workload: &'static str,
    /// The engine.
    pub engine: &'static str,
    /// Instructions of one inference.
    pub instructions: u64,
    /// Modelled cycles of one inference; some were not modelled.
    pub modelled_cycles: Option<u64>,
}

const fn figures(
    workload: &'static str,
    engine: &'static str,
    instructions: u64,
    modelled_cycles: Option<u64>,
) -> Elsewhere {
    Elsewhere {
        workload,
        engine,
        instructions,
        modelled_cycles,
    }
}

const CMSIS_NN: &str = "CMSIS-NN";
const TFLM_CMSIS_NN: &str = "TFLM + CMSIS-NN";
const TFLM: &str = "TFLM, reference kernels";

/// All of them, by workload.
pub const FIGURES: &[Elsewhere] = &[
    figures("W1", CMSIS_NN, 10_742, Some(13_860)),
    figures("W1", TFLM_CMSIS_NN, 12_264, Some(16_372)),
    figures("W1", TFLM, 26_696, None),
    figures("W2", CMSIS_NN, 9_966, Some(12_924)),
    figures("W2", TFLM_CMSIS_NN, 11_477, Some(15_481)),
    figures("W2", TFLM, 24_382, None),
    figures("W3", CMSIS_NN, 22_830_000, Some(28_610_000)),
    figures("W3", TFLM_CMSIS_NN, 23_940_000, Some(29_970_000)),
    figures("W3", TFLM, 93_920_000, None),
    figures("W4", CMSIS_NN, 3_503_000, Some(4_539_000)),
    figures("W4", TFLM_CMSIS_NN, 4_705_000, Some(6_054_000)),
    figures("W4", TFLM, 12_330_000, None),
];
