//! Figures with intervals, from the scores that a record keeps.

mod elements;
mod sample_figure;

use std::collections::{BTreeMap, BTreeSet};

use crate::record::LabelledScores;
use crate::stats::Proportion;

pub use elements::{
    element_change, element_share, exact_flips, exact_match, mean_iou, micro_f1, micro_f1_change,
};
use sample_figure::check_alike;
pub use sample_figure::{Flips, NoFigure, SampleFigure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// From the absolute errors.
    MeanAbsolute,
    /// From the squared errors.
    RootMeanSquare,
}

impl ErrorKind {
    fn over(self, errors: &[f64], indices: &[usize]) -> f64 {
        let mean = indices.iter().map(|&index| errors[index]).sum::<f64>() / indices.len() as f64;
        match self {
            ErrorKind::MeanAbsolute => mean,
            ErrorKind::RootMeanSquare => mean.sqrt(),
        }
    }
}

/// A sample with scores that are not numbers counts as wrong.
pub fn top1(scores: &LabelledScores) -> Option<Proportion> {
    within(scores, 1)
}

/// `None` for an output without scores, and where there are no more than `k` classes, so that it
/// would always be 1.
pub fn top_k(scores: &LabelledScores, k: u64) -> Option<Proportion> {
    scores
        .classes_count
        .filter(|&classes_count| classes_count > k)?;
    within(scores, k)
}

fn within(scores: &LabelledScores, k: u64) -> Option<Proportion> {
    Proportion::new(
        scores
            .label_ranks
            .iter()
            .filter(|rank| rank.is_some_and(|rank| rank < k))
            .count() as u64,
        scores.label_ranks.len() as u64,
    )
}

/// The mean of `2 TP / (2 TP + FP + FN)` over the classes that occur as a label or a prediction (as
/// scikit-learn's `f1_score` has it). A sample with scores that are not numbers is a miss of its
/// class; labels beyond the samples do not count, and with fewer of them there is no figure.
pub fn macro_f1(scores: &LabelledScores, labels: &[i64], seed: u64) -> Option<SampleFigure> {
    let labels = labels_of(scores, labels)?;
    let pairs = Pairs::numbered(&[scores], labels).remove(0);
    Some(SampleFigure::over(labels.len(), seed, |indices| {
        pairs.f1(indices)
    }))
}

/// Of that figure from baseline to candidate, paired on the same samples.
pub fn macro_f1_change(
    baseline: &LabelledScores,
    candidate: &LabelledScores,
    labels: &[i64],
    seed: u64,
) -> Option<Result<SampleFigure, NoFigure>> {
    if let Err(unlike) = check_alike(baseline.predicted.len(), candidate.predicted.len()) {
        return Some(Err(unlike));
    }
    let labels = labels_of(baseline, labels)?;
    let pairs = Pairs::numbered(&[baseline, candidate], labels);
    Some(Ok(SampleFigure::over(labels.len(), seed, |indices| {
        pairs[1].f1(indices) - pairs[0].f1(indices)
    })))
}

/// One for each sample, where there are any.
fn labels_of<'l>(scores: &LabelledScores, labels: &'l [i64]) -> Option<&'l [i64]> {
    labels
        .get(..scores.predicted.len())
        .filter(|labels| !labels.is_empty())
}

/// Label and prediction of each sample, as numbers of the classes that occur.
struct Pairs {
    pairs: Vec<(usize, Option<usize>)>,
    classes_count: usize,
}

impl Pairs {
    /// Of several that were scored on the same samples, in one numbering.
    fn numbered(all: &[&LabelledScores], labels: &[i64]) -> Vec<Self> {
        let predictions = all
            .iter()
            .flat_map(|scores| scores.predicted.iter().flatten());
        let classes: BTreeSet<i128> = labels
            .iter()
            .map(|&label| i128::from(label))
            .chain(predictions.map(|&class| i128::from(class)))
            .collect();
        let numbered: BTreeMap<i128, usize> = classes.into_iter().zip(0..).collect();
        all.iter()
            .map(|scores| Pairs {
                pairs: labels
                    .iter()
                    .zip(&scores.predicted)
                    .map(|(&label, predicted)| {
                        let predicted = predicted.map(|class| numbered[&i128::from(class)]);
                        (numbered[&i128::from(label)], predicted)
                    })
                    .collect(),
                classes_count: numbered.len(),
            })
            .collect()
    }

    fn f1(&self, indices: &[usize]) -> f64 {
        f1_over(&self.pairs, self.classes_count, indices)
    }
}

/// Over the classes that occur in the samples at `indices`.
fn f1_over(pairs: &[(usize, Option<usize>)], classes_count: usize, indices: &[usize]) -> f64 {
    let mut hits = vec![0_u64; classes_count];
    // Occurrences as a label plus those as a prediction: 2 TP + FP + FN.
    let mut occurrences = vec![0_u64; classes_count];
    for &index in indices {
        let (label, predicted) = pairs[index];
        occurrences[label] += 1;
        if let Some(predicted) = predicted {
            occurrences[predicted] += 1;
            hits[label] += u64::from(predicted == label);
        }
    }
    let f1: Vec<f64> = (hits
        .iter()
        .zip(&occurrences)
        .filter(|(_, occurrences)| **occurrences > 0))
    .map(|(&hits, &occurrences)| 2.0 * hits as f64 / occurrences as f64)
    .collect();
    f1.iter().sum::<f64>() / f1.len() as f64
}

/// Samples that flipped between a label among the first five and not; a sample with scores that are
/// not numbers counts as wrong.
pub fn top5_flips(
    baseline: &LabelledScores,
    candidate: &LabelledScores,
) -> Result<Flips, NoFigure> {
    Flips::of(&baseline.label_ranks, &candidate.label_ranks, |rank| {
        rank.is_some_and(|rank| rank < 5)
    })
}

/// A sample with scores that are not numbers counts as wrong.
pub fn flips(baseline: &LabelledScores, candidate: &LabelledScores) -> Result<Flips, NoFigure> {
    Flips::of(&baseline.label_ranks, &candidate.label_ranks, |rank| {
        *rank == Some(0)
    })
}

/// From each sample's absolute or squared errors.
pub fn mean_error(
    kind: ErrorKind,
    errors: &[Option<f64>],
    seed: u64,
) -> Result<SampleFigure, NoFigure> {
    let errors = finite(errors)?;
    Ok(SampleFigure::over(errors.len(), seed, |indices| {
        kind.over(&errors, indices)
    }))
}

/// Candidate less baseline, paired on the same samples.
pub fn error_change(
    kind: ErrorKind,
    baseline: &[Option<f64>],
    candidate: &[Option<f64>],
    seed: u64,
) -> Result<SampleFigure, NoFigure> {
    check_alike(baseline.len(), candidate.len())?;
    let (baseline, candidate) = (finite(baseline)?, finite(candidate)?);
    Ok(SampleFigure::over(baseline.len(), seed, |indices| {
        kind.over(&candidate, indices) - kind.over(&baseline, indices)
    }))
}

fn finite(errors: &[Option<f64>]) -> Result<Vec<f64>, NoFigure> {
    let finite: Vec<f64> = errors.iter().flatten().copied().collect();
    match errors.len() - finite.len() {
        _ if errors.is_empty() => Err(NoFigure::NoSamples),
        0 => Ok(finite),
        count => Err(NoFigure::NotFinite {
            count: count as u64,
            n: errors.len() as u64,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Interval, PairedCounts};

    fn scores(
        classes_count: u64,
        predicted: &[Option<u64>],
        label_ranks: &[Option<u64>],
    ) -> LabelledScores {
        LabelledScores {
            output: "y".into(),
            classes_count: Some(classes_count),
            predicted: predicted.to_vec(),
            label_ranks: label_ranks.to_vec(),
        }
    }

    fn powers(power: i32) -> Vec<Option<f64>> {
        (1..=10)
            .map(|error| Some(f64::from(error).powi(power)))
            .collect()
    }

    #[test]
    fn samples_without_numbers_are_wrong_and_too_few_classes_have_no_top_k() {
        let missing = scores(3, &[], &[Some(0), None, Some(1)]);
        assert_eq!(top1(&missing), Proportion::new(1, 3));
        assert_eq!(top_k(&missing, 2), Proportion::new(2, 3));
        let with_scores = scores(5, &[], &[Some(0)]);
        assert_eq!(top_k(&with_scores, 5), None);
        let class_alone = LabelledScores {
            classes_count: None,
            ..with_scores
        };
        assert_eq!(top_k(&class_alone, 2), None);
        assert_eq!(top1(&class_alone), Proportion::new(1, 1));
        assert_eq!(top1(&scores(2, &[], &[])), None);
    }

    #[test]
    fn macro_f1_is_the_hand_computed_one_and_1_where_all_is_right() {
        for (predicted, labels, value, why) in [
            (
                &[0, 2, 1, 0, 0, 1].map(Some)[..],
                &[0, 1, 2, 0, 1, 2][..],
                0.8 / 3.0,
                "F1 0.8, 0, 0",
            ),
            (
                &[Some(0), None, Some(1)],
                &[0, 0, 1],
                (2.0 / 3.0 + 1.0) / 2.0,
                "no number is a miss: 2 / (2 + 1), 2 / 2",
            ),
            (&[Some(0)], &[0, 1], 1.0, "the second sample was not scored"),
        ] {
            let figure = macro_f1(&scores(3, predicted, &[]), labels, 1).unwrap();
            assert!((figure.value - value).abs() < 1e-12, "{why}: {figure:?}");
            assert_eq!(figure.n, predicted.len() as u64, "{why}");
            let too_few = format!("needs 10 samples, has {}", figure.n);
            assert_eq!(figure.interval.unwrap_err().to_string(), too_few, "{why}");
        }
        assert_eq!(
            macro_f1(&scores(2, &[Some(0), Some(1)], &[]), &[0], 1),
            None,
            "a label is missing"
        );
        let figure = macro_f1(
            &scores(3, &[[0, 1, 2].map(Some); 10].concat(), &[]),
            &[[0, 1, 2]; 10].concat(),
            1,
        )
        .unwrap();

        let expected = SampleFigure {
            value: 1.0,
            interval: Ok(Interval::between(1.0, 1.0)),
            n: 30,
        };
        assert_eq!(figure, expected);
    }

    #[test]
    fn change_of_macro_f1_is_the_difference_of_both_on_the_same_samples() {
        let labels = [[0, 1, 2]; 10].concat();
        let right = scores(3, &[[0, 1, 2].map(Some); 10].concat(), &[]);
        // Class 2 is never predicted: F1 is 2/3 of class 1, and nothing of class 2.
        let worse = scores(3, &[[0, 1, 1].map(Some); 10].concat(), &[]);
        let change = macro_f1_change(&right, &worse, &labels, 1)
            .unwrap()
            .unwrap();
        assert!(
            (change.value - ((1.0 + 2.0 / 3.0) / 3.0 - 1.0)).abs() < 1e-12,
            "{change:?}"
        );
        assert!(change.interval.unwrap().high < -0.3, "{change:?}");
        let none = macro_f1_change(&right, &right, &labels, 1)
            .unwrap()
            .unwrap();
        assert_eq!(none.interval.unwrap(), Interval::between(0.0, 0.0));
        assert_eq!(macro_f1_change(&right, &right, &labels[1..], 1), None);
    }

    #[test]
    fn flips_are_counted_each_way_on_the_same_samples_alone() {
        let found = flips(
            &scores(3, &[], &[Some(0), Some(0), Some(1), None, Some(2)]),
            &scores(3, &[], &[Some(0), None, Some(0), Some(0), Some(1)]),
        )
        .unwrap();
        let expected = PairedCounts {
            both_right_count: 1,
            lost_count: 1,
            gained_count: 2,
            both_wrong_count: 1,
        };
        assert_eq!(found.counts, expected);
        assert!((found.change.difference - 0.2).abs() < 1e-12, "{found:?}");
        assert_eq!(found.change.p_value, 1.0);
        let [none, one] = [&[][..], &[Some(0)]].map(|ranks| scores(2, &[], ranks));
        assert_eq!(
            flips(&one, &none).unwrap_err().to_string(),
            "baseline was scored on 1 samples, candidate on 0"
        );
        assert_eq!(flips(&none, &none), Err(NoFigure::NoSamples));
    }

    #[test]
    fn mean_errors_are_the_hand_computed_ones_or_none_where_one_is_not_finite() {
        let mae = mean_error(ErrorKind::MeanAbsolute, &powers(1), 1).unwrap();
        let rmse = mean_error(ErrorKind::RootMeanSquare, &powers(2), 1).unwrap();
        assert_eq!(mae.value, 5.5);
        assert!((rmse.value - 38.5_f64.sqrt()).abs() < 1e-12);
        assert!(mae.interval.unwrap().contains(5.5) && rmse.interval.unwrap().contains(rmse.value));
        assert_eq!(
            mean_error(ErrorKind::MeanAbsolute, &[Some(1.0), None], 1)
                .unwrap_err()
                .to_string(),
            "1 of 2 samples have outputs or targets that are not finite"
        );
    }

    #[test]
    fn change_of_an_error_is_paired() {
        let [baseline, candidate] = [0.0, 0.5].map(|more| {
            (0..50)
                .map(|sample| Some(f64::from(sample) + more))
                .collect::<Vec<_>>()
        });
        let change = error_change(ErrorKind::MeanAbsolute, &baseline, &candidate, 1).unwrap();
        let Interval { low, high } = change.interval.unwrap();
        assert!((change.value - 0.5).abs() < 1e-12);
        assert!((low - 0.5).abs() < 1e-9 && (high - 0.5).abs() < 1e-9);
    }
}
