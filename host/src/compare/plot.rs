//! A comparison as an SVG: improvements with their intervals, and how far gradients agreed.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Comparison;
use super::interval::Mean;

/// Width and height of the drawing.
const SIZE: (u32, u32) = (1080, 460);
/// Colours of the ways to train, and of the pairs of heads (Okabe and Ito: told apart by every eye).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

type Area<'d> = DrawingArea<SVGBackend<'d>, Shift>;

/// Draws what was trained together.
///
/// # Errors
/// What plotters says, in words.
pub fn drawing(comparison: &Comparison) -> Result<String, String> {
    let mut svg = String::new();
    let words = |error: &dyn std::error::Error| error.to_string();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(|error| words(&error))?;
        let (left, right) = root.split_horizontally(560);
        improvements(&left, comparison).map_err(|error| words(&*error))?;
        cosines(&right, comparison).map_err(|error| words(&*error))?;
        root.present().map_err(|error| words(&error))?;
    }
    Ok(svg)
}

type Drawn<'d> = Result<(), Box<dyn std::error::Error + 'd>>;

fn improvements<'d>(area: &Area<'d>, comparison: &Comparison) -> Drawn<'d> {
    // A column per head and figure that Δp counts, and one for Δp; within it a bar per way.
    let mut columns: Vec<String> = Vec::new();
    let mut bars: Vec<(usize, usize, &Mean)> = Vec::new();
    for (way, joint) in comparison.joint.iter().enumerate() {
        let heads = joint.heads.iter().filter_map(|head| {
            let first = head.figures.first()?;
            let label = format!("{} {}", head.head, first.figure);
            Some((label, first.improvement_percent.as_ref()?))
        });
        let delta = joint.delta_p_percent.iter().map(|delta| ("Δp".to_owned(), delta));
        for (label, mean) in heads.chain(delta) {
            let column = columns.iter().position(|own| *own == label).unwrap_or_else(|| {
                columns.push(label);
                columns.len() - 1
            });
            bars.push((column, way, mean));
        }
    }
    let ends = bars
        .iter()
        .flat_map(|(_, _, mean)| mean.interval.unwrap_or([mean.mean; 2]));
    let (low, high) = ends.fold((-0.5f64, 0.5f64), |(low, high), end| (low.min(end), high.max(end)));
    let margin = 0.08 * (high - low);
    // Room above for the legend.
    let high = high + 0.28 * (high - low);
    let mut chart = ChartBuilder::on(area)
        .caption("Trained together, against alone", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.5..columns.len() as f64 - 0.5, low - margin..high + margin)?;
    let label = |x: &f64| {
        let column = x.round();
        let near = (x - column).abs() < 0.01 && column >= 0.0;
        columns
            .get(column as usize)
            .filter(|_| near)
            .cloned()
            .unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(columns.len() * 2 + 1)
        .x_label_formatter(&label)
        .y_label_formatter(&|y| format!("{:.1}", (y * 10.0).round() / 10.0 + 0.0))
        .y_desc("improvement in %, 95 % interval over seeds")
        .light_line_style(TRANSPARENT)
        .draw()?;
    let ways = comparison.joint.len() as f64;
    let line = BLACK.mix(0.6).stroke_width(1);
    chart.draw_series([PathElement::new(
        vec![(-0.5, 0.0), (columns.len() as f64 - 0.5, 0.0)],
        line,
    )])?;
    for (way, joint) in comparison.joint.iter().enumerate() {
        let colour = COLOURS[way % COLOURS.len()];
        let own = || bars.iter().filter(|(_, of, _)| *of == way);
        let at = |column: usize| column as f64 + 0.6 * ((way as f64 + 0.5) / ways - 0.5);
        let intervals = own().filter_map(|(column, _, mean)| {
            let [low, high] = mean.interval?;
            Some(ErrorBar::new_vertical(
                at(*column),
                low,
                mean.mean,
                high,
                colour.stroke_width(2),
                8,
            ))
        });
        chart.draw_series(intervals)?;
        chart
            .draw_series(own().map(|(column, _, mean)| Circle::new((at(*column), mean.mean), 4, colour.filled())))?
            .label(&joint.balancing)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend(&mut chart)?;
    Ok(())
}

fn cosines<'d>(area: &Area<'d>, comparison: &Comparison) -> Drawn<'d> {
    // Of the first way: the others change what is measured.
    let Some(joint) = comparison.joint.first() else {
        return Ok(());
    };
    let epochs = joint
        .cosines
        .iter()
        .flat_map(|pair| &pair.epochs)
        .map(|epoch| epoch.epoch)
        .max()
        .unwrap_or(1);
    let values = joint
        .cosines
        .iter()
        .flat_map(|pair| &pair.epochs)
        .map(|epoch| epoch.cosine.mean);
    let (low, high) = values.fold((-0.1f64, 0.1f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let margin = 0.08 * (high - low);
    let high = high + 0.28 * (high - low);
    let caption = format!("Cosine of gradients on shared weights ({})", joint.balancing);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(1.0..(epochs as f64).max(2.0), low - margin..high + margin)?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_labels(epochs.clamp(2, 10) as usize)
        .y_label_formatter(&|y| format!("{:.2}", (y * 100.0).round() / 100.0 + 0.0))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_desc("mean over seeds")
        .light_line_style(TRANSPARENT)
        .draw()?;
    let line = BLACK.mix(0.6).stroke_width(1);
    chart.draw_series([PathElement::new(
        vec![(1.0, 0.0), ((epochs as f64).max(2.0), 0.0)],
        line,
    )])?;
    for (index, pair) in joint.cosines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points = pair.epochs.iter().map(|epoch| (epoch.epoch as f64, epoch.cosine.mean));
        chart.draw_series(points.clone().map(|point| Circle::new(point, 2, colour.filled())))?;
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(pair.heads.join(" / "))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    legend(&mut chart)?;
    Ok(())
}

fn legend<'d, 'c, X: Ranged<ValueType = f64>, Y: Ranged<ValueType = f64>>(
    chart: &mut ChartContext<'c, SVGBackend<'d>, Cartesian2d<X, Y>>,
) -> Drawn<'d>
where
    'd: 'c,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.2))
        .draw()?;
    Ok(())
}
