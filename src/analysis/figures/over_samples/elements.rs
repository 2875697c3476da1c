//! Figures where a sample has several classes, or a class for each of its elements. Samples are the
//! unit of intervals: elements of one sample are not independent.

use super::sample_figure::{Flips, NoFigure, SampleFigure, check_alike};
use crate::record::{ElementScores, Hits, RightOf, SeveralScores};
use crate::stats::Proportion;

pub fn exact_match(scores: &SeveralScores) -> Option<Proportion> {
    Proportion::new(
        scores.samples.iter().filter(|hits| is_exact(hits)).count() as u64,
        scores.samples.len() as u64,
    )
}

fn is_exact(hits: &Hits) -> bool {
    hits.false_count == 0 && hits.missed_count == 0
}

/// `2 TP / (2 TP + FP + FN)` over all classes of all samples; `None` where no class is either true
/// or predicted.
pub fn micro_f1(scores: &SeveralScores, seed: u64) -> Option<SampleFigure> {
    SampleFigure::over(scores.samples.len(), seed, |indices| f1(scores, indices)).if_finite()
}

/// Of that figure from baseline to candidate, paired on the same samples.
pub fn micro_f1_change(
    baseline: &SeveralScores,
    candidate: &SeveralScores,
    seed: u64,
) -> Result<SampleFigure, NoFigure> {
    check_alike(baseline.samples.len(), candidate.samples.len())?;
    SampleFigure::over(baseline.samples.len(), seed, |indices| {
        f1(candidate, indices) - f1(baseline, indices)
    })
    .if_finite()
    .ok_or(NoFigure::NoSamples)
}

fn f1(scores: &SeveralScores, indices: &[usize]) -> f64 {
    let (mut both, mut wrong) = (0, 0);
    for hits in indices.iter().map(|&index| scores.samples[index]) {
        both += hits.both_count;
        wrong += hits.false_count + hits.missed_count;
    }
    2.0 * both as f64 / (2 * both + wrong) as f64
}

/// Samples that flipped between exactly right and not.
pub fn exact_flips(baseline: &SeveralScores, candidate: &SeveralScores) -> Result<Flips, NoFigure> {
    Flips::of(&baseline.samples, &candidate.samples, is_exact)
}

/// Share of all elements or rows that are right, or agree; `None` where none counts.
pub fn element_share(samples: &[RightOf], seed: u64) -> Option<SampleFigure> {
    SampleFigure::over(samples.len(), seed, |indices| share(samples, indices)).if_finite()
}

/// Of that share from baseline to candidate, paired on the same samples.
pub fn element_change(
    baseline: &ElementScores,
    candidate: &ElementScores,
    seed: u64,
) -> Result<SampleFigure, NoFigure> {
    check_alike(baseline.samples.len(), candidate.samples.len())?;
    SampleFigure::over(baseline.samples.len(), seed, |indices| {
        share(&candidate.samples, indices) - share(&baseline.samples, indices)
    })
    .if_finite()
    .ok_or(NoFigure::NoSamples)
}

fn share(samples: &[RightOf], indices: &[usize]) -> f64 {
    let (mut right, mut all) = (0, 0);
    for sample in indices.iter().map(|&index| samples[index]) {
        right += sample.right_count;
        all += sample.elements_count;
    }
    right as f64 / all as f64
}

/// Over the classes that occur; `None` where classes were not counted.
pub fn mean_iou(scores: &ElementScores) -> Option<f64> {
    let shares: Vec<f64> = scores
        .classes
        .iter()
        .filter(|class| class.either_count > 0)
        .map(|class| class.both_count as f64 / class.either_count as f64)
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ElementUnit, Overlap};

    fn several(samples: &[[u64; 3]]) -> SeveralScores {
        SeveralScores {
            output: "o".into(),
            classes_count: 4,
            threshold: 0.5,
            samples: samples
                .iter()
                .map(|&[both_count, false_count, missed_count]| Hits {
                    both_count,
                    false_count,
                    missed_count,
                })
                .collect(),
        }
    }

    fn elements(samples: &[[u64; 2]]) -> ElementScores {
        ElementScores {
            output: "o".into(),
            unit: ElementUnit::Token,
            class_axis: Some(1),
            samples: samples
                .iter()
                .map(|&[right_count, elements_count]| RightOf {
                    right_count,
                    elements_count,
                })
                .collect(),
            classes: [[1, 2], [0, 0], [1, 4]]
                .map(|[both_count, either_count]| Overlap {
                    both_count,
                    either_count,
                })
                .into(),
        }
    }

    #[test]
    fn several_classes_have_the_hand_computed_figures() {
        let scores = several(&[[2, 0, 0], [1, 1, 0], [0, 0, 2]]);
        assert_eq!(exact_match(&scores), Proportion::new(1, 3));
        let f1 = micro_f1(&scores, 1).unwrap();
        assert!(
            (f1.value - 6.0 / 9.0).abs() < 1e-12 && f1.interval.is_err(),
            "{f1:?}"
        );
        assert_eq!(micro_f1(&several(&[[0; 3]]), 1), None);
        let change = micro_f1_change(&scores, &several(&[[2, 0, 0]; 3]), 1).unwrap();
        assert!((change.value - 3.0 / 9.0).abs() < 1e-12, "{change:?}");
        let flips = exact_flips(&scores, &several(&[[1, 1, 0], [2, 0, 0], [2, 0, 0]])).unwrap();
        assert_eq!((flips.counts.gained_count, flips.counts.lost_count), (2, 1));
    }

    #[test]
    fn elements_are_pooled_and_samples_are_resampled() {
        let scores = elements(&[[1, 2], [3, 4]]);
        let accuracy = element_share(&scores.samples, 1).unwrap();
        assert_eq!((accuracy.value, accuracy.n), (4.0 / 6.0, 2));
        assert_eq!(mean_iou(&scores), Some((0.5 + 0.25) / 2.0));
        assert_eq!(element_share(&elements(&[[0; 2]]).samples, 1), None);
        let [all, three] = [4, 3].map(|right| elements(&[[right, 4]; 12]));
        let change = element_change(&all, &three, 1).unwrap();
        assert_eq!((change.value, change.n), (-0.25, 12));
        assert!(change.interval.unwrap().contains(-0.25));
        assert!(element_change(&all, &scores, 1).is_err());
    }
}
