//! What one head learns from its teachers: soft labels of its training rows, and of points between them.

/// Soft labels, `width` numbers each: a probability per class; the number, scaled as the head tells it; or planes of
/// probabilities, `[classes, h, w]`.
#[derive(Clone, Debug)]
pub(in crate::train) struct Lesson {
    width: usize,
    /// Of every row of the data, its place among the soft labels; `None` but for training rows.
    places: Vec<Option<usize>>,
    soft: Vec<f32>,
    fresh: Option<FreshPoints>,
}

/// Points between the training rows.
#[derive(Clone, Debug)]
pub(in crate::train) struct FreshPoints {
    /// `points × inputs` model inputs.
    pub inputs: Vec<f32>,
    /// `points × width` soft labels.
    pub soft: Vec<f32>,
    /// How many points.
    pub count: usize,
}

impl Lesson {
    /// `soft` holds the labels of these `rows`, of `all` rows that the data have; it is empty if points alone are labelled.
    pub fn new(all: usize, rows: &[usize], soft: Vec<f32>, fresh: Option<FreshPoints>) -> Self {
        let mut places = vec![None; all];
        for (place, &row) in rows.iter().enumerate() {
            places[row] = Some(place);
        }
        Self {
            width: soft.len() / rows.len(),
            places,
            soft,
            fresh,
        }
    }

    /// Whether training rows have soft labels, not points alone.
    pub fn labels_rows(&self) -> bool {
        !self.soft.is_empty()
    }

    /// The soft label of a training row; empty if points alone are labelled.
    ///
    /// # Panics
    /// If it is no training row.
    pub fn of_row(&self, row: usize) -> &[f32] {
        let place = self.places[row].expect("teachers label training rows alone");
        &self.soft[place * self.width..(place + 1) * self.width]
    }

    /// The same with the points' model inputs changed.
    pub fn stretched(&self, change: impl FnOnce(&mut [f32])) -> Self {
        let mut lesson = self.clone();
        if let Some(fresh) = &mut lesson.fresh {
            change(&mut fresh.inputs);
        }
        lesson
    }

    /// The points between training rows, if there are any.
    pub fn fresh(&self) -> Option<&FreshPoints> {
        self.fresh.as_ref()
    }
}

impl FreshPoints {
    /// Points of two sources.
    pub fn and(mut self, other: Self) -> Self {
        self.inputs.extend(other.inputs);
        self.soft.extend(other.soft);
        self.count += other.count;
        self
    }

    /// Model inputs of a point.
    pub fn inputs_of(&self, point: usize) -> &[f32] {
        let width = self.inputs.len() / self.count;
        &self.inputs[point * width..(point + 1) * width]
    }

    /// The soft label of a point.
    pub fn soft_of(&self, point: usize) -> &[f32] {
        let width = self.soft.len() / self.count;
        &self.soft[point * width..(point + 1) * width]
    }
}
