//! Scores where a sample has several classes: at once, or one for each token or pixel.

use std::ops::Range;

use super::{AccuracyError, class_output, numbers, per_sample, shape_changed, too_few_labels};
use crate::inputs::{Labels, Tensor};
use crate::record::{ElementScores, ElementUnit, Hits, Overlap, RightOf, SeveralScores};

/// Classes that are counted one by one; what lies beyond counts as one more.
const MOST_CLASSES: u64 = 1 << 20;

/// How an output says which class it predicts for each element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Predicts {
    /// By one score for each class, along this axis.
    Scores(usize),
    /// By the class itself.
    Class,
    /// By a score of the second of two classes, from this value on.
    From(f64),
}

#[derive(Debug)]
pub(super) struct ElementScorer {
    labels: Labels,
    predicts: Predicts,
    pub(super) scores: ElementScores,
}

impl ElementScorer {
    pub(super) fn new(labels: Labels, output: &str, predicts: Predicts) -> Self {
        let unit = if labels.of_sample().len() < 2 {
            ElementUnit::Token
        } else {
            ElementUnit::Pixel
        };
        let class_axis = match predicts {
            Predicts::Scores(axis) => Some(axis as u64),
            Predicts::Class | Predicts::From(_) => None,
        };
        let output = output.to_owned();
        let scores = ElementScores {
            output: output.into(),
            unit,
            class_axis,
            samples: Vec::new(),
            classes: Vec::new(),
        };
        ElementScorer {
            labels,
            predicts,
            scores,
        }
    }

    pub(super) fn add(
        &mut self,
        outputs: &[Tensor],
        samples: Range<usize>,
    ) -> Result<(), AccuracyError> {
        let labels = self
            .labels
            .rows(samples.clone())
            .and_then(|labels| numbers(&labels))
            .ok_or_else(|| too_few_labels(self.labels.len(), &samples))?;
        let output = class_output(outputs, self.scores.output.exact())?;
        let predicted = predicted(output, self.predicts);
        if predicted.len() != labels.len() {
            return Err(shape_changed(output, samples.len()));
        }
        let elements = (labels.len() / samples.len().max(1)).max(1);
        for (labels, predicted) in labels
            .chunks_exact(elements)
            .zip(predicted.chunks_exact(elements))
        {
            self.add_sample(labels, predicted);
        }
        Ok(())
    }

    fn add_sample(&mut self, labels: &[f64], predicted: &[Option<u64>]) {
        let mut found = RightOf {
            right_count: 0,
            elements_count: 0,
        };
        for (&label, &predicted) in labels
            .iter()
            .zip(predicted)
            .filter(|(label, _)| **label >= 0.0)
        {
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
        if classes.len() <= place {
            classes.resize(place + 1, Overlap::default());
        }
        &mut classes[place]
    }
}

/// The predicted class of each element, in the elements' order; absent where a score is not a
/// number.
fn predicted(output: &Tensor, predicts: Predicts) -> Vec<Option<u64>> {
    let elements = numbers(&output.data).unwrap_or_default();
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
    let (before, after) = shape.split_at(axis);
    let (outer, classes) = (before.iter().product::<usize>(), after[0]);
    let inner: usize = after[1..].iter().product();
    (0..outer * inner)
        .map(|at| {
            let first = at / inner * classes * inner + at % inner;
            best((0..classes).map(|class| scores[first + class * inner]))
        })
        .collect()
}

/// The class of the highest score, the first of equals; absent where a score is not a number.
fn best(scores: impl Iterator<Item = f64>) -> Option<u64> {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, score) in scores.enumerate() {
        if score.is_nan() {
            return None;
        }
        if score > best.1 {
            best = (class as u64, score);
        }
    }
    Some(best.0)
}

#[derive(Debug)]
pub(super) struct SeveralScorer {
    labels: Labels,
    pub(super) scores: SeveralScores,
}

impl SeveralScorer {
    pub(super) fn new(labels: Labels, output: &str, threshold: f64) -> Self {
        let classes_count = labels.of_sample().iter().product::<usize>() as u64;
        let scores = SeveralScores {
            output: output.to_owned().into(),
            classes_count,
            threshold,
            samples: Vec::new(),
        };
        SeveralScorer { labels, scores }
    }

    pub(super) fn add(
        &mut self,
        outputs: &[Tensor],
        samples: Range<usize>,
    ) -> Result<(), AccuracyError> {
        let labels = self
            .labels
            .rows(samples.clone())
            .ok_or_else(|| too_few_labels(self.labels.len(), &samples))?;
        let output = class_output(outputs, self.scores.output.exact())?;
        let classes = self.scores.classes_count as usize;
        if per_sample(&output.data, samples.len()) != Some(classes) {
            return Err(shape_changed(output, samples.len()));
        }
        let (labels, scores) = (
            numbers(&labels).unwrap_or_default(),
            numbers(&output.data).unwrap_or_default(),
        );
        let rows = labels
            .chunks_exact(classes)
            .zip(scores.chunks_exact(classes));
        self.scores
            .samples
            .extend(rows.map(|(labels, scores)| hits(labels, scores, self.scores.threshold)));
        Ok(())
    }
}

fn hits(labels: &[f64], scores: &[f64], threshold: f64) -> Hits {
    let mut hits = Hits::default();
    for (&label, &score) in labels.iter().zip(scores) {
        let is_true = label == 1.0;
        // A score that is no number is wrong whatever the label.
        let is_predicted = if score.is_nan() {
            !is_true
        } else {
            score > threshold
        };
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
