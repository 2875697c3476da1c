//! Inputs of every type that ONNX Runtime takes: elements of eight bits and fewer, sequences,
//! optional values; from data and made up.

use std::path::{Path, PathBuf};

use onnxprof::record::{AccuracyRecord, FillKind, NoTensor, RunRecord};
use onnxprof::text::Plain;

use crate::support::Onnxprof;
use crate::support::protobuf::Message;
use crate::workbench::Workbench;

fn new() -> Message {
    Message::default()
}

/// The type of a tensor of that many elements, none of which are counted where it is open.
fn tensor_type(element_type: u8, size: Option<u8>) -> Message {
    let dim = size.map_or_else(new, |size| new().number(1, size));
    new().message(
        1,
        new()
            .number(1, element_type)
            .message(2, new().message(1, dim)),
    )
}

fn sequence_type(element_type: u8) -> Message {
    new().message(4, new().message(1, tensor_type(element_type, None)))
}

fn optional_type(inner: Message) -> Message {
    new().message(9, new().message(1, inner))
}

fn value(name: &str, value_type: Message) -> Message {
    new().bytes(1, name).message(2, value_type)
}

fn node(operator: &str, input: &str, output: &str) -> Message {
    new().bytes(1, input).bytes(2, output).bytes(4, operator)
}

/// An attribute `to` of a node: 2 is the type of whole numbers.
fn cast(input: &str, output: &str, to: u8) -> Message {
    let mut attribute = new().bytes(1, "to").number(3, to);
    // Field 20 takes two bytes.
    attribute.0.extend([0xa0, 1, 2]);
    node("Cast", input, output).message(5, attribute)
}

fn model(nodes: Vec<Message>, inputs: Vec<Message>, outputs: Vec<Message>) -> Vec<u8> {
    let graph = nodes
        .into_iter()
        .fold(new(), |graph, node| graph.message(1, node))
        .bytes(2, "g");
    let graph = inputs
        .into_iter()
        .fold(graph, |graph, input| graph.message(11, input));
    let graph = outputs
        .into_iter()
        .fold(graph, |graph, output| graph.message(12, output));
    new()
        .number(1, 12)
        .message(7, graph)
        .message(8, new().bytes(1, "").number(2, 25))
        .0
}

fn tensor(element_type: u8, size: u8, raw: &[u8]) -> Message {
    new().number(1, size).number(2, element_type).bytes(9, raw)
}

fn floats(values: &[f32]) -> Message {
    let raw: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    tensor(FLOAT, values.len() as u8, &raw)
}

const FLOAT: u8 = 1;
const INT64: u8 = 7;

/// Writes a file into the model's folder.
fn write(bench: &Workbench, name: &str, bytes: Vec<u8>) -> PathBuf {
    let path = bench.path("model").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Writes test data beside a model.
fn write_set(bench: &Workbench, inputs: Vec<Message>, outputs: Vec<Message>) {
    for (kind, messages) in [("input", inputs), ("output", outputs)] {
        for (place, message) in messages.into_iter().enumerate() {
            write(
                bench,
                &format!("test_data_set_0/{kind}_{place}.pb"),
                message.0,
            );
        }
    }
}

fn profiled(bench: &Workbench, path: &Path) -> RunRecord {
    bench
        .profile(path, ["--quiet", "--batch", "1"])
        .run()
        .assert_code(0);
    bench.record()
}

/// Checks that outputs are those that were expected.
fn assert_agreement(scored: &AccuracyRecord, outputs: &[&str]) {
    assert_eq!(
        scored.reference.as_ref().map(Plain::exact),
        Some("expected outputs")
    );
    assert_eq!(
        scored
            .agreement
            .iter()
            .map(|one| one.output.exact())
            .collect::<Vec<_>>(),
        outputs
    );
    for one in &scored.agreement {
        assert_eq!(one.max_absolute_error, Some(0.0), "{one:?}");
    }
    assert_eq!(scored.not_comparable, []);
}

/// Types with their numbers, three elements of each, and what those are.
const NARROW: [(u8, &str, &[u8], [f32; 3]); 8] = [
    (17, "float8e4m3fn", &[0x38, 0xc0, 0x7e], [1.0, -2.0, 448.0]),
    (
        18,
        "float8e4m3fnuz",
        &[0x40, 0xc8, 0x7f],
        [1.0, -2.0, 240.0],
    ),
    (19, "float8e5m2", &[0x3c, 0xc0, 0x7b], [1.0, -2.0, 57344.0]),
    (
        20,
        "float8e5m2fnuz",
        &[0x40, 0xc4, 0x7f],
        [1.0, -2.0, 57344.0],
    ),
    (21, "uint4", &[0x21, 0x0f], [1.0, 2.0, 15.0]),
    (22, "int4", &[0xe1, 0x08], [1.0, -2.0, -8.0]),
    (25, "uint2", &[0b11_10_01], [1.0, 2.0, 3.0]),
    (26, "int2", &[0b10_11_01], [1.0, -1.0, -2.0]),
];

/// A model that makes floats of each of these types, and its file.
fn narrow_model(bench: &Workbench) -> PathBuf {
    let names = NARROW.map(|(_, name, ..)| name);
    let inputs = NARROW.map(|(number, name, ..)| value(name, tensor_type(number, Some(3))));
    let outputs = names.map(|name| value(&format!("{name}_out"), tensor_type(FLOAT, Some(3))));
    let nodes = names.map(|name| cast(name, &format!("{name}_out"), FLOAT));
    write(
        bench,
        "model.onnx",
        model(nodes.into(), inputs.into(), outputs.into()),
    )
}

#[test]
fn elements_of_eight_bits_and_fewer_are_fed_from_data_and_made_up() {
    let bench = Workbench::new();
    let path = narrow_model(&bench);
    let made_up = profiled(&bench, &path);
    let of = |record: &RunRecord| record.variants[0].inputs.clone();
    assert!(
        of(&made_up)
            .iter()
            .all(|fed| matches!(fed.fill, FillKind::Uniform(_))),
        "{:?}",
        of(&made_up)
    );
    let bench = Workbench::new();
    let path = narrow_model(&bench);
    let inputs = NARROW.map(|(number, _, raw, _)| tensor(number, 3, raw));
    let outputs = NARROW.map(|(_, _, _, values)| floats(&values));
    write_set(&bench, inputs.into(), outputs.into());
    let record = profiled(&bench, &path);
    let types: Vec<String> = of(&record)
        .iter()
        .map(|fed| fed.element_type.to_string())
        .collect();
    assert_eq!(types, NARROW.map(|(_, name, ..)| name));
    assert!(of(&record).iter().all(|fed| fed.fill == FillKind::Data));
    assert_agreement(
        &record.accuracy[0],
        &NARROW
            .map(|(_, name, ..)| format!("{name}_out"))
            .each_ref()
            .map(String::as_str),
    );
}

/// A model of a sequence and two optional values, and its file.
fn container_model(bench: &Workbench) -> PathBuf {
    let optional = || optional_type(tensor_type(FLOAT, Some(2)));
    let inputs = vec![
        value("parts", sequence_type(FLOAT)),
        value("given", optional()),
        value("left_out", optional()),
    ];
    let nodes = vec![
        node("Identity", "parts", "same"),
        node("SequenceLength", "parts", "length"),
        node("OptionalHasElement", "given", "has_given"),
        node("OptionalHasElement", "left_out", "has_left_out"),
        node("Identity", "left_out", "still_left_out"),
    ];
    let scalar = |element_type| new().message(1, new().number(1, element_type).message(2, new()));
    let outputs = vec![
        value("same", sequence_type(FLOAT)),
        value("length", scalar(INT64)),
        value("has_given", scalar(9)),
        value("has_left_out", scalar(9)),
        value("still_left_out", optional()),
    ];
    write(bench, "model.onnx", model(nodes, inputs, outputs))
}

/// A sequence of lists.
fn sequence(lists: &[&[f32]]) -> Message {
    lists
        .iter()
        .fold(new().bytes(1, "s").number(2, 1), |sequence, list| {
            sequence.message(3, floats(list))
        })
}

fn scalar(element_type: u8, raw: &[u8]) -> Message {
    new().number(2, element_type).bytes(9, raw)
}

#[test]
fn sequences_and_optional_values_are_fed_from_data_and_made_up() {
    for lists in [&[&[1.0][..], &[2.0, 3.0]][..], &[]] {
        let bench = Workbench::new();
        let path = container_model(&bench);
        let given = new().number(2, 1).message(3, floats(&[5.0, 6.0]));
        let inputs = vec![sequence(lists), given, new().number(2, 0)];
        let length = scalar(INT64, &(lists.len() as i64).to_le_bytes());
        write_set(
            &bench,
            inputs,
            vec![
                sequence(lists),
                length,
                scalar(9, &[1]),
                scalar(9, &[0]),
                new().number(2, 0),
            ],
        );
        let record = profiled(&bench, &path);
        let fed: Vec<_> = record.variants[0]
            .inputs
            .iter()
            .map(|fed| fed.no_tensor.clone())
            .collect();
        let shapes = lists.iter().map(|list| vec![list.len() as u64]).collect();
        assert_eq!(
            fed,
            [
                Some(NoTensor::Sequence(shapes)),
                None,
                Some(NoTensor::Nothing)
            ]
        );
        let tensors = ["same[0]", "same[1]"];
        let outputs = [
            &tensors[..lists.len()],
            &["length", "has_given", "has_left_out"],
        ]
        .concat();
        assert_agreement(&record.accuracy[0], &outputs);
    }
    let bench = Workbench::new();
    let record = profiled(&bench, &container_model(&bench));
    let fed = &record.variants[0].inputs;
    assert!(
        matches!(&fed[0].no_tensor, Some(NoTensor::Sequence(shapes)) if shapes.len() == 2),
        "{fed:?}"
    );
    assert!(
        fed[1].no_tensor.is_none() && fed[2].no_tensor.is_none(),
        "made-up values are there"
    );
    let shown = Onnxprof::new()
        .arg("inspect")
        .arg(bench.path("model/model.onnx"))
        .run();
    shown
        .assert_code(0)
        .assert_stdout("sequence of float [?]")
        .assert_stdout("optional float [2]");
}

#[test]
fn a_sequence_of_another_length_than_expected_is_told() {
    let bench = Workbench::new();
    let path = container_model(&bench);
    let inputs = vec![
        sequence(&[&[1.0], &[2.0]]),
        new().number(2, 0),
        new().number(2, 0),
    ];
    write_set(&bench, inputs, vec![sequence(&[&[1.0]])]);
    let record = profiled(&bench, &path);
    let [unlike] = record.accuracy[0].not_comparable.as_slice() else {
        panic!("{:?}", record.accuracy[0])
    };
    assert_eq!(unlike.output, "same");
    assert_eq!(
        unlike.reason,
        "it holds 2 tensors where the reference holds 1"
    );
}

#[test]
fn an_expected_output_that_cannot_be_read_costs_itself_alone() {
    let bench = Workbench::new();
    let path = container_model(&bench);
    let inputs = vec![sequence(&[&[1.0]]), new().number(2, 0), new().number(2, 0)];
    write_set(
        &bench,
        inputs,
        vec![
            new().bytes(9, "damaged"),
            scalar(INT64, &1_i64.to_le_bytes()),
        ],
    );
    let record = profiled(&bench, &path);
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("an expected output is not compared")),
        "{:?}",
        record.notes
    );
    assert_agreement(&record.accuracy[0], &["length"]);
}
