//! `sweep.svg`: figures against costs, a row of panels per head and one for whole models, a column per cost.
//!
//! Grey points are trained, blue ones lie on the front, red ones are finalists; the line joins what no other point of its panel
//! beats. A dashed line is the budget. Everything drawn stands in [`Report`].

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::series::DashedLineSeries;

use super::SweepError;
use super::cost::{Budgets, Cost};
use super::report::Report;

/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (400, 280);
/// Height of the line above all panels, in pixels.
const TITLE: u32 = 56;
/// Share of the range that is left free around the points.
const MARGIN: f64 = 0.08;

const FRONT: RGBColor = RGBColor(31, 96, 180);
const FINALIST: RGBColor = RGBColor(200, 60, 40);
const TRAINED: RGBColor = RGBColor(150, 150, 150);

/// One point of a row of panels.
struct Point {
    cost: Cost,
    figure: f64,
    front: bool,
    finalist: bool,
}

/// One row of panels.
struct Row {
    title: String,
    figure: String,
    points: Vec<Point>,
    /// Whether budgets are drawn: they bind whole models.
    budgets: bool,
}

/// One column of panels.
struct Column {
    title: String,
    cost: fn(&Cost) -> f64,
    budget: fn(&Budgets) -> Option<u64>,
}

/// The picture, as SVG.
///
/// # Errors
/// If the plotting library fails.
pub fn picture(report: &Report) -> Result<String, SweepError> {
    let columns = columns(report);
    let rows = rows(report);
    let size = (PANEL.0 * columns.len() as u32, TITLE + PANEL.1 * rows.len() as u32);
    let mut svg = String::new();
    draw(&mut svg, size, report, &rows, &columns).map_err(|error| SweepError::Plot(error.to_string()))?;
    Ok(svg)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(svg: &mut String, size: (u32, u32), report: &Report, rows: &[Row], columns: &[Column]) -> Drawn {
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, panels) = root.split_vertically(TITLE);
    let font = ("sans-serif", 15).into_font();
    let share = (report.epochs_share * 100.0).round();
    let title = format!("Validation figures after {share} % of the epochs: higher and further left is better");
    top.draw(&Text::new(title, (16, 12), font.clone().color(&BLACK)))?;
    let mut x = 16;
    for (colour, words) in [(TRAINED, "trained"), (FRONT, "on the front"), (FINALIST, "finalist")] {
        top.draw(&Circle::new((x + 4, 43), 4, colour.filled()))?;
        top.draw(&Text::new(
            words,
            (x + 14, 36),
            ("sans-serif", 13).into_font().color(&BLACK),
        ))?;
        x += 110;
    }
    let areas = panels.split_evenly((rows.len(), columns.len()));
    for (index, area) in areas.iter().enumerate() {
        let (row, column) = (&rows[index / columns.len()], &columns[index % columns.len()]);
        panel(area, row, column, &report.budgets)?;
    }
    root.present()?;
    Ok(())
}

fn panel(area: &DrawingArea<SVGBackend<'_>, Shift>, row: &Row, column: &Column, budgets: &Budgets) -> Drawn {
    let budget = (column.budget)(budgets)
        .filter(|_| row.budgets)
        .map(|budget| budget as f64);
    let costs = row.points.iter().map(|point| (column.cost)(&point.cost)).chain(budget);
    let (x, y) = (range(costs), range(row.points.iter().map(|point| point.figure)));
    let mut chart = ChartBuilder::on(area)
        .caption(&row.title, ("sans-serif", 14))
        .margin(12)
        .margin_right(24)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .x_labels(5)
        .y_labels(6)
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_label_formatter(&|x| thousands(*x))
        .y_label_formatter(&|y| format!("{y:.3}"))
        .x_desc(&column.title)
        .y_desc(&row.figure)
        .draw()?;
    if let Some(budget) = budget {
        let line = [(budget, y.start), (budget, y.end)];
        chart.draw_series(DashedLineSeries::new(line, 6, 4, BLACK.stroke_width(1)))?;
    }
    chart.draw_series(LineSeries::new(staircase(row, column), FRONT.mix(0.6).stroke_width(1)))?;
    let dots = row.points.iter().map(|point| {
        let colour = match point {
            Point { finalist: true, .. } => FINALIST,
            Point { front: true, .. } => FRONT,
            _ => TRAINED,
        };
        Circle::new(((column.cost)(&point.cost), point.figure), 4, colour.filled())
    });
    chart.draw_series(dots)?;
    Ok(())
}

/// Corners of the line that joins what no other point of the panel beats.
fn staircase(row: &Row, column: &Column) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = row
        .points
        .iter()
        .map(|point| ((column.cost)(&point.cost), point.figure))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (cost, figure) in points {
        match corners.last() {
            Some(&(_, best)) if figure <= best => {}
            Some(&(_, best)) => corners.extend([(cost, best), (cost, figure)]),
            None => corners.push((cost, figure)),
        }
    }
    corners
}

fn columns(report: &Report) -> [Column; 3] {
    let work = match report.board {
        Some(board) => format!("instructions on {board}"),
        None => "multiplications".to_owned(),
    };
    [
        Column {
            title: "flash, bytes of the blob".to_owned(),
            cost: |cost| cost.blob_bytes as f64,
            budget: |budgets| budgets.flash_bytes,
        },
        Column {
            title: "arena, bytes".to_owned(),
            cost: |cost| cost.arena_bytes as f64,
            budget: |budgets| budgets.arena_bytes,
        },
        Column {
            title: work,
            cost: |cost| cost.work() as f64,
            budget: |budgets| budgets.instructions,
        },
    ]
}

fn rows(report: &Report) -> Vec<Row> {
    let one_head = report.heads.len() == 1;
    let mut rows: Vec<Row> = report
        .heads
        .iter()
        .map(|head| Row {
            title: head.head.to_owned(),
            figure: head.figure.to_owned(),
            points: head
                .candidates
                .iter()
                .filter_map(|candidate| {
                    let named = |name: Option<&String>| name == Some(&candidate.name);
                    let mut finalists = report.models.iter().filter(|model| model.finalist.is_some());
                    Some(Point {
                        cost: candidate.cost,
                        figure: candidate.validation?,
                        front: candidate.front,
                        finalist: finalists.any(|model| named(model.candidates.get(head.head))),
                    })
                })
                .collect(),
            budgets: one_head,
        })
        .collect();
    if !one_head {
        rows.push(Row {
            title: "whole models".to_owned(),
            figure: "mean of the figures".to_owned(),
            points: report
                .models
                .iter()
                .map(|model| Point {
                    cost: model.cost,
                    figure: model.score,
                    front: model.front,
                    finalist: model.finalist.is_some(),
                })
                .collect(),
            budgets: true,
        });
    }
    rows
}

/// From the least to the largest number, with some room.
fn range(numbers: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (least, most) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), number| {
        (least.min(number), most.max(number))
    });
    if least > most {
        return 0.0..1.0;
    }
    let room = if most > least {
        (most - least) * MARGIN
    } else {
        most.abs().max(1.0) * MARGIN
    };
    least - room..most + room
}

/// 12,345 as 12.3 k.
fn thousands(number: f64) -> String {
    match number.abs() {
        size if size >= 1e6 => format!("{:.2} M", number / 1e6),
        size if size >= 1e4 => format!("{:.0} k", number / 1e3),
        size if size >= 1e3 => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(blob_bytes: u64, figure: f64) -> Point {
        Point {
            cost: Cost {
                blob_bytes,
                arena_bytes: 1,
                macs: 1,
                instructions: None,
                parameters: 1,
            },
            figure,
            front: false,
            finalist: false,
        }
    }

    #[test]
    fn the_line_rises_where_a_dearer_point_is_better() {
        let row = Row {
            title: String::new(),
            figure: String::new(),
            points: vec![point(3, 0.9), point(1, 0.5), point(2, 0.4), point(3, 0.7)],
            budgets: false,
        };
        let column = Column {
            title: String::new(),
            cost: |cost| cost.blob_bytes as f64,
            budget: |_| None,
        };
        assert_eq!(staircase(&row, &column), [(1.0, 0.5), (3.0, 0.5), (3.0, 0.9)]);
    }

    #[test]
    fn a_range_holds_every_number() {
        let around = range([2.0, 4.0].into_iter());
        assert!(around.start < 2.0 && around.end > 4.0);
        assert!(!range(std::iter::once(5.0)).is_empty() && !range(std::iter::empty()).is_empty());
        assert_eq!(
            [999.0, 1_500.0, 23_456.0, 1_234_567.0].map(thousands),
            ["999", "1.5 k", "23 k", "1.23 M"]
        );
    }
}
