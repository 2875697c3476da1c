//! Labels and data as they lie around: scored, or refused before anything is measured.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ndarray::{Array, ArrayD, IxDyn};
use ndarray_npy::{NpzWriter, WritableElement};
use onnxprof::record::{ElementUnit, RunRecord, Scores};

use crate::support::example::example;
use crate::support::{BAD_INPUT, Output, model};
use crate::workbench::Workbench;

/// Samples of every data set.
const N: usize = 12;

/// A data set under way.
struct Data(NpzWriter<File>, PathBuf);

impl Data {
    fn new(bench: &Workbench) -> Self {
        let path = bench.path("data.npz");
        Data(NpzWriter::new(File::create(&path).unwrap()), path)
    }

    fn with<T: WritableElement>(
        mut self,
        name: &str,
        shape: &[usize],
        element: impl Fn(usize) -> T,
    ) -> Self {
        let count = shape.iter().product();
        let array: ArrayD<T> = Array::from_iter((0..count).map(element))
            .into_shape_with_order(IxDyn(shape))
            .unwrap();
        self.0.add_array(name, &array).unwrap();
        self
    }

    /// Twelve rows of three numbers.
    fn rows(bench: &Workbench) -> Self {
        Data::new(bench).with("a", &[N, 3], |at| (at * 7 % 11) as f32 - 5.0)
    }

    fn done(self) -> PathBuf {
        self.0.finish().unwrap();
        self.1
    }
}

fn profiled(bench: &Workbench, name: &str, data: Data, words: &[&str]) -> Output {
    let data = data.done();
    let words = [&["--batch", "1", "--data", data.to_str().unwrap()], words].concat();
    bench
        .profile(&model("fixtures/labels").join(name), words)
        .run()
}

#[track_caller]
fn scored(bench: &Workbench, name: &str, data: Data, words: &[&str]) -> (RunRecord, Scores) {
    let output = profiled(bench, name, data, words);
    output.assert_code(0);
    assert!(!output.stdout.contains("no labels"), "{output}");
    let record = bench.record();
    assert_eq!(record.accuracy.len(), 1, "{output}");
    assert_eq!(record.accuracy[0].samples_count, N as u64);
    let scores = record.accuracy[0].scores.clone().unwrap();
    (record, scores)
}

/// Refused before anything was measured: with exit 3, these words, and without a run folder.
#[track_caller]
fn refused(name: &str, data: impl Fn(&Workbench) -> Data, words: &[&str]) {
    let bench = Workbench::new();
    let output = profiled(&bench, name, data(&bench), &[]);
    output.assert_code(BAD_INPUT);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {output}");
    }
    assert!(!bench.run_folder().join("run.json").exists(), "{output}");
}

/// The classes that are predicted of [`Data::rows`].
fn predicted(name: &str) -> Vec<u64> {
    let bench = Workbench::new();
    let (_, scores) = scored(
        &bench,
        name,
        Data::rows(&bench).with("labels", &[N], |_| 0_i64),
        &[],
    );
    match scores {
        Scores::Classification(scores) => scores.predicted.into_iter().flatten().collect(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn all_right(scores: &Scores) {
    match scores {
        Scores::Classification(scores) => assert!(
            scores.label_ranks.iter().all(|rank| *rank == Some(0)),
            "{scores:?}"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn classes_are_scored_in_every_form_and_under_every_name() {
    let classes = predicted("classes.onnx");
    assert!(
        classes.iter().any(|&class| class != classes[0]),
        "{classes:?}"
    );
    let bench = Workbench::new();
    let (_, scores) = scored(
        &bench,
        "classes.onnx",
        Data::rows(&bench).with("y", &[N], |at| classes[at] as f32),
        &[],
    );
    all_right(&scores);
    let bench = Workbench::new();
    let column = Data::rows(&bench).with("Target", &[N, 1], |at| classes[at] as u8);
    all_right(&scored(&bench, "classes.onnx", column, &[]).1);
    let bench = Workbench::new();
    let one_hot = Data::rows(&bench).with("label", &[N, 4], |at| classes[at / 4] == at as u64 % 4);
    let (record, scores) = scored(&bench, "classes.onnx", one_hot, &[]);
    all_right(&scores);
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("one-hot classes")),
        "{:?}",
        record.notes
    );
    assert_eq!(
        record.dataset.unwrap().class_labels.unwrap()[0],
        classes[0] as i64
    );
}

fn rows(words: &[&str]) -> String {
    words
        .iter()
        .enumerate()
        .map(|(row, word)| format!("{row},{word}\n"))
        .collect()
}

#[test]
fn words_in_a_text_file_beside_the_data_are_scored() {
    let names = ["ash", "elm", "oak"];
    let words: Vec<&str> = predicted("words.onnx")
        .into_iter()
        .map(|class| names[class as usize])
        .collect();
    for (file, text) in [
        ("label.txt", words.join("\n")),
        ("labels.csv", format!("id,label\n{}", rows(&words))),
        (
            "labels.tsv",
            format!("id\tlabel\n{}", rows(&words).replace(',', "\t")),
        ),
        ("classes.csv", format!("file,category\n{}", rows(&words))),
        ("y.json", serde_json::to_string(&words).unwrap()),
    ] {
        let bench = Workbench::new();
        bench.write(file, text);
        let (record, scores) = scored(&bench, "words.onnx", Data::rows(&bench), &[]);
        all_right(&scores);
        assert!(
            record.notes.iter().any(|note| note.contains(file)),
            "{:?}",
            record.notes
        );
    }
}

#[test]
fn words_are_scored_by_the_classes_that_a_configuration_beside_the_model_names() {
    let names = ["ash", "elm", "oak", "yew"];
    let words: Vec<&str> = predicted("classes.onnx")
        .into_iter()
        .map(|class| names[class as usize])
        .collect();
    let run = |config: &str| {
        let bench = Workbench::new();
        let path = bench.copy("fixtures/labels/classes.onnx", "own/classes.onnx");
        bench.write("own/config.json", config);
        bench.write("label.txt", words.join("\n"));
        let data = Data::rows(&bench).done();
        let output = bench
            .profile(&path, ["--batch", "1", "--data", data.to_str().unwrap()])
            .run();
        (output, bench)
    };
    let (unnamed, _) = run("{}");
    unnamed.assert_code(BAD_INPUT);
    assert!(unnamed.stderr.contains("names no classes"), "{unnamed}");
    let (named, bench) = run(r#"{"id2label": {"0": "ash", "1": "elm", "2": "oak", "3": "yew"}}"#);
    named.assert_code(0);
    all_right(bench.record().accuracy[0].scores.as_ref().unwrap());
}

/// Runs with a file of labels beside the data.
fn beside(bench: &Workbench, file: &str, text: &str) -> Output {
    bench.write(file, text);
    profiled(bench, "classes.onnx", Data::rows(bench), &[])
}

#[test]
fn a_file_beside_the_data_that_is_not_understood_stops_the_run_if_it_has_a_row_for_each_sample() {
    let unclear = "train,good\n".repeat(N);
    for (file, text) in [
        ("labels.csv", format!("split,mood\n{unclear}")),
        ("y.tsv", unclear.replace(',', "\t")),
        ("labels.json", serde_json::to_string(&[(); N]).unwrap()),
    ] {
        let bench = Workbench::new();
        let output = beside(&bench, file, &text);
        output.assert_code(BAD_INPUT);
        assert!(
            output.stderr.contains(file) && output.stderr.contains("a .csv with a column"),
            "{output}"
        );
        assert!(!bench.run_folder().join("run.json").exists(), "{output}");
    }
    let bench = Workbench::new();
    beside(&bench, "labels.csv", "split,mood\ntrain,good\n").assert_code(0);
    let notes = bench.record().notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("labels.csv` is not taken for the labels")),
        "{notes:?}"
    );
}

#[test]
fn several_classes_tokens_pixels_and_numbers_are_scored() {
    let bench = Workbench::new();
    let several = Data::rows(&bench).with("labels", &[N, 4], |at| i64::from(at % 4 < 2));
    let Scores::SeveralClasses(found) = scored(&bench, "several.onnx", several, &[]).1 else {
        panic!()
    };
    assert_eq!((found.samples.len(), found.threshold), (N, 0.5));

    let bench = Workbench::new();
    let tokens = Data::new(&bench).with("a", &[N, 5], |at| (at % 20) as i64);
    let tokens = tokens.with("labels", &[N, 5], |at| {
        if at % 5 == 4 { -100 } else { (at % 3) as i64 }
    });
    let (record, scores) = scored(&bench, "tokens.onnx", tokens, &[]);
    let Scores::Elements(found) = scores else {
        panic!()
    };
    assert_eq!(
        (
            found.unit,
            found.class_axis,
            found.samples[0].elements_count
        ),
        (ElementUnit::Token, Some(2), 4)
    );
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("a class for each token")),
        "{:?}",
        record.notes
    );

    let bench = Workbench::new();
    let pixels = Data::new(&bench).with("a", &[N, 2, 4, 5], |at| (at % 9) as f32);
    let pixels = pixels.with("labels", &[N, 4, 5], |at| (at % 3) as u8);
    let Scores::Elements(found) = scored(&bench, "pixels.onnx", pixels, &[]).1 else {
        panic!()
    };
    assert_eq!(
        (found.unit, found.class_axis),
        (ElementUnit::Pixel, Some(1))
    );

    let bench = Workbench::new();
    let numbers = Data::rows(&bench).with("target", &[N], |at| (at * 20) as f64);
    let (record, scores) = scored(&bench, "number.onnx", numbers, &[]);
    assert!(matches!(scores, Scores::Regression { .. }), "{scores:?}");
    assert_eq!(record.dataset.unwrap().class_labels, None);
}

#[test]
fn labels_that_are_not_understood_stop_the_run_before_it_measures() {
    refused(
        "classes.onnx",
        |bench| Data::rows(bench).with("labels", &[N], |at| (at % 4) as i64 + 1),
        &["count from 1 to 4", "save `labels - 1`"],
    );
    refused(
        "classes.onnx",
        |bench| Data::rows(bench).with("labels", &[N, 7], |at| at as i64),
        &["fit no output", "one-hot"],
    );
    refused(
        "classes.onnx",
        |bench| Data::rows(bench).with("labels", &[N - 1], |_| 0_i64),
        &["11 labels for 12 samples"],
    );
    refused(
        "classes.onnx",
        |bench| Data::rows(bench).with("labels", &[N], |at| at as f64 / 8.0),
        &["elements per sample"],
    );
}

#[test]
fn data_in_another_form_is_taken_and_said_or_refused_with_the_way_out() {
    let bench = Workbench::new();
    let renamed = Data::new(&bench)
        .with("arr_0", &[N, 3], |at| at as f64)
        .with("y", &[N], |_| 0_i64);
    let (record, _) = scored(&bench, "classes.onnx", renamed, &[]);
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("is taken for the input `a`")),
        "{:?}",
        record.notes
    );
    let bench = Workbench::new();
    profiled(
        &bench,
        "classes.onnx",
        Data::new(&bench).with("a", &[3], |at| at as f32),
        &[],
    )
    .assert_code(0);
    let notes = bench.record().notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("is taken as one sample [1, 3]")),
        "{notes:?}"
    );

    refused(
        "pixels.onnx",
        |bench| Data::new(bench).with("a", &[N, 4, 5, 2], |at| at as f32),
        &["numpy.moveaxis(array, -1, 1)"],
    );
    refused(
        "classes.onnx",
        |bench| Data::new(bench).with("a", &[N, 3], |at| at as u8),
        &["astype(numpy.float32)"],
    );
    refused(
        "tokens.onnx",
        |bench| Data::new(bench).with("a", &[N, 5], |at| at as i64),
        &["holds 20, and the model takes -20 to 19", "`t`"],
    );
}

/// `profile` of a model that takes a second for a sample, with labels of a shape, and how long it
/// took.
fn slowly(bench: &Workbench, shape: &[usize], label: impl Fn(usize) -> f32) -> (Output, Duration) {
    let data = Data::new(bench)
        .with("x", &[N, 4], |at| (at * 7 % 11) as f32)
        .with("labels", shape, label)
        .done();
    let ops = example("custom_ops");
    let paths = [data.to_str().unwrap(), ops.to_str().unwrap()];
    let words = [
        "--batch",
        "1",
        "--budget",
        "8s",
        "--data",
        paths[0],
        "--custom-ops",
        paths[1],
    ];
    let command = bench.profile_of(&model("fixtures/broken/unknown-domain.onnx"), words);
    // More than a tenth of the budget, most of which it leaves for starting.
    let command = command.env("FROBNICATE_MS", "1000");
    let began = Instant::now();
    (command.run(), began.elapsed())
}

#[test]
fn labels_of_a_slow_model_are_judged_by_what_trying_it_out_left() {
    let bench = Workbench::new();
    let (output, took) = slowly(&bench, &[N, 4], |at| if at % 4 == 1 { 1.0 } else { 0.0 });
    output.assert_code(0);
    // The budget and one inference, and what a loaded machine may add.
    assert!(took < Duration::from_secs(8 + 1 + 8), "{took:?}");
    let record = bench.record();
    assert!(!record.blocks.is_empty(), "{output}");
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("one-hot classes")),
        "{:?}",
        record.notes
    );

    let bench = Workbench::new();
    let (output, took) = slowly(&bench, &[N], |at| (at % 4) as f32 + 1.0);
    output.assert_error(BAD_INPUT, "count from 1 to 4", "save `labels - 1`");
    // Two inferences that try the model out, and no other one for the labels.
    assert!(took < Duration::from_secs(2 + 8), "{took:?}");
    assert!(!bench.run_folder().join("run.json").exists(), "{output}");
}
