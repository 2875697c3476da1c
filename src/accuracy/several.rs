//! Scores where a sample may have several classes.

use std::ops::Range;

use super::AccuracyError;
use super::error::no_output;
use super::numbers::{numbers, per_sample};
use crate::inputs::{Labels, Tensor};
use crate::record::{Hits, SeveralScores};

#[derive(Debug)]
pub(super) struct SeveralScorer {
    labels: Labels,
    pub(super) scores: SeveralScores,
}

impl SeveralScorer {
    pub(super) fn new(labels: Labels, output: &str, threshold: f64) -> Self {
        let classes_count = labels.of_sample().iter().product::<usize>() as u64;
        let scores = SeveralScores { output: output.to_owned(), classes_count, threshold, samples: Vec::new() };
        SeveralScorer { labels, scores }
    }

    pub(super) fn add(&mut self, outputs: &[Tensor], samples: Range<usize>) -> Result<(), AccuracyError> {
        let too_few = AccuracyError::TooFewLabels { has: self.labels.len(), sample: samples.end.saturating_sub(1) };
        let labels = self.labels.rows(samples.clone()).ok_or(too_few)?;
        let output = outputs.iter().find(|output| output.name == self.scores.output);
        let output = output.ok_or_else(|| no_output("classes", outputs))?;
        let classes = self.scores.classes_count as usize;
        if per_sample(&output.data, samples.len()) != Some(classes) {
            let (output, shape) = (output.name.clone(), output.data.shape().to_vec());
            return Err(AccuracyError::ShapeChanged { output, shape, samples_count: samples.len() });
        }
        let (labels, scores) = (numbers(&labels).unwrap_or_default(), numbers(&output.data).unwrap_or_default());
        let rows = labels.chunks_exact(classes).zip(scores.chunks_exact(classes));
        self.scores.samples.extend(rows.map(|(labels, scores)| hits(labels, scores, self.scores.threshold)));
        Ok(())
    }
}

fn hits(labels: &[f64], scores: &[f64], threshold: f64) -> Hits {
    let mut hits = Hits::default();
    for (&label, &score) in labels.iter().zip(scores) {
        let is_true = label == 1.0;
        // A score that is no number is wrong whatever the label.
        let is_predicted = if score.is_nan() { !is_true } else { score > threshold };
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

    #[test]
    fn classes_are_counted_by_what_they_are_and_are_said_to_be() {
        let hits = hits(&[1.0, 1.0, 0.0, 0.0, 0.0], &[0.9, 0.2, 0.7, 0.1, f64::NAN], 0.5);
        assert_eq!(hits, Hits { both_count: 1, false_count: 2, missed_count: 1 });
    }
}
