//! Test sets of the standard: tensors without rows, sequences and optional values, outputs that
//! cannot be read.

use super::*;
use crate::onnx::testing::message;
use crate::units::Bytes;

/// The message of a list of floats.
fn list(values: &[f32]) -> Vec<u8> {
    tensor_bytes(ast::TensorProto::from_f32(
        "",
        vec![values.len() as i64],
        values.to_vec(),
    ))
}

fn floats(values: &[f32]) -> TensorData {
    TensorData::Float(ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap())
}

/// A model whose one input and output are of this type.
fn passing(value_type: &ValueType) -> Model {
    let info = |name: &str| TensorInfo {
        name: name.into(),
        value_type: value_type.clone(),
    };
    let mut model = model(vec![info("x")]);
    model.graph.outputs = vec![info("y")];
    model
}

fn lists() -> ValueType {
    ValueType::Tensor {
        element_type: FLOAT,
        dims: Some(vec![Dim::Unknown]),
    }
}

#[test]
fn sequences_and_optional_values_are_read_from_test_sets() {
    let (folder, set) = empty_set();
    let (one, two) = (list(&[1.0]), list(&[2.0, 3.0]));
    let (sequence, empty) = (
        message(&[(1, b"x"), (3, &one), (3, &two)]),
        message(&[(1, b"x")]),
    );
    let of = |tensors| Value::Sequence(FLOAT, tensors);
    let (both, none) = (
        of(vec![floats(&[1.0]), floats(&[2.0, 3.0])]),
        of(Vec::new()),
    );
    let lone = Value::Tensor(floats(&[2.0, 3.0]));
    let sequences = ValueType::Sequence(Box::new(lists()));
    let optional = |inner: &ValueType| ValueType::Optional(Box::new(inner.clone()));
    let with_one = message(&[(1, b"x"), (3, &two)]);
    for (value_type, message, value) in [
        (sequences.clone(), &sequence, &both),
        (sequences.clone(), &empty, &none),
        (optional(&sequences), &message(&[(5, &sequence)]), &both),
        (optional(&sequences), &message(&[(5, &empty)]), &none),
        (optional(&lists()), &with_one, &lone),
        (optional(&lists()), &empty, &Value::Nothing),
    ] {
        for file in ["input_0.pb", "output_0.pb"] {
            std::fs::write(set.join(file), message).unwrap();
        }
        let asked = InputRequest {
            batch_dim: Some("none".to_owned().into()),
            ..request(folder.path())
        };
        let plan = plan(&passing(&value_type), &asked).unwrap();
        assert_eq!(plan.notes, [""; 0], "{value_type:?}");
        let sets = materialize(&plan, 1).unwrap();
        assert_eq!(sets[0][0].value, *value, "{value_type:?}");
        let dataset = opened(&plan);
        assert_eq!(dataset.info().samples_count, 1);
        let expected = |name: &str| dataset.expected(name, 0, 1).map(|tensor| tensor.data);
        let mut tensors: Vec<TensorData> = value.as_tensor().cloned().into_iter().collect();
        match value {
            Value::Sequence(_, elements) => {
                tensors.clone_from(elements);
                assert_eq!(dataset.expected_length("y", 0), Some(elements.len()));
                let places = 0..=elements.len();
                let found = places.map(|place| expected(&element_name("y", place)));
                assert!(found.eq(elements.iter().cloned().map(Some).chain([None])));
            }
            other => assert_eq!(expected("y").as_ref(), other.as_tensor()),
        }
        let elements = tensors
            .iter()
            .map(|tensor| tensor.shape().iter().product::<usize>());
        assert_eq!(plan.bytes(1), Bytes(4 * elements.sum::<usize>() as u64));
    }
}

#[test]
fn a_file_that_holds_something_else_is_an_error() {
    let (folder, set) = empty_set();
    let sequence = passing(&ValueType::Sequence(Box::new(lists())));
    let optional = passing(&ValueType::Optional(Box::new(lists())));
    for message in [
        list(&[1.0]),
        message(&[(6, b"")]),
        b"text".to_vec(),
        message(&[(3, b"text")]),
    ] {
        std::fs::write(set.join("input_0.pb"), &message).unwrap();
        for model in [&sequence, &optional] {
            let error = plan(model, &request(folder.path())).unwrap_err();
            assert!(
                matches!(error, InputError::Format(_, ".pb", _)),
                "{error} {message:?}"
            );
        }
    }
    let words = tensor_bytes(ast::TensorProto::from_strings("", vec![1], vec![b"a"]));
    std::fs::write(set.join("input_0.pb"), message(&[(3, &words)])).unwrap();
    let error = plan(&sequence, &request(folder.path())).unwrap_err();
    assert!(
        matches!(error, InputError::Array(_, _, Misfit::ElementType(..))),
        "{error}"
    );
}

#[test]
fn sequences_are_made_up_and_optional_values_are_there() {
    let element = ValueType::Tensor {
        element_type: INT,
        dims: Some(vec![Dim::Fixed(3)]),
    };
    let sequence = ValueType::Sequence(Box::new(element.clone()));
    for value_type in [sequence.clone(), ValueType::Optional(Box::new(sequence))] {
        let plan = made_up(&passing(&value_type));
        let value = materialize(&plan, 1).unwrap().remove(0).remove(0).value;
        let Value::Sequence(INT, tensors) = value else {
            panic!("{value:?}")
        };
        assert!(tensors.iter().map(TensorData::shape).eq([[3], [3]]));
        assert_eq!(plan.bytes(1), Bytes(48));
        assert_eq!(plan.fed[0].shape_words(1), "sequence of [3], [3]");
        let dataset = Dataset::synthesized(&plan, 2).unwrap();
        assert_eq!(dataset.len(), 2);
        assert_ne!(SamplePair::of(&plan, 0).unwrap().first, Vec::new());
    }
    let optional = passing(&ValueType::Optional(Box::new(element)));
    let plan = made_up(&optional);
    assert_eq!(fed(&plan, 1).shape(), [3]);
}

#[test]
fn a_tensor_of_a_test_set_that_has_no_rows_is_fed_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write_test_set(folder.path(), 0, 0);
    let plan = read_by(&one_input(), folder.path());
    assert!(
        plan.notes.iter().any(|note| note.contains("has no rows")),
        "{:?}",
        plan.notes
    );
    let reason =
        "there is no batch: a tensor of the test data has no rows, so that it is fed as it is";
    assert_eq!(plan.supports_batch(2), Err(reason.to_owned()));
    assert_eq!(fed(&plan, 1).shape(), [0, 3]);
    assert_eq!(opened(&plan).len(), 1);
    let asked = InputRequest {
        batch_dim: Some("batch".to_owned().into()),
        ..request(folder.path())
    };
    let (_folder, path) = npy(&counting(0));
    for asked in [asked, request(&path)] {
        let refused = super::plan(&one_input(), &asked);
        assert!(matches!(refused, Err(InputError::NoSamples { .. })));
    }
}

#[test]
fn an_expected_output_that_cannot_be_read_is_a_remark() {
    let folder = tempfile::tempdir().unwrap();
    write_test_set(folder.path(), 0, 2);
    write_test_set(folder.path(), 1, 2);
    let [first, second] = [0, 1].map(|set| {
        folder
            .path()
            .join(format!("test_data_set_{set}/output_0.pb"))
    });
    let whole = std::fs::read(&first).unwrap();
    let map = [10, 1, b'm', 16, 1, 34, 0];
    for unread in [&whole[..whole.len() / 2], &map, b"text", b""] {
        std::fs::write(&first, unread).unwrap();
        let plan = read_by(&one_input(), folder.path());
        let [note] = plan.notes.as_slice() else {
            panic!("{:?}", plan.notes)
        };
        assert!(
            note.starts_with("an expected output is not compared: ")
                && note.contains("output_0.pb"),
            "{note}"
        );
        let dataset = opened(&plan);
        assert!(dataset.info().has_expected_outputs && dataset.expected("y", 0, 2).is_none());
        assert!(
            dataset.expected("y", 2, 2).is_some(),
            "the other set has it"
        );
    }
    std::fs::write(second, b"text").unwrap();
    let plan = read_by(&one_input(), folder.path());
    assert!(!opened(&plan).info().has_expected_outputs);
}

/// A number as the standard writes it.
fn varint(number: i64) -> Vec<u8> {
    let (mut left, mut bytes) = (number as u64, Vec::new());
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

/// Tags of the fields of whole numbers of 32 bits, and of those of 64 without a sign.
const FIELDS: [u8; 2] = [42, 90];

fn is_unsigned(element_type: ElementType) -> bool {
    matches!(element_type, ElementType::Uint32 | ElementType::Uint64)
}

/// The standard's number of a type, the type, two numbers that fit with their values, and some that
/// do not.
type Case = (u8, ElementType, [(i64, f64); 2], &'static [i64]);

const CASES: [Case; 20] = [
    (
        2,
        ElementType::Uint8,
        [(0, 0.0), (255, 255.0)],
        &[256, 300, -1],
    ),
    (
        3,
        ElementType::Int8,
        [(-128, -128.0), (127, 127.0)],
        &[128, 255, -129],
    ),
    (
        4,
        ElementType::Uint16,
        [(0, 0.0), (65_535, 65_535.0)],
        &[65_536, -1],
    ),
    (
        5,
        ElementType::Int16,
        [(-32_768, -32_768.0), (32_767, 32_767.0)],
        &[32_768, 65_535, -32_769],
    ),
    (
        6,
        ElementType::Int32,
        [(-2_147_483_648, -2_147_483_648.0), (7, 7.0)],
        &[],
    ),
    (9, ElementType::Bool, [(0, 0.0), (256, 1.0)], &[]),
    (
        10,
        ElementType::Float16,
        [(0x3c00, 1.0), (-16_384, -2.0)],
        &[65_536, -32_769],
    ),
    (
        16,
        ElementType::Bfloat16,
        [(0x3f80, 1.0), (-16_384, -2.0)],
        &[65_536, -32_769],
    ),
    (
        12,
        ElementType::Uint32,
        [(0, 0.0), (4_294_967_295, 4_294_967_295.0)],
        &[4_294_967_296, -1],
    ),
    (
        13,
        ElementType::Uint64,
        [(0, 0.0), (1_099_511_627_776, 1_099_511_627_776.0)],
        &[],
    ),
    (
        17,
        ElementType::Float8e4m3fn,
        [(0x38, 1.0), (0xb8, -1.0)],
        &[256, -1],
    ),
    (
        18,
        ElementType::Float8e4m3fnuz,
        [(0x40, 1.0), (0xc0, -1.0)],
        &[256, -1],
    ),
    (
        19,
        ElementType::Float8e5m2,
        [(0x3c, 1.0), (0xbc, -1.0)],
        &[256, -1],
    ),
    (
        20,
        ElementType::Float8e5m2fnuz,
        [(0x40, 1.0), (0xc0, -1.0)],
        &[256, -1],
    ),
    (21, ElementType::Uint4, [(1, 1.0), (15, 15.0)], &[256, -1]),
    (22, ElementType::Int4, [(7, 7.0), (8, -8.0)], &[256, -1]),
    (
        23,
        ElementType::Float4e2m1,
        [(2, 1.0), (15, -6.0)],
        &[256, -1],
    ),
    (
        24,
        ElementType::Float8e8m0,
        [(0x7f, 1.0), (0x80, 2.0)],
        &[256, -1],
    ),
    (25, ElementType::Uint2, [(0, 0.0), (3, 3.0)], &[256, -1]),
    (26, ElementType::Int2, [(1, 1.0), (3, -1.0)], &[256, -1]),
];

/// The value of a number in the field that a type has, or why there is none.
fn read_number(number: u8, element_type: ElementType, value: i64) -> Result<f64, String> {
    let field = FIELDS[usize::from(is_unsigned(element_type))];
    let (folder, set) = empty_set();
    let value = varint(value);
    // Dimensions 1 and 1, the number of the type, and the field.
    let message = [
        &[8, 1, 8, 1, 16, number, field, value.len() as u8][..],
        &value[..],
    ]
    .concat();
    std::fs::write(set.join("input_0.pb"), message).unwrap();
    super::read(folder.path(), &of_x(element_type, &of_size(1)), 1)
        .map(|data| data.first_f64(1)[0])
        .map_err(|error| error.to_string())
}

#[test]
fn numbers_of_a_field_are_read_exactly_or_said_not_to_fit() {
    for (number, element_type, fitting, others) in CASES {
        for (stored, value) in fitting {
            assert_eq!(
                read_number(number, element_type, stored),
                Ok(value),
                "{element_type} {stored}"
            );
        }
        for &other in others {
            let said = read_number(number, element_type, other).unwrap_err();
            let shown = match is_unsigned(element_type) {
                true => (other as u64).to_string(),
                false => other.to_string(),
            };
            assert!(
                said.ends_with(&format!(": its number {shown} does not fit {element_type}")),
                "{said}"
            );
        }
    }
}
