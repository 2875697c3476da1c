//! Scores where a sample has several classes: at once, or one for each token or pixel.

use super::{Batch, Result, best, numbers};
use crate::inputs::{Labels, Tensor};
use crate::record::{ElementScores, ElementUnit, Hits, Overlap, RightOf, SeveralScores};

/// Classes that are counted one by one; what lies beyond counts as one more.
const MOST_CLASSES: u64 = 1 << 20;

/// How an output says which class it predicts for each element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Predicts {
    /// By one score for each class, along this axis.
    Scores(usize),
    /// By the class itself.
    Class,
    /// By a score of the second of two classes, from this value on.
    From(f64),
}

impl Predicts {
    fn class_axis(self) -> Option<u64> {
        match self {
            Predicts::Scores(axis) => Some(axis as u64),
            Predicts::Class | Predicts::From(_) => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct ElementScorer {
    labels: Labels,
    predicts: Predicts,
    pub(super) scores: ElementScores,
}

impl ElementScorer {
    pub(super) fn new(labels: &Labels, output: &Tensor, predicts: Predicts) -> Self {
        let unit = match labels.of_sample().len() {
            0 | 1 => ElementUnit::Token,
            _ => ElementUnit::Pixel,
        };
        ElementScorer {
            labels: labels.clone(),
            predicts,
            scores: ElementScores {
                output: output.name.as_str().into(),
                unit,
                class_axis: predicts.class_axis(),
                samples: Vec::new(),
                classes: Vec::new(),
            },
        }
    }

    pub(super) fn add(&mut self, batch: &Batch<'_>) -> Result<()> {
        let labels = batch.labels(&self.labels)?;
        let output = batch.class_output(self.scores.output.exact())?;
        let predicted = predicted(output, self.predicts);
        if predicted.len() != labels.len() {
            return Err(batch.shape_changed(output));
        }
        let elements = (labels.len() / batch.samples.len().max(1)).max(1);
        let predicted = predicted.chunks_exact(elements);
        for (labels, predicted) in labels.chunks_exact(elements).zip(predicted) {
            self.add_sample(labels, predicted);
        }
        Ok(())
    }

    fn add_sample(&mut self, labels: &[f64], predicted: &[Option<u64>]) {
        let mut found = RightOf::default();
        for (&label, &predicted) in labels.iter().zip(predicted) {
            if label < 0.0 {
                continue;
            }
            let label = label as u64;
            found.elements_count += 1;
            self.class(label).either_count += 1;
            if predicted == Some(label) {
                found.right_count += 1;
                self.class(label).both_count += 1;
            } else if let Some(predicted) = predicted {
                self.class(predicted).either_count += 1;
            }
        }
        self.scores.samples.push(found);
    }

    fn class(&mut self, class: u64) -> &mut Overlap {
        let classes = &mut self.scores.classes;
        let place = class.min(MOST_CLASSES) as usize;
        classes.resize(classes.len().max(place + 1), Overlap::default());
        &mut classes[place]
    }
}

/// The predicted class of each element, in the elements' order; absent where a score is not a
/// number.
fn predicted(output: &Tensor, predicts: Predicts) -> Vec<Option<u64>> {
    let elements = numbers(&output.data);
    match predicts {
        Predicts::Class => elements
            .iter()
            .map(|&class| (class >= 0.0).then_some(class as u64))
            .collect(),
        Predicts::From(bound) => elements
            .iter()
            .map(|&score| (!score.is_nan()).then_some(u64::from(score > bound)))
            .collect(),
        Predicts::Scores(axis) => highest_along(&elements, output.data.shape(), axis),
    }
}

/// The class of the highest score of each element, where an axis has a score for each class.
fn highest_along(scores: &[f64], shape: &[usize], axis: usize) -> Vec<Option<u64>> {
    let (outer, inner): (usize, usize) = (
        shape[..axis].iter().product(),
        shape[axis + 1..].iter().product(),
    );
    (0..outer * inner)
        .map(|at| {
            let first = at / inner * shape[axis] * inner + at % inner;
            let of_element = (0..shape[axis]).map(|class| scores[first + class * inner]);
            best(of_element)
        })
        .collect()
}

#[derive(Debug)]
pub(super) struct SeveralScorer {
    labels: Labels,
    pub(super) scores: SeveralScores,
}

impl SeveralScorer {
    pub(super) fn new(labels: &Labels, output: &Tensor, threshold: f64) -> Self {
        SeveralScorer {
            labels: labels.clone(),
            scores: SeveralScores {
                output: output.name.as_str().into(),
                classes_count: labels.of_sample().iter().product::<usize>() as u64,
                threshold,
                samples: Vec::new(),
            },
        }
    }

    pub(super) fn add(&mut self, batch: &Batch<'_>) -> Result<()> {
        let labels = batch.labels(&self.labels)?;
        let output = batch.class_output(self.scores.output.exact())?;
        let classes = self.scores.classes_count as usize;
        if batch.per_sample(output) != Some(classes) {
            return Err(batch.shape_changed(output));
        }
        let elements = numbers(&output.data);
        for (labels, scores) in labels
            .chunks_exact(classes)
            .zip(elements.chunks_exact(classes))
        {
            let hits = hits(labels, scores, self.scores.threshold);
            self.scores.samples.push(hits);
        }
        Ok(())
    }
}

fn hits(labels: &[f64], scores: &[f64], threshold: f64) -> Hits {
    let mut hits = Hits::default();
    for (&label, &score) in labels.iter().zip(scores) {
        let is_true = label == 1.0;
        // A score that is no number is wrong whatever the label.
        let is_predicted = score > threshold || (score.is_nan() && !is_true);
        match (is_true, is_predicted) {
            (true, true) => hits.both_count += 1,
            (false, true) => hits.false_count += 1,
            (true, false) => hits.missed_count += 1,
            (false, false) => {}
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::float;

    #[test]
    fn the_class_of_an_element_is_its_highest_score_along_the_axis() {
        // Two elements with three classes, the classes last and second.
        let last = float("o", &[1, 2, 3], &[0.0, 2.0, 1.0, 5.0, f32::NAN, 6.0]);
        assert_eq!(predicted(&last, Predicts::Scores(2)), [Some(1), None]);
        let second = float("o", &[1, 3, 2], &[0.0, 5.0, 2.0, 4.0, 1.0, 6.0]);
        assert_eq!(predicted(&second, Predicts::Scores(1)), [Some(1), Some(2)]);
        assert_eq!(predicted(&second, Predicts::From(3.0)).len(), 6);
    }

    #[test]
    fn classes_are_counted_by_what_they_are_and_are_said_to_be() {
        let hits = hits(
            &[1.0, 1.0, 0.0, 0.0, 0.0],
            &[0.9, 0.2, 0.7, 0.1, f64::NAN],
            0.5,
        );
        assert_eq!(
            hits,
            Hits {
                both_count: 1,
                false_count: 2,
                missed_count: 1
            }
        );
    }
}
