//! Labels in every form against outputs in every form.

use super::*;
use crate::accuracy::Scorer;
use crate::accuracy::testing::{float, int64, shaped, tensor};
use crate::inputs::ClassNames;
use crate::record::{ElementUnit, Hits, Scores};

fn text(name: &str, words: &[&str]) -> Tensor {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    tensor(name, TensorData::String(shaped(&[2], words)))
}

/// Scores of the outputs of two samples.
fn scores(labels: Tensor, names: ClassNames, outputs: &[Tensor]) -> Result<Scores, AccuracyError> {
    let truth = Truth {
        labels: Labels::new(labels.data),
        names,
        task: Task::Inferred,
    };
    let mut scorer = Scorer::new(Some(truth));
    scorer.add(outputs, 0, 2)?;
    Ok(scorer.finish().0.unwrap())
}

fn plain(labels: Tensor, outputs: &[Tensor]) -> Result<Scores, AccuracyError> {
    scores(labels, ClassNames::default(), outputs)
}

fn right(scores: Result<Scores, AccuracyError>) -> Vec<bool> {
    match scores.unwrap() {
        Scores::Classification(scores) => scores
            .label_ranks
            .iter()
            .map(|rank| *rank == Some(0))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn three() -> Tensor {
    float("o", &[2, 3], &[0.1, 0.7, 0.2, 0.5, 0.3, 0.2])
}

#[test]
fn a_class_may_be_a_number_of_any_type_or_one_hot() {
    assert_eq!(
        right(plain(int64("k", &[2, 1], &[1, 1]), &[three()])),
        [true, false]
    );
    assert_eq!(
        right(plain(float("k", &[2], &[1.0, 0.0]), &[three()])),
        [true, true]
    );
    let one_hot = float("k", &[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(right(plain(one_hot, &[three()])), [true, false]);
    let written = plain(text("k", &["1", "2"]), &[three()]);
    assert_eq!(right(written), [true, false]);
}

#[test]
fn words_are_held_against_words_or_the_files_classes() {
    let outputs = [
        text("w", &["oak", "elm"]),
        float("o", &[2, 2], &[0.1, 0.9, 0.2, 0.8]),
    ];
    assert_eq!(
        right(plain(text("k", &["oak", "fir"]), &outputs[..1])),
        [true, false]
    );
    let names = ClassNames {
        words: vec!["elm".into(), "oak".into()],
        ..ClassNames::default()
    };
    assert_eq!(
        right(scores(text("k", &["oak", "elm"]), names.clone(), &outputs)),
        [true, false]
    );
    assert_eq!(
        right(scores(
            int64("k", &[2], &[1, 0]),
            names.clone(),
            &outputs[..1]
        )),
        [true, true]
    );
    let error = scores(text("k", &["oak", "Elm"]), names, &outputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "label `Elm` is none of the model's classes: `elm`, `oak`"
    );
    let error = plain(text("k", &["oak", "elm"]), &outputs[1..]).unwrap_err();
    assert!(
        error.to_string().contains("names no classes") && error.hint().is_some(),
        "{error}"
    );
}

#[test]
fn the_files_own_numbers_are_its_classes() {
    let names = ClassNames {
        numbers: vec![10, 20, 30],
        ..ClassNames::default()
    };
    assert_eq!(
        right(scores(
            int64("k", &[2], &[20, 30]),
            names.clone(),
            &[three()]
        )),
        [true, false]
    );
    let given = int64("c", &[2], &[20, 10]);
    assert_eq!(
        right(scores(int64("k", &[2], &[20, 30]), names, &[given])),
        [true, false]
    );
}

#[test]
fn labels_that_count_from_one_are_refused_and_told() {
    let error = plain(int64("k", &[2], &[3, 1]), &[three()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "labels count from 1 to 3, and output `o` has 3 classes, counted from 0"
    );
    assert!(error.hint().unwrap().contains("labels - 1"));
}

#[test]
fn several_classes_at_once_are_scored_together() {
    let labels = int64("k", &[2, 3], &[1, 1, 0, 0, 0, 0]);
    let outputs = [float("o", &[2, 3], &[2.0, -1.0, 0.1, -1.0, -2.0, -3.0])];
    let Scores::SeveralClasses(found) = plain(labels, &outputs).unwrap() else {
        panic!()
    };
    assert_eq!(
        found.samples,
        [
            Hits {
                both_count: 1,
                false_count: 1,
                missed_count: 1
            },
            Hits::default()
        ]
    );
    assert_eq!(found.threshold, 0.0);
}

#[test]
fn elements_are_scored_wherever_the_classes_lie() {
    let labels = || int64("k", &[2, 4], &[0, 1, 1, -100, 1, 1, 0, 0]);
    let last = float("o", &[2, 4, 2], &[1.0, 0.0].repeat(8));
    let second = float("o", &[2, 2, 4], &[[1.0; 4], [0.0; 4]].concat().repeat(2));
    for output in [last, second, int64("o", &[2, 4], &[0; 8])] {
        let Scores::Elements(found) = plain(labels(), &[output]).unwrap() else {
            panic!()
        };
        let counts: Vec<(u64, u64)> = found
            .samples
            .iter()
            .map(|sample| (sample.right_count, sample.elements_count))
            .collect();
        assert_eq!(
            (counts, found.unit),
            (vec![(1, 3), (2, 4)], ElementUnit::Token)
        );
    }
    let pixels = int64("k", &[2, 2, 2], &[0, 1, 1, 1, 0, 0, 0, 1]);
    let output = float(
        "o",
        &[2, 1, 2, 2],
        &[0.9, 0.8, 0.2, 0.7, 0.1, 0.2, 0.3, 0.4],
    );
    let Scores::Elements(found) = plain(pixels, &[output]).unwrap() else {
        panic!()
    };
    assert_eq!(
        (found.samples[0].right_count, found.unit),
        (2, ElementUnit::Pixel)
    );
}

#[test]
fn numbers_are_predicted_where_an_output_is_one() {
    let output = || [float("o", &[2, 1], &[150.0, 75.5])];
    for labels in [
        float("k", &[2], &[151.0, 75.0]),
        int64("k", &[2], &[151, 75]),
        float("k", &[2], &[0.5, 0.25]),
    ] {
        assert!(matches!(
            plain(labels, &output()),
            Ok(Scores::Regression { .. })
        ));
    }
    let two = float("k", &[2, 2], &[0.5, 1.5, 2.5, 3.5]);
    assert!(matches!(
        plain(two, &[float("o", &[2, 2], &[0.0; 4])]),
        Ok(Scores::Regression { .. })
    ));
}

#[test]
fn zero_and_one_are_classes_of_a_sigmoid_alone() {
    let labels = || int64("k", &[2], &[0, 1]);
    let output = || [float("o", &[2, 1], &[0.7, 0.8])];
    assert!(matches!(
        plain(labels(), &output()),
        Err(AccuracyError::OneScore(_))
    ));
    let names = ClassNames {
        sigmoids: vec!["o".into()],
        ..ClassNames::default()
    };
    assert_eq!(right(scores(labels(), names, &output())), [false, true]);
}

#[test]
fn words_go_by_what_metadata_tells_of_classes_and_numbers_do_not() {
    let told = |words: &[&str]| ClassNames {
        told: words.iter().map(|&word| word.to_owned()).collect(),
        ..ClassNames::default()
    };
    let names = told(&["oak", "ash", "elm"]);
    assert_eq!(
        right(scores(
            text("k", &["ash", "elm"]),
            names.clone(),
            &[three()]
        )),
        [true, false]
    );
    let shifted = told(&["1", "2", "0"]);
    assert_eq!(
        right(scores(
            int64("k", &[2], &[1, 0]),
            shifted.clone(),
            &[three()]
        )),
        [true, true]
    );
    assert_eq!(
        right(scores(text("k", &["2", "1"]), shifted, &[three()])),
        [true, true]
    );
    let error = scores(text("k", &["fir", "elm"]), names.clone(), &[three()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "label `fir` is none of the model's classes: `oak`, `ash`, `elm`"
    );
    let two = float("o", &[2, 2], &[0.1, 0.9, 0.2, 0.8]);
    let error = scores(text("k", &["ash", "elm"]), names.clone(), &[two]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no output can be scored as classes that there are words for"),
        "{error}"
    );
    let words = text("w", &["fir", "yew"]);
    assert_eq!(
        right(scores(text("k", &["fir", "fir"]), names.clone(), &[words])),
        [true, false]
    );
    let twice = scores(
        text("k", &["crane", "elm"]),
        told(&["crane", "elm", "crane"]),
        &[three()],
    )
    .unwrap_err();
    assert_eq!(
        twice.to_string(),
        "label `crane` is the name of several of the model's classes"
    );
    let many: Vec<String> = (0..1000).map(|class| format!("c{class}")).collect();
    let many = ClassNames {
        told: many,
        ..ClassNames::default()
    };
    let error = scores(text("k", &["ash", "elm"]), many, &[three()])
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("`c18`, `c19`, and 980 more"), "{error}");
}

#[test]
fn what_fits_nothing_is_refused_with_what_there_is() {
    let labels = int64("k", &[2, 5], &[3; 10]);
    let error = plain(labels, &[three()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "labels of shape [2, 5] fit no output; the model has `o` (float [2, 3])"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("one-hot")));
}
