//! Labels in every form against outputs in every form.

use super::*;
use crate::accuracy::Scorer;
use crate::accuracy::testing::{float, int64, shaped, tensor};
use crate::inputs::ClassNames;
use crate::record::{ElementUnit, Hits, Scores};

fn text(name: &str, words: &[&str]) -> Tensor {
    tensor(name, TensorData::String(shaped(&[2], owned(words))))
}

/// Scores of the outputs of two samples.
fn scores(labels: Tensor, names: ClassNames, outputs: &[Tensor]) -> Result<Scores> {
    let truth = Truth {
        labels: Labels::new(labels.data),
        names,
        task: Task::Inferred,
    };
    let mut scorer = Scorer::new(Some(truth));
    scorer.add(outputs, 0, 2)?;
    Ok(scorer.finish().0.unwrap())
}

fn plain(labels: Tensor, outputs: &[Tensor]) -> Result<Scores> {
    scores(labels, ClassNames::default(), outputs)
}

fn right(scores: Result<Scores>) -> Vec<bool> {
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

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Classes that the metadata names.
fn told(words: &[&str]) -> ClassNames {
    ClassNames {
        told: owned(words),
        ..ClassNames::default()
    }
}

#[test]
fn a_class_may_be_a_number_of_any_type_or_one_hot() {
    let one_hot = float("k", &[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    for (labels, expected) in [
        (int64("k", &[2, 1], &[1, 1]), [true, false]),
        (float("k", &[2], &[1.0, 0.0]), [true, true]),
        (one_hot, [true, false]),
        (text("k", &["1", "2"]), [true, false]),
    ] {
        assert_eq!(right(plain(labels, &[three()])), expected);
    }
}

#[test]
fn words_are_held_against_words_or_the_files_classes() {
    let outputs = [
        text("w", &["oak", "elm"]),
        float("o", &[2, 2], &[0.1, 0.9, 0.2, 0.8]),
    ];
    let by_word = plain(text("k", &["oak", "fir"]), &outputs[..1]);
    assert_eq!(right(by_word), [true, false]);
    let names = ClassNames {
        words: owned(&["elm", "oak"]),
        ..ClassNames::default()
    };
    let by_score = scores(text("k", &["oak", "elm"]), names.clone(), &outputs);
    assert_eq!(right(by_score), [true, false]);
    let by_number = scores(int64("k", &[2], &[1, 0]), names.clone(), &outputs[..1]);
    assert_eq!(right(by_number), [true, true]);
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
    for output in [three(), int64("c", &[2], &[20, 10])] {
        let names = ClassNames {
            numbers: vec![10, 20, 30],
            ..ClassNames::default()
        };
        let found = scores(int64("k", &[2], &[20, 30]), names, &[output]);
        assert_eq!(right(found), [true, false]);
    }
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
    let first = Hits {
        both_count: 1,
        false_count: 1,
        missed_count: 1,
    };
    assert_eq!(found.samples, [first, Hits::default()]);
    assert_eq!(found.threshold, 0.0);
}

/// Right and all elements of both samples, and what they are.
fn elements(labels: Tensor, output: Tensor) -> (Vec<[u64; 2]>, ElementUnit) {
    let Scores::Elements(found) = plain(labels, &[output]).unwrap() else {
        panic!()
    };
    let samples = found.samples.iter();
    let counts = samples.map(|sample| [sample.right_count, sample.elements_count]);
    (counts.collect(), found.unit)
}

#[test]
fn elements_are_scored_wherever_the_classes_lie() {
    let last = float("o", &[2, 4, 2], &[1.0, 0.0].repeat(8));
    let second = float("o", &[2, 2, 4], &[[1.0; 4], [0.0; 4]].concat().repeat(2));
    for output in [last, second, int64("o", &[2, 4], &[0; 8])] {
        let labels = int64("k", &[2, 4], &[0, 1, 1, -100, 1, 1, 0, 0]);
        let expected = (vec![[1, 3], [2, 4]], ElementUnit::Token);
        assert_eq!(elements(labels, output), expected);
    }
    let pixels = int64("k", &[2, 2, 2], &[0, 1, 1, 1, 0, 0, 0, 1]);
    let scores = [0.9, 0.8, 0.2, 0.7, 0.1, 0.2, 0.3, 0.4];
    let (counts, unit) = elements(pixels, float("o", &[2, 1, 2, 2], &scores));
    assert_eq!((counts[0][0], unit), (2, ElementUnit::Pixel));
}

#[test]
fn numbers_are_predicted_where_an_output_is_one() {
    let output = float("o", &[2, 1], &[150.0, 75.5]);
    let several = float("o", &[2, 2], &[0.0; 4]);
    for (labels, output) in [
        (float("k", &[2], &[151.0, 75.0]), &output),
        (int64("k", &[2], &[151, 75]), &output),
        (float("k", &[2], &[0.5, 0.25]), &output),
        (float("k", &[2, 2], &[0.5, 1.5, 2.5, 3.5]), &several),
    ] {
        let found = plain(labels, std::slice::from_ref(output));
        assert!(matches!(found, Ok(Scores::Regression { .. })), "{found:?}");
    }
}

#[test]
fn zero_and_one_are_classes_of_a_sigmoid_alone() {
    let labels = int64("k", &[2], &[0, 1]);
    let output = [float("o", &[2, 1], &[0.7, 0.8])];
    let error = plain(labels.clone(), &output).unwrap_err();
    assert_eq!(error, AccuracyError::OneScore("o".to_owned()));
    let names = ClassNames {
        sigmoids: vec!["o".into()],
        ..ClassNames::default()
    };
    assert_eq!(right(scores(labels, names, &output)), [false, true]);
}

#[test]
fn words_go_by_what_metadata_tells_of_classes_and_numbers_do_not() {
    let trees = ["oak", "ash", "elm"];
    let shifted = ["1", "2", "0"];
    let words = text("w", &["fir", "yew"]);
    for (labels, names, output, expected) in [
        (text("k", &["ash", "elm"]), trees, three(), [true, false]),
        (int64("k", &[2], &[1, 0]), shifted, three(), [true, true]),
        (text("k", &["2", "1"]), shifted, three(), [true, true]),
        (text("k", &["fir", "fir"]), trees, words, [true, false]),
    ] {
        assert_eq!(right(scores(labels, told(&names), &[output])), expected);
    }
    let two = float("o", &[2, 2], &[0.1, 0.9, 0.2, 0.8]);
    let many: Vec<String> = (0..1000).map(|class| format!("c{class}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (labels, names, output, message) in [
        (
            ["fir", "elm"],
            &trees[..],
            three(),
            "label `fir` is none of the model's classes: `oak`, `ash`, `elm`",
        ),
        (
            ["ash", "elm"],
            &trees,
            two,
            "no output can be scored as classes that there are words for; the model has `o` (float [2, 2])",
        ),
        (
            ["crane", "elm"],
            &["crane", "elm", "crane"],
            three(),
            "label `crane` is the name of several of the model's classes",
        ),
        (["ash", "elm"], &many, three(), "`c18`, `c19`, and 980 more"),
    ] {
        let error = scores(text("k", &labels), told(names), &[output]).unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
    }
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
