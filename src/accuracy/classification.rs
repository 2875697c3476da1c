//! Scores of a classifier.

use std::ops::Range;

use super::{
    AccuracyError, class_output, highest, integers, numbers, per_sample, shape_changed,
    too_few_labels,
};
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
        let scores = LabelledScores {
            output: output.into(),
            classes_count,
            predicted: Vec::new(),
            label_ranks: Vec::new(),
        };
        ClassScorer {
            labels,
            names,
            says,
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
            .get(samples.clone())
            .ok_or_else(|| too_few_labels(self.labels.len(), &samples))?;
        let scores = &mut self.scores;
        let output = class_output(outputs, scores.output.exact())?;
        let data = &output.data;
        let elements = if let Says::Scores(classes_count) = self.says {
            classes_count
        } else {
            1
        };
        if per_sample(data, samples.len()) != Some(elements) {
            return Err(shape_changed(output, samples.len()));
        }
        match &self.says {
            Says::Scores(_) => add_scores(scores, data, labels, samples.start),
            Says::Number => add_indices(scores, &self.names.places(data), labels, samples.start),
            Says::Word(words) => {
                add_indices(scores, &places_of_words(data, words), labels, samples.start)
            }
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
        let narrow: Option<Vec<i64>> = classes
            .iter()
            .map(|&class| i64::try_from(class).ok())
            .collect();
        match narrow {
            Some(narrow) if !self.numbers.is_empty() => {
                narrow.into_iter().map(|class| self.place(class)).collect()
            }
            _ => classes,
        }
    }

    /// The place of a class, or the class itself where the file has no such one.
    fn place(&self, class: i64) -> i128 {
        let place = self.numbers.iter().position(|&known| known == class);
        place.map_or(i128::from(class), |place| place as i128)
    }
}

/// The place of a word among `words`; behind them all where it is none of them.
fn place_of_word(word: &str, words: &[String]) -> i128 {
    let place = words.iter().position(|known| known == word);
    place.unwrap_or(words.len()) as i128
}

/// Predicted words as places among `words`; any other word comes after them all.
fn places_of_words(data: &TensorData, words: &[String]) -> Vec<i128> {
    let TensorData::String(predicted) = data else {
        return Vec::new();
    };
    predicted
        .iter()
        .map(|word| place_of_word(word, words))
        .collect()
}

fn add_probabilities(scores: &mut LabelledScores, data: &TensorData, labels: &[i64]) {
    for (&label, probability) in labels.iter().zip(numbers(data).unwrap_or_default()) {
        let predicted = (!probability.is_nan()).then_some(u64::from(probability > BOUND));
        scores.predicted.push(predicted);
        scores
            .label_ranks
            .push(predicted.map(|class| u64::from(i128::from(class) != i128::from(label))));
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
    let samples = elements.chunks_exact(classes_count.max(1));
    for (index, (&label, sample)) in labels.iter().zip(samples).enumerate() {
        let true_class = usize::try_from(label)
            .ok()
            .filter(|&class| class < classes_count);
        let Some(true_class) = true_class else {
            return Err(AccuracyError::LabelOutOfRange(
                label,
                first_sample + index,
                scores.output.exact().to_owned(),
                classes_count as u64,
            ));
        };
        let (predicted, rank) = predicted(sample, true_class).unzip();
        scores.predicted.push(predicted);
        scores.label_ranks.push(rank);
    }
    Ok(())
}

/// The predicted class, and the rank of the true one; absent where a score is not a number.
fn predicted(sample: &[f64], true_class: usize) -> Option<(u64, u64)> {
    if sample.iter().any(|score| score.is_nan()) {
        return None;
    }
    highest(sample).map(|class| (class as u64, rank(sample, true_class) as u64))
}

fn add_indices(
    scores: &mut LabelledScores,
    classes: &[i128],
    labels: &[i64],
    first_sample: usize,
) -> Result<(), AccuracyError> {
    for (index, (&label, &class)) in labels.iter().zip(classes).enumerate() {
        let predicted = u64::try_from(class).map_err(|_| {
            AccuracyError::NegativeClass(
                scores.output.exact().to_owned(),
                class,
                first_sample + index,
            )
        })?;
        scores.predicted.push(Some(predicted));
        scores
            .label_ranks
            .push((class == i128::from(label)).then_some(0));
    }
    Ok(())
}

/// How many classes stand before `class`: 0 exactly if it is the first highest.
fn rank(scores: &[f64], class: usize) -> usize {
    let own = scores[class];
    scores
        .iter()
        .enumerate()
        .filter(|&(index, &score)| score > own || (score == own && index < class))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, shaped, tensor};
    use crate::accuracy::{Scorer, Truth};
    use crate::inputs::Labels;
    use crate::plan::Task;
    use crate::record::Scores;
    use half::bf16;

    fn score(labels: &[i64], batches: &[Vec<Tensor>]) -> Result<LabelledScores, AccuracyError> {
        let labels = Labels::new(int64("labels", &[labels.len()], labels).data);
        let mut scorer = Scorer::new(Some(Truth {
            labels,
            names: ClassNames::default(),
            task: Task::Classification,
        }));
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
        assert_eq!(
            (scores.output.exact(), scores.classes_count),
            ("y", Some(3))
        );
    }

    #[test]
    fn predictions_and_ranks_are_those_of_the_output() {
        let brain = shaped(&[1, 2], [0.25, 2.0].map(bf16::from_f32).to_vec());
        let rows = [f32::NAN, 1.0, f32::NEG_INFINITY, 1.0];
        for (labels, output, predicted, ranks, why) in [
            (
                &[0, 1, 2][..],
                float("y", &[3, 3], &[0.5; 9]),
                &[Some(0); 3][..],
                &[Some(0), Some(1), Some(2)][..],
                "equal",
            ),
            (
                &[1, 1],
                float("y", &[2, 2], &rows),
                &[None, Some(1)],
                &[None, Some(0)],
                "a NaN predicts nothing",
            ),
            (
                &[2],
                float("y", &[1, 3, 1, 1], &[0.0, 0.0, 4.0]),
                &[Some(2)],
                &[Some(0)],
                "dimensions of one",
            ),
            (
                &[1],
                tensor("y", TensorData::Bfloat16(brain)),
                &[Some(1)],
                &[Some(0)],
                "brain floats",
            ),
            (
                &[3, 1],
                int64("label", &[2], &[3, 2]),
                &[Some(3), Some(2)],
                &[Some(0), None],
                "indices are right or wrong",
            ),
        ] {
            let is_index = output.name == "label";
            let scores = score(labels, &[vec![output]]).unwrap();
            assert_eq!(
                (&scores.predicted[..], &scores.label_ranks[..]),
                (predicted, ranks),
                "{why}"
            );
            assert_eq!(scores.classes_count.is_none(), is_index, "{why}");
        }
    }

    #[test]
    fn scores_are_preferred_to_class_indices() {
        let outputs = vec![
            int64("label", &[2], &[0, 0]),
            float("probabilities", &[2, 2], &[0.1, 0.9, 0.1, 0.9]),
        ];
        assert_eq!(score(&[1, 1], &[outputs]).unwrap().output, "probabilities");
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
    fn what_cannot_be_scored_is_named() {
        let row = |width: usize| vec![float("y", &[1, width], &[0.0, 1.0, 0.0][..width])];
        for (labels, batches, message) in [
            (
                &[0, 1][..],
                vec![vec![float("boxes", &[2, 5, 4], &[0.0; 40])]],
                "no output can be scored as classes; the model has `boxes` (float [2, 5, 4])",
            ),
            (
                &[0, 2],
                vec![row(2), row(2)],
                "label 2 of sample 1 is not a class of output `y`, which has 2",
            ),
            (
                &[0],
                vec![vec![float("y", &[2, 2], &[0.0; 4])]],
                "there are labels or targets for 1 samples, but sample 1 was scored",
            ),
            (
                &[0, 0],
                vec![row(2), row(3)],
                "output `y` has shape [1, 3] for a batch of 1, unlike in the batches before",
            ),
            (
                &[0],
                vec![vec![int64("label", &[1], &[-1])]],
                "output `label` predicts class -1 for sample 0",
            ),
        ] {
            assert_eq!(score(labels, &batches).unwrap_err().to_string(), message);
        }
    }
}
