//! Scores of a classifier.

use std::ops::Range;

use super::AccuracyError;
use super::differences::highest;
use super::error::no_output;
use super::numbers::{integers, numbers, per_sample};
use crate::inputs::{ClassNames, Tensor, TensorData};
use crate::record::LabelledScores;

/// How an output says which class it predicts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Says {
    /// By one score for each of so many classes.
    Scores(usize),
    /// By the class itself, as a number.
    Number,
    /// By the class itself, as one of these words.
    Word(Vec<String>),
    /// By the probability of the second of two classes.
    Probability,
}

#[derive(Debug)]
pub(super) struct ClassScorer {
    labels: Vec<i64>,
    names: ClassNames,
    says: Says,
    pub(super) scores: LabelledScores,
}

impl ClassScorer {
    pub(super) fn new(labels: Vec<i64>, names: ClassNames, output: &str, says: Says) -> Self {
        let classes_count = match says {
            Says::Scores(classes_count) => Some(classes_count as u64),
            Says::Probability => Some(2),
            Says::Number | Says::Word(_) => None,
        };
        let output = output.to_owned();
        let scores = LabelledScores { output, classes_count, predicted: Vec::new(), label_ranks: Vec::new() };
        ClassScorer { labels, names, says, scores }
    }

    pub(super) fn add(&mut self, outputs: &[Tensor], samples: Range<usize>) -> Result<(), AccuracyError> {
        let labels = self
            .labels
            .get(samples.clone())
            .ok_or(AccuracyError::TooFewLabels { has: self.labels.len(), sample: samples.end.saturating_sub(1) })?;
        let scores = &mut self.scores;
        let output = outputs.iter().find(|output| output.name == scores.output);
        let data = &output.ok_or_else(|| no_output("classes", outputs))?.data;
        let elements = if let Says::Scores(classes_count) = self.says { classes_count } else { 1 };
        if per_sample(data, samples.len()) != Some(elements) {
            let (output, shape) = (scores.output.clone(), data.shape().to_vec());
            return Err(AccuracyError::ShapeChanged { output, shape, samples_count: samples.len() });
        }
        match &self.says {
            Says::Scores(_) => add_scores(scores, data, labels, samples.start),
            Says::Number => add_indices(scores, &self.names.places(data), labels, samples.start),
            Says::Word(words) => add_indices(scores, &places_of_words(data, words), labels, samples.start),
            Says::Probability => {
                add_probabilities(scores, data, labels);
                Ok(())
            }
        }
    }
}

impl ClassNames {
    /// Predicted classes as places among the classes that the file has.
    fn places(&self, data: &TensorData) -> Vec<i128> {
        let classes = integers(data).unwrap_or_default();
        let narrow: Option<Vec<i64>> = classes.iter().map(|&class| i64::try_from(class).ok()).collect();
        match narrow {
            Some(narrow) if !self.numbers.is_empty() => {
                let place = |class: &i64| self.numbers.iter().position(|known| known == class);
                narrow.iter().map(|class| place(class).map_or(i128::from(*class), |place| place as i128)).collect()
            }
            _ => classes,
        }
    }
}

/// Predicted words as places among `words`; any other word comes after them all.
fn places_of_words(data: &TensorData, words: &[String]) -> Vec<i128> {
    let TensorData::String(predicted) = data else { return Vec::new() };
    let place = |word: &String| words.iter().position(|known| known == word).unwrap_or(words.len());
    predicted.iter().map(|word| place(word) as i128).collect()
}

fn add_probabilities(scores: &mut LabelledScores, data: &TensorData, labels: &[i64]) {
    for (&label, probability) in labels.iter().zip(numbers(data).unwrap_or_default()) {
        let predicted = (!probability.is_nan()).then_some(u64::from(probability > BOUND));
        scores.predicted.push(predicted);
        scores.label_ranks.push(predicted.map(|class| u64::from(i128::from(class) != i128::from(label))));
    }
}

/// Probability from which on the second of two classes is predicted, and any one of several.
pub(super) const BOUND: f64 = 0.5;

fn add_scores(
    scores: &mut LabelledScores,
    data: &TensorData,
    labels: &[i64],
    first_sample: usize,
) -> Result<(), AccuracyError> {
    let elements = numbers(data).unwrap_or_default();
    let classes_count = elements.len() / labels.len().max(1);
    for (index, (&label, sample)) in labels.iter().zip(elements.chunks_exact(classes_count.max(1))).enumerate() {
        let true_class = usize::try_from(label).ok().filter(|&class| class < classes_count).ok_or_else(|| {
            AccuracyError::LabelOutOfRange {
                label,
                sample: first_sample + index,
                output: scores.output.clone(),
                classes_count: classes_count as u64,
            }
        })?;
        if sample.iter().any(|score| score.is_nan()) {
            scores.predicted.push(None);
            scores.label_ranks.push(None);
        } else {
            scores.predicted.push(highest(sample).map(|class| class as u64));
            scores.label_ranks.push(Some(rank(sample, true_class) as u64));
        }
    }
    Ok(())
}

fn add_indices(
    scores: &mut LabelledScores,
    classes: &[i128],
    labels: &[i64],
    first_sample: usize,
) -> Result<(), AccuracyError> {
    for (index, (&label, &class)) in labels.iter().zip(classes).enumerate() {
        let predicted = u64::try_from(class).map_err(|_| AccuracyError::NegativeClass {
            output: scores.output.clone(),
            class,
            sample: first_sample + index,
        })?;
        scores.predicted.push(Some(predicted));
        scores.label_ranks.push((class == i128::from(label)).then_some(0));
    }
    Ok(())
}

/// How many classes stand before `class`: 0 exactly if it is the first highest.
fn rank(scores: &[f64], class: usize) -> usize {
    let before =
        |(index, score): &(usize, &f64)| **score > scores[class] || (**score == scores[class] && *index < class);
    scores.iter().enumerate().filter(before).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, tensor};
    use crate::accuracy::{Scorer, Truth};
    use crate::inputs::Labels;
    use crate::plan::Task;
    use crate::record::Scores;
    use half::bf16;
    use ndarray::{ArrayD, IxDyn};

    fn score(labels: &[i64], batches: &[Vec<Tensor>]) -> Result<LabelledScores, AccuracyError> {
        let labels = Labels::new(int64("labels", &[labels.len()], labels).data);
        let mut scorer = Scorer::new(Some(Truth { labels, names: ClassNames::default(), task: Task::Classification }));
        let mut next = 0;
        for batch in batches {
            let count = batch[0].data.shape()[0];
            scorer.add(batch, next, count)?;
            next += count;
        }
        match scorer.finish().0 {
            Some(Scores::Classification(scores)) => Ok(scores),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rank_of_the_label_is_counted_over_batches() {
        let full = vec![float("y", &[2, 3], &[0.1, 0.7, 0.2, 0.5, 0.3, 0.2])];
        let partial = vec![float("y", &[1, 3], &[9.0, 8.0, 7.0])];
        let scores = score(&[1, 2, 1], &[full, partial]).unwrap();
        assert_eq!(scores.predicted, [Some(1), Some(0), Some(0)]);
        assert_eq!(scores.label_ranks, [Some(0), Some(2), Some(1)]);
        assert_eq!((scores.output.as_str(), scores.classes_count), ("y", Some(3)));
    }

    #[test]
    fn equal_scores_go_to_the_first_class() {
        let scores = score(&[0, 1, 2], &[vec![float("y", &[3, 3], &[0.5; 9])]]).unwrap();
        assert_eq!(scores.predicted, [Some(0); 3]);
        assert_eq!(scores.label_ranks, [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn sample_with_a_nan_has_no_prediction() {
        let rows = [f32::NAN, 1.0, f32::NEG_INFINITY, 1.0];
        let scores = score(&[1, 1], &[vec![float("y", &[2, 2], &rows)]]).unwrap();
        assert_eq!(scores.predicted, [None, Some(1)]);
        assert_eq!(scores.label_ranks, [None, Some(0)]);
    }

    #[test]
    fn dimensions_of_one_are_no_obstacle() {
        let scores = score(&[2], &[vec![float("y", &[1, 3, 1, 1], &[0.0, 0.0, 4.0])]]).unwrap();
        assert_eq!(scores.predicted, [Some(2)]);
    }

    #[test]
    fn brain_floats_are_scored() {
        let row = [0.25, 2.0].map(bf16::from_f32).to_vec();
        let data = TensorData::Bfloat16(ArrayD::from_shape_vec(IxDyn(&[1, 2]), row).unwrap());
        assert_eq!(score(&[1], &[vec![tensor("y", data)]]).unwrap().predicted, [Some(1)]);
    }

    #[test]
    fn scores_are_preferred_to_class_indices() {
        let outputs = vec![int64("label", &[2], &[0, 0]), float("probabilities", &[2, 2], &[0.1, 0.9, 0.1, 0.9])];
        assert_eq!(score(&[1, 1], &[outputs]).unwrap().output, "probabilities");
    }

    #[test]
    fn class_indices_alone_are_right_or_wrong() {
        let scores = score(&[3, 1], &[vec![int64("label", &[2], &[3, 2])]]).unwrap();
        assert_eq!(scores.classes_count, None);
        assert_eq!(scores.predicted, [Some(3), Some(2)]);
        assert_eq!(scores.label_ranks, [Some(0), None]);
    }

    #[test]
    fn single_score_per_sample_is_refused_with_a_hint() {
        for shape in [&[2][..], &[2, 1]] {
            let error = score(&[0, 1], &[vec![float("p", shape, &[0.2, 0.8])]]).unwrap_err();
            assert_eq!(error, AccuracyError::OneScore("p".to_owned()));
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn outputs_without_classes_are_named() {
        let error = score(&[0, 1], &[vec![float("boxes", &[2, 5, 4], &[0.0; 40])]]).unwrap_err();
        assert_eq!(error.to_string(), "no output can be scored as classes; the model has `boxes` (float [2, 5, 4])");
    }

    #[test]
    fn label_that_is_no_class_names_its_sample() {
        let batch = |rows: &[f32]| vec![float("y", &[1, 2], rows)];
        let error = score(&[0, 2], &[batch(&[0.0, 1.0]), batch(&[0.0, 1.0])]).unwrap_err();
        assert_eq!(error.to_string(), "label 2 of sample 1 is not a class of output `y`, which has 2");
    }

    #[test]
    fn missing_labels_are_an_error() {
        let error = score(&[0], &[vec![float("y", &[2, 2], &[0.0; 4])]]).unwrap_err();
        assert_eq!(error, AccuracyError::TooFewLabels { has: 1, sample: 1 });
    }

    #[test]
    fn output_that_changes_its_classes_is_an_error() {
        let error = score(&[0, 0], &[vec![float("y", &[1, 2], &[0.0; 2])], vec![float("y", &[1, 3], &[0.0; 3])]]);
        assert!(matches!(error, Err(AccuracyError::ShapeChanged { .. })), "{error:?}");
    }

    #[test]
    fn negative_class_is_an_error() {
        let error = score(&[0], &[vec![int64("label", &[1], &[-1])]]).unwrap_err();
        assert_eq!(error.to_string(), "output `label` predicts class -1 for sample 0");
    }
}
