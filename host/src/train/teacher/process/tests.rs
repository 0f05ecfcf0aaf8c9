use super::*;

/// Two readings on a grid with jitter, and a smooth function of them with `noise`.
fn observations(count: usize, noise: f64) -> Observations {
    let number = |i: usize| ((i * 7919 + i * i * 31) % 1009) as f64 / 252.25 - 2.0;
    let points: Vec<f64> = (0..2 * count).map(number).collect();
    let targets = points
        .chunks(2)
        .enumerate()
        .map(|(i, point)| truth(point) + noise * number(i + 5_000) / 1.2);
    Observations {
        targets: targets.collect(),
        points,
    }
}

fn truth(point: &[f64]) -> f64 {
    (1.5 * point[0]).sin() * (0.5 * point[1]).cos()
}

fn fitted(observations: &Observations) -> Kernel {
    let mut fit = Fit::new(observations);
    let most = fit.steps_left();
    let mut steps = 1;
    loop {
        if let Some(kernel) = fit.step() {
            assert!(steps <= most, "{steps} of {most}");
            return kernel;
        }
        steps += 1;
    }
}

#[test]
fn three_observations_by_hand() {
    // Matérn alone, unit variance, no noise worth the name, points so far apart that they know nothing of each other: each
    // prediction is the value times the kernel.
    let component = |variance| Component {
        variance,
        lengths: vec![1.0],
    };
    let kernel = Kernel {
        matern: component(1.0),
        rbf: component(1e-300),
        noise: 1e-12,
    };
    let observations = Observations {
        points: vec![0.0, 100.0, 200.0],
        targets: vec![2.0, -1.0, 0.5],
    };
    let process = Process::new(kernel, observations).unwrap();
    let root = 3f64.sqrt();
    let near = (1.0 + root) * (-root).exp();
    let means = process.means(&[0.0, 1.0, 100.0, 199.0, 50.0]);
    for (mean, expected) in means.iter().zip([2.0, 2.0 * near, -1.0, 0.5 * near, 0.0]) {
        assert!((mean - expected).abs() < 1e-9, "{means:?}");
    }
}

#[test]
fn a_smooth_function_without_noise_is_found_between_its_observations() {
    let seen = observations(150, 0.0);
    let kernel = fitted(&seen);
    assert!(kernel.noise < 1e-4, "{kernel:?}");
    let process = Process::new(kernel, seen.clone()).unwrap();
    let between: Vec<f64> = (0..200).map(|i| ((i * 37) % 180) as f64 / 60.0 - 1.5).collect();
    for (point, mean) in between.chunks(2).zip(process.means(&between)) {
        assert!(
            (mean - truth(point)).abs() < 0.02,
            "{point:?}: {mean}, not {}",
            truth(point)
        );
    }
    for (target, mean) in seen.targets.iter().zip(process.means(&seen.points)) {
        assert!((mean - target).abs() < 5e-3);
    }
}

#[test]
fn noise_is_told_from_structure() {
    let seen = observations(300, 0.3);
    let kernel = fitted(&seen);
    let spread: f64 = seen
        .points
        .chunks(2)
        .zip(&seen.targets)
        .map(|(point, target)| (target - truth(point)).powi(2))
        .sum();
    let share = kernel.noise / (spread / 300.0);
    assert!((0.5..1.5).contains(&share), "{share}");
}

#[test]
fn a_second_stage_does_not_lose_what_the_first_found() {
    // Enough rows for a sketch; the end is likelier than its start by far, and an optimum within the bounds.
    let seen = observations(2 * SKETCHED + 1, 0.1);
    let kernel = fitted(&seen);
    let (likelihood, gradient) = seen.likelihood(&kernel).unwrap();
    let (start, _) = seen.likelihood(&Kernel::start(2)).unwrap();
    assert!(likelihood > start + 100.0, "{start} to {likelihood}");
    let slope = gradient.last().unwrap().abs();
    assert!(
        slope < 0.05 * seen.targets.len() as f64,
        "noise could still change: {slope}"
    );
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let seen = observations(500, 0.1);
    let ends = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut fit = Fit::new(&seen);
            (0..4).for_each(|_| assert!(fit.step().is_none()));
            let kernel = Kernel::of_logarithms(fit.ascent.numbers());
            let process = Process::new(kernel.clone(), seen.clone()).unwrap();
            (kernel, process.likelihood, process.means(&seen.points))
        })
    });
    assert!(ends[0] == ends[1] && ends[1] == ends[2]);
}

#[test]
fn observations_that_say_little_give_a_kernel_all_the_same() {
    // One point many times, with targets that disagree; and targets that are all the same.
    let twice = Observations {
        points: vec![0.5; 60],
        targets: (0..30).map(|i| f64::from(i % 3) - 1.0).collect(),
    };
    let flat = Observations {
        targets: vec![0.0; 100],
        ..observations(100, 0.0)
    };
    for seen in [twice, flat] {
        let kernel = fitted(&seen);
        let process = Process::new(kernel, seen.clone()).unwrap();
        assert!(process.means(&seen.points).iter().all(|mean| mean.abs() < 0.1));
    }
}
