//! Scores of a classifier.

use std::ops::Range;

use super::{AccuracyError, Batch, Result, best, integers, numbers};
use crate::inputs::{ClassNames, Tensor, TensorData};
use crate::record::LabelledScores;

/// How an output says which class it predicts.
#[derive(Debug)]
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
    pub(super) fn new(labels: Vec<i64>, names: ClassNames, output: &Tensor, says: Says) -> Self {
        let classes_count = match says {
            Says::Scores(classes_count) => Some(classes_count as u64),
            Says::Probability => Some(2),
            Says::Number | Says::Word(_) => None,
        };
        ClassScorer {
            labels,
            names,
            says,
            scores: LabelledScores {
                output: output.name.as_str().into(),
                classes_count,
                ..LabelledScores::default()
            },
        }
    }

    pub(super) fn add(&mut self, batch: &Batch<'_>) -> Result<()> {
        if batch.samples.end > self.labels.len() {
            return Err(batch.too_few_labels(self.labels.len()));
        }
        let output = batch.class_output(self.scores.output.exact())?;
        let elements = match self.says {
            Says::Scores(classes_count) => classes_count,
            Says::Number | Says::Word(_) | Says::Probability => 1,
        };
        if batch.per_sample(output) != Some(elements) {
            return Err(batch.shape_changed(output));
        }
        let (data, samples) = (&output.data, batch.samples.clone());
        match &self.says {
            Says::Scores(_) => self.add_scores(samples, data, elements),
            Says::Number => self.add_classes(samples, self.names.places(data)),
            Says::Word(words) => self.add_classes(samples, places_of_words(data, words)),
            Says::Probability => {
                self.add_probabilities(samples, data);
                Ok(())
            }
        }
    }

    fn add_scores(
        &mut self,
        samples: Range<usize>,
        data: &TensorData,
        classes_count: usize,
    ) -> Result<()> {
        let elements = numbers(data);
        for (sample, scores) in samples.zip(elements.chunks_exact(classes_count)) {
            let label = self.labels[sample];
            if !(0..classes_count as i64).contains(&label) {
                let (output, count) = (self.output(), classes_count as u64);
                return Err(AccuracyError::LabelOutOfRange(label, sample, output, count));
            }
            let predicted = best(scores.iter().copied());
            self.add_sample(predicted, predicted.map(|_| rank(scores, label as usize)));
        }
        Ok(())
    }

    fn add_classes(&mut self, samples: Range<usize>, classes: Vec<i128>) -> Result<()> {
        for (sample, class) in samples.zip(classes) {
            let predicted = u64::try_from(class)
                .map_err(|_| AccuracyError::NegativeClass(self.output(), class, sample))?;
            let is_right = class == i128::from(self.labels[sample]);
            self.add_sample(Some(predicted), is_right.then_some(0));
        }
        Ok(())
    }

    fn add_probabilities(&mut self, samples: Range<usize>, data: &TensorData) {
        for (sample, probability) in samples.zip(numbers(data)) {
            let label = i128::from(self.labels[sample]);
            let predicted = (!probability.is_nan()).then_some(u64::from(probability > BOUND));
            let rank = predicted.map(|class| u64::from(i128::from(class) != label));
            self.add_sample(predicted, rank);
        }
    }

    fn output(&self) -> String {
        self.scores.output.exact().to_owned()
    }

    fn add_sample(&mut self, predicted: Option<u64>, label_rank: Option<u64>) {
        self.scores.predicted.push(predicted);
        self.scores.label_ranks.push(label_rank);
    }
}

impl ClassNames {
    /// Predicted classes as places among the classes that the file has; as they are where it has no
    /// such one.
    fn places(&self, data: &TensorData) -> Vec<i128> {
        let mut classes = integers(data).unwrap_or_default();
        if classes.iter().all(|&class| i64::try_from(class).is_ok()) {
            for class in &mut classes {
                let mut known = self.numbers.iter();
                let place = known.position(|&number| i128::from(number) == *class);
                *class = place.map_or(*class, |place| place as i128);
            }
        }
        classes
    }
}

/// Predicted words as places among `words`; any other word comes after them all.
fn places_of_words(data: &TensorData, words: &[String]) -> Vec<i128> {
    let mut places = Vec::new();
    if let TensorData::String(predicted) = data {
        for word in predicted {
            let place = words.iter().position(|known| known == word);
            places.push(place.unwrap_or(words.len()) as i128);
        }
    }
    places
}

/// Probability from which on the second of two classes is predicted, and any one of several.
pub(super) const BOUND: f64 = 0.5;

/// How many classes stand before `class`: 0 exactly if it is the first highest.
fn rank(scores: &[f64], class: usize) -> u64 {
    let before = (0..scores.len())
        .filter(|&other| (scores[other], class) > (scores[class], other))
        .count();
    before as u64
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

    fn score(labels: &[i64], batches: &[Vec<Tensor>]) -> Result<LabelledScores> {
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
