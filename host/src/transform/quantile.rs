//! The normal quantile of a rank.

/// At how many values a quantile table is exact, at most.
pub(super) const KNOTS: usize = 63;

/// Values and the normal quantiles of their ranks, both strictly ascending, at up to [`KNOTS`] of the training values, the least and
/// the greatest among them. Equal values share the middle of their ranks.
pub(super) fn knots(sorted: &[f32]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let mut knots: Vec<(f64, f64)> = Vec::new();
    for pick in 0..KNOTS {
        let value = sorted[pick * (n - 1) / (KNOTS - 1)];
        if knots.last().is_some_and(|&(last, _)| last == f64::from(value)) {
            continue;
        }
        let below = sorted.partition_point(|&other| other < value);
        let up_to = sorted.partition_point(|&other| other <= value);
        let rank = (below + up_to) as f64 / (2 * n) as f64;
        knots.push((value.into(), normal_quantile(rank)));
    }
    knots
}

/// The `x` below which a standard normal variable lies with probability `p`, `0 < p < 1`; relative error below 1.2e-9.
///
/// Source of the rational approximations: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution
/// function", 2003.
fn normal_quantile(p: f64) -> f64 {
    const CENTRE: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const CENTRE_BELOW: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const TAIL: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const TAIL_BELOW: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL_SHARE: f64 = 0.02425;
    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |share: f64| {
        let x = (-2.0 * share.ln()).sqrt();
        polynomial(&TAIL, x) / polynomial(&TAIL_BELOW, x)
    };
    if p < TAIL_SHARE {
        tail(p)
    } else if p > 1.0 - TAIL_SHARE {
        -tail(1.0 - p)
    } else {
        let x = p - 0.5;
        x * polynomial(&CENTRE, x * x) / polynomial(&CENTRE_BELOW, x * x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_published_ones() {
        let published = [
            (0.5, 0.0),
            (0.841_344_746_068_543, 1.0),
            (0.975, 1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_813),
            (1e-4, -3.719_016_485_455_68),
            (1e-9, -5.997_807_015_007_69),
        ];
        for (p, x) in published {
            assert!((normal_quantile(p) - x).abs() < 1e-8, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn ties_share_the_middle_of_their_ranks() {
        let knots = knots(&[1.0, 2.0, 2.0, 3.0]);
        assert_eq!(knots.iter().map(|knot| knot.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
        assert!(knots[1].1.abs() < 1e-12);
        assert!((knots[0].1 + knots[2].1).abs() < 1e-12);
    }
}
