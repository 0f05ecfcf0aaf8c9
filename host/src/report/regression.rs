//! How a number was predicted: against the truth, its residuals, and the rows that were missed by most.

use serde::Serialize;

use super::histogram::Histogram;
use super::thin::thin;
use crate::data::RegressionData;

/// How many rows are told one by one.
const WORST: usize = 10;

/// What the regression head is worth on the test rows.
#[derive(Clone, Debug, Serialize)]
pub struct Regression {
    /// The target's name, which usually tells its unit.
    pub target: String,
    /// Names of the readings.
    pub features: Vec<String>,
    /// Test rows.
    pub rows: usize,
    /// Whether `int8` is absent from every row.
    pub float_only: bool,
    /// Test rows that are drawn: all, or those missed by most and others evenly spread.
    pub points: Vec<Row>,
    /// Predicted less true, over all test rows, by the model that ships.
    pub residuals: Histogram,
    /// The rows that the model that ships misses by most, worst first.
    pub worst: Vec<WorstRow>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its number in the data, counted from 0.
    pub row: usize,
    /// The truth.
    pub truth: f32,
    /// What the float model says.
    pub float: f32,
    /// What the int8 model says, if there is one.
    pub int8: Option<f32>,
}

/// One row with what it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorstRow {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// Its readings.
    pub readings: Vec<f32>,
}

impl Row {
    /// What the model that ships says: int8 if there is one.
    pub fn shipped(&self) -> f64 {
        f64::from(self.int8.unwrap_or(self.float))
    }

    /// Predicted less true.
    pub fn residual(&self) -> f64 {
        self.shipped() - f64::from(self.truth)
    }
}

impl Regression {
    /// What those predictions say about rows of the data.
    pub fn new(data: &RegressionData, rows: &[usize], float: &[f32], int8: Option<&[f32]>) -> Self {
        let row = |(place, &row): (usize, &usize)| Row {
            row,
            truth: data.targets[row],
            float: float[place],
            int8: int8.map(|int8| int8[place]),
        };
        let all: Vec<Row> = rows.iter().enumerate().map(row).collect();
        let mut order: Vec<&Row> = all.iter().collect();
        order.sort_by(|a, b| b.residual().abs().total_cmp(&a.residual().abs()));
        let worst = order.iter().take(WORST).map(|&&row| WorstRow {
            row,
            readings: data.readings.row(row.row).to_vec(),
        });
        let residuals: Vec<f64> = all.iter().map(Row::residual).collect();
        Self {
            target: data.target.clone(),
            features: data.readings.features.clone(),
            rows: rows.len(),
            float_only: int8.is_none(),
            residuals: Histogram::new(&residuals),
            worst: worst.collect(),
            points: thin(all.len(), |index| residuals[index].abs())
                .into_iter()
                .map(|index| all[index])
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Readings;

    #[test]
    fn the_worst_row_comes_first() {
        let data = RegressionData {
            readings: Readings {
                features: vec!["x".into()],
                values: vec![10.0, 11.0, 12.0, 13.0],
            },
            target: "y".into(),
            targets: vec![0.0, 1.0, 2.0, 3.0],
            split: Default::default(),
        };
        let regression = Regression::new(&data, &[1, 3, 2], &[1.0, 3.0, 2.0], Some(&[1.5, 1.0, 2.25]));
        let worst: Vec<_> = regression
            .worst
            .iter()
            .map(|row| (row.row.row, row.row.residual(), row.readings[0]))
            .collect();
        assert_eq!(worst, [(3, -2.0, 13.0), (1, 0.5, 11.0), (2, 0.25, 12.0)]);
        assert_eq!(regression.points.len(), 3);
    }
}
