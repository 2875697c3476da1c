//! Outputs beside their references, by numbers worked out by hand.

use super::*;
use crate::accuracy::testing::{float, int64, shaped, tensor};
use half::f16;

fn compare_batch(samples_count: u64, ours: &Tensor, reference: &Tensor) -> Agreement {
    let mut scorer = AgreementScorer::default();
    scorer.add(0..samples_count, ours, reference);
    scorer.finish().0.remove(0)
}

fn compare(shape: &[usize], ours: &[f32], reference: &[f32]) -> Agreement {
    compare_batch(
        shape[0] as u64,
        &float("y", shape, ours),
        &float("y", shape, reference),
    )
}

#[test]
fn differences_are_measured_by_hand_computed_figures() {
    // Samples (3, 4) against (4, 3): cosine 24/25. Samples (1, 0) against (1, 0): cosine 1.
    let agreement = compare(&[2, 2], &[3.0, 4.0, 1.0, 0.0], &[4.0, 3.0, 1.0, 0.0]);
    assert_eq!(agreement.samples_count, 2);
    assert_eq!(agreement.top1_agreeing_count, Some(1));
    assert!((agreement.cosine_similarity_mean.unwrap() - 0.98).abs() < 1e-12);
    assert!((agreement.cosine_similarity_min.unwrap() - 0.96).abs() < 1e-12);
    assert_eq!(agreement.max_absolute_error, Some(1.0));
    // Squared differences 1 + 1, squares of the reference 16 + 9 + 1.
    assert!((agreement.relative_error.unwrap() - (2.0_f64 / 26.0).sqrt()).abs() < 1e-12);
}

#[test]
fn what_is_not_finite_on_one_side_is_counted_and_leaves_no_error() {
    const INF: f32 = f32::INFINITY;
    for (ours, reference, count) in [
        ([f32::NAN, 1.0, 2.0, 1.0], [0.0, 1.0, 2.0, INF], 2),
        ([0.0, 1.0, 2.0, 1.0], [0.0, f32::NAN, 2.0, 1.0], 1),
        ([INF, 1.0, 2.0, 1.0], [-INF, 1.0, 2.0, 1.0], 1),
        ([INF, 1.0, 2.0, 1.0], [f32::NAN, 1.0, 2.0, 1.0], 1),
        ([f32::NAN; 4], [1.0; 4], 4),
    ] {
        let agreement = compare(&[2, 2], &ours, &reference);
        assert_eq!(agreement.not_finite_count, count, "{ours:?}");
        let figures = [
            agreement.max_absolute_error,
            agreement.relative_error,
            agreement.cosine_similarity_mean,
            agreement.cosine_similarity_min,
        ];
        assert_eq!(figures, [None; 4], "{ours:?}");
        assert!(agreement.top1_agreeing_count < Some(2), "{agreement:?}");
    }
}

#[test]
fn equal_outputs_agree_fully_whether_finite_or_not() {
    const INF: f32 = f32::INFINITY;
    let values = [f32::NAN, 1.0, INF, 2.0, -INF, f32::NAN];
    for same in [values, [1.0, 2.0, -3.0, 0.5, 0.25, -1.0]] {
        let agreement = compare(&[2, 3], &same, &same);
        assert_eq!(agreement.not_finite_count, 0, "{same:?}");
        assert_eq!(agreement.top1_agreeing_count, Some(2), "{same:?}");
        let errors = [agreement.max_absolute_error, agreement.relative_error];
        assert_eq!(errors, [Some(0.0); 2], "{same:?}");
        let cosine = agreement.cosine_similarity_min.unwrap();
        assert!((cosine - 1.0).abs() < 1e-12, "{same:?}");
    }
    let off = compare(&[2, 3], &[f32::NAN, 1.5, INF, 2.0, -INF, f32::NAN], &values);
    assert_eq!(off.not_finite_count, 0);
    assert_eq!(off.max_absolute_error, Some(0.5));
    let nothing_else = compare(&[1, 2], &[f32::NAN; 2], &[f32::NAN; 2]);
    assert_eq!(nothing_else.top1_agreeing_count, Some(1));
    assert_eq!(nothing_else.max_absolute_error, Some(0.0));
}

#[test]
fn sample_that_disagrees_is_never_without_an_error() {
    let values = [
        0.0,
        -0.0,
        1.0,
        f32::MIN_POSITIVE / 2.0,
        f32::MAX,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ];
    for ours in values {
        for reference in values {
            let agreement = compare(&[1, 2], &[ours, 0.5], &[reference, 0.5]);
            let disagrees = agreement.top1_agreeing_count == Some(0);
            assert!(
                !disagrees || agreement.max_absolute_error != Some(0.0),
                "{ours} for {reference}"
            );
        }
    }
}

#[test]
fn zero_reference_has_no_relative_error_and_no_cosine() {
    let agreement = compare(&[1, 2], &[1.0, 0.0], &[0.0, 0.0]);
    assert_eq!(agreement.relative_error, None);
    assert_eq!(agreement.cosine_similarity_mean, None);
    assert_eq!(agreement.max_absolute_error, Some(1.0));
    let same = compare(&[1, 2], &[0.0; 2], &[0.0; 2]);
    assert_eq!(same.relative_error, Some(0.0));
}

#[test]
fn other_float_outputs_have_no_top1() {
    for shape in [&[2, 2, 2][..], &[2]] {
        let same = vec![1.0; shape.iter().product()];
        assert_eq!(compare(shape, &same, &same).top1_agreeing_count, None);
    }
}

#[test]
fn batches_add_up_with_a_smaller_last_one() {
    let mut scorer = AgreementScorer::default();
    for (samples, ours) in [(0..2, &[1.0, 0.0, 0.0, 1.0][..]), (2..3, &[1.0, 0.0])] {
        let count = (samples.end - samples.start) as usize;
        let reference = float("y", &[count, 2], &[1.0, 0.0].repeat(count));
        scorer.add(samples, &float("y", &[count, 2], ours), &reference);
    }
    let agreement = scorer.finish().0.remove(0);
    assert_eq!(agreement.samples_count, 3);
    assert_eq!(agreement.top1_agreeing_count, Some(2));
}

#[test]
fn half_precision_is_compared_with_single() {
    let halves = [0.1, 0.9].map(f16::from_f32).to_vec();
    let halves = TensorData::Float16(shaped(&[1, 2], halves));
    let agreement = compare_batch(1, &tensor("y", halves), &float("y", &[1, 2], &[0.1, 0.9]));
    assert_eq!(agreement.top1_agreeing_count, Some(1));
    let error = agreement.max_absolute_error.unwrap();
    assert!(error > 0.0 && error < 5e-4, "{error}");
}

#[test]
fn integers_and_strings_agree_where_they_are_equal() {
    let [ours, reference] = [["a", "b"], ["a", "c"]].map(|words| {
        let words = words.map(str::to_owned).to_vec();
        tensor("word", TensorData::String(shaped(&[2], words)))
    });
    let word = compare_batch(2, &ours, &reference);
    assert_eq!(word.samples_count, 2);
    assert_eq!(word.top1_agreeing_count, Some(1));
    assert_eq!(word.cosine_similarity_mean, None);
    assert_eq!(word.max_absolute_error, None);
    let [ours, reference] = [i64::MAX, i64::MAX - 1].map(|most| int64("id", &[2], &[most, 2]));
    let id = compare_batch(2, &ours, &reference);
    assert_eq!(id.top1_agreeing_count, Some(1));
    assert_eq!(id.max_absolute_error, Some(1.0));
}

#[test]
fn output_without_samples_counts_once_a_batch() {
    let agreement = compare_batch(8, &float("loss", &[], &[2.0]), &float("loss", &[], &[1.0]));
    assert_eq!(
        (agreement.samples_count, agreement.max_absolute_error),
        (1, Some(1.0))
    );
}

#[test]
fn other_shape_even_once_is_not_comparable() {
    let mut scorer = AgreementScorer::default();
    let loss = float("loss", &[1, 1], &[1.0]);
    let boxes = float("boxes", &[1, 2], &[0.0, 1.0]);
    for (sample, width) in [(0, 2), (1, 3)] {
        let samples = sample..sample + 1;
        let reference = float("boxes", &[1, width], &[0.0, 1.0, 2.0][..width]);
        scorer.add(samples.clone(), &boxes, &reference);
        scorer.add(samples, &loss, &loss);
    }
    let (compared, unlike) = scorer.finish();
    let [compared] = compared.try_into().unwrap();
    assert_eq!(compared.output, "loss");
    let reason = "it is float [1, 2] where the reference is float [1, 3] in sample 2; 1 of 2 samples is unlike the \
                  reference's";
    let expected = NotComparable {
        output: "boxes".into(),
        reason: reason.into(),
    };
    assert_eq!(unlike, [expected]);
}

#[test]
fn sound_has_noise_and_no_classes() {
    let wave: Vec<f32> = (0..200).map(|index| (index as f32 / 6.0).sin()).collect();
    let noisy: Vec<f32> = wave.iter().map(|value| value * 1.01).collect();
    let agreement = compare(&[1, 1, 200], &noisy, &wave);
    assert_eq!(
        (agreement.kind, agreement.top1_agreeing_count),
        (Some(OutputKind::Signal), None)
    );
    // A hundredth of the amplitude is 40 dB below it.
    assert!((agreement.signal_to_noise_db.unwrap() - 40.0).abs() < 0.01);
    assert_eq!(compare(&[1, 1, 200], &wave, &wave).signal_to_noise_db, None);
}

#[test]
fn first_percentile_of_cosines_takes_a_thousand_samples() {
    let of = |count: usize| {
        let mut cosine = Cosine::default();
        (0..count).for_each(|place| cosine.add(1.0 - place as f64 / 10_000.0));
        cosine.first_percentile()
    };
    assert_eq!(of(999), None);
    // The 10th smallest of 1,000 values that fall by 0.0001 from 1 on.
    assert!((of(1_000).unwrap() - (1.0 - 990.0 / 10_000.0)).abs() < 1e-12);
}
