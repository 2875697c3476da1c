//! Scores of a classifier.

use std::ops::Range;

use super::AccuracyError;
use super::error::no_output;
use super::numbers::{classes, integers, is_float, is_integer, numbers, per_sample};
use crate::inputs::{Tensor, TensorData};
use crate::record::{LabelledScores, Scores};

/// Scores of one output against class labels, as [`Scorer`](super::Scorer) has them.
#[derive(Debug)]
pub(super) struct ClassScorer {
    labels: Vec<i64>,
    scores: Option<LabelledScores>,
}

impl ClassScorer {
    pub(super) fn new(labels: Vec<i64>) -> Self {
        ClassScorer { labels, scores: None }
    }

    pub(super) fn add(&mut self, outputs: &[Tensor], samples: Range<usize>) -> Result<(), AccuracyError> {
        let labels = self
            .labels
            .get(samples.clone())
            .ok_or(AccuracyError::TooFewLabels { has: self.labels.len(), sample: samples.end.saturating_sub(1) })?;
        let scores = match &mut self.scores {
            Some(scores) => scores,
            empty => empty.insert(choose(outputs, samples.len())?),
        };
        let output = outputs.iter().find(|output| output.name == scores.output);
        let data = &output.ok_or_else(|| no_output("classes", outputs))?.data;
        let elements = scores.classes_count.unwrap_or(1) as usize;
        if per_sample(data, samples.len()) != Some(elements) {
            let (output, shape) = (scores.output.clone(), data.shape().to_vec());
            return Err(AccuracyError::ShapeChanged { output, shape, samples_count: samples.len() });
        }
        match scores.classes_count {
            Some(_) => add_scores(scores, data, labels, samples.start),
            None => add_indices(scores, data, labels, samples.start),
        }
    }

    pub(super) fn finish(self) -> Option<Scores> {
        self.scores.map(Scores::Classification)
    }
}

fn choose(outputs: &[Tensor], samples_count: usize) -> Result<LabelledScores, AccuracyError> {
    let chosen = |output: &Tensor, classes_count: Option<u64>| LabelledScores {
        output: output.name.clone(),
        classes_count,
        predicted: Vec::new(),
        label_ranks: Vec::new(),
    };
    for output in outputs {
        if let Some(classes_count) = classes(&output.data, samples_count) {
            return Ok(chosen(output, Some(classes_count as u64)));
        }
    }
    let mut one_each = outputs.iter().filter(|output| per_sample(&output.data, samples_count) == Some(1));
    if let Some(output) = one_each.clone().find(|output| is_integer(&output.data)) {
        return Ok(chosen(output, None));
    }
    Err(match one_each.find(|output| is_float(&output.data)) {
        Some(output) => AccuracyError::OneScore { output: output.name.clone() },
        None => no_output("classes", outputs),
    })
}

/// Adds samples of an output with one score per class.
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
            scores.predicted.push(Some(first_highest(sample) as u64));
            scores.label_ranks.push(Some(rank(sample, true_class) as u64));
        }
    }
    Ok(())
}

/// Adds samples of an output that gives the predicted class alone.
fn add_indices(
    scores: &mut LabelledScores,
    data: &TensorData,
    labels: &[i64],
    first_sample: usize,
) -> Result<(), AccuracyError> {
    for (index, (&label, class)) in labels.iter().zip(integers(data).unwrap_or_default()).enumerate() {
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

/// The index of the highest score, the first of equals, as ONNX `ArgMax` has it.
pub(super) fn first_highest(scores: &[f64]) -> usize {
    let mut highest = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[highest] {
            highest = index;
        }
    }
    highest
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
    use half::bf16;
    use ndarray::{ArrayD, IxDyn};

    fn score(labels: &[i64], batches: &[Vec<Tensor>]) -> Result<LabelledScores, AccuracyError> {
        let mut scorer = ClassScorer::new(labels.to_vec());
        let mut next = 0;
        for batch in batches {
            let count = batch[0].data.shape()[0];
            scorer.add(batch, next..next + count)?;
            next += count;
        }
        match scorer.finish() {
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
            assert_eq!(error, AccuracyError::OneScore { output: "p".to_owned() });
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
