//! From a model and a request to tensors, through data files as people write them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, ArrayD, IxDyn};
use ndarray_npy::{NpzWriter, WriteNpyExt, write_npy};
use onnx_rs::ast;
use tempfile::TempDir;

use super::*;
use crate::onnx::{Graph, Model};
use crate::plan::{ElementType, InputRequest, ValueRange};
use crate::record::{Dim, FillKind, TensorInfo, ValueType};

mod narrow;
mod roles;
mod test_sets;

const FLOAT: ElementType = ElementType::Float;
const INT: ElementType = ElementType::Int64;

fn batch() -> Dim {
    Dim::Symbolic("batch".into())
}

fn info(name: &str, element_type: ElementType, dims: &[Dim]) -> TensorInfo {
    TensorInfo {
        name: name.into(),
        value_type: ValueType::Tensor {
            element_type,
            dims: Some(dims.to_vec()),
        },
    }
}

fn model(inputs: Vec<TensorInfo>) -> Model {
    let outputs = vec![info("y", FLOAT, &[batch(), Dim::Fixed(2)])];
    Model {
        graph: Graph {
            inputs,
            outputs,
            ..Graph::default()
        },
        ..Model::default()
    }
}

/// Samples of so many elements.
fn of_size(size: u64) -> [Dim; 2] {
    [batch(), Dim::Fixed(size)]
}

/// A model whose one input is `x`.
fn of_x(element_type: ElementType, dims: &[Dim]) -> Model {
    model(vec![info("x", element_type, dims)])
}

/// Input `x` of `[batch, 3]` floats and a scalar.
fn two_inputs() -> Model {
    model(vec![
        info("x", FLOAT, &of_size(3)),
        info("scale", ElementType::Double, &[]),
    ])
}

fn one_input() -> Model {
    of_x(FLOAT, &of_size(3))
}

fn request(data: &Path) -> InputRequest {
    InputRequest {
        data: Some(data.to_owned()),
        ..InputRequest::default()
    }
}

fn ranged(name: &str, low: f64, high: f64) -> InputRequest {
    InputRequest {
        ranges: BTreeMap::from([(name.into(), ValueRange { low, high })]),
        ..InputRequest::default()
    }
}

fn counting(rows: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, 3), |(row, column)| (row * 10 + column) as f32)
}

/// A `data.npz` that [`write_npz`] writes, in a folder of its own.
fn npz(rows: usize, labels: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    write_npz(&path, rows, labels);
    (folder, path)
}

/// A folder, and a `test_data_set_0` in it that is empty.
fn empty_set() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("test_data_set_0");
    std::fs::create_dir(&set).unwrap();
    (folder, set)
}

/// An `x.npy` with that array, in a folder of its own.
fn npy(array: &impl WriteNpyExt) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    write_npy(&path, array).unwrap();
    (folder, path)
}

fn write_npz(path: &Path, rows: usize, labels: usize) {
    let mut npz = NpzWriter::new(File::create(path).unwrap());
    npz.add_array("x", &counting(rows)).unwrap();
    npz.add_array("scale", &ArrayD::from_elem(IxDyn(&[]), 2.0_f64))
        .unwrap();
    npz.add_array("labels", &Array1::from_iter(0..labels as i64))
        .unwrap();
    npz.finish().unwrap();
}

/// The tensor that an input is given.
fn data(set: &InputSet, input: usize) -> &TensorData {
    set[input].value.as_tensor().unwrap()
}

/// The plan of a model that no data is given for.
fn made_up(model: &Model) -> InputPlan {
    plan(model, &InputRequest::default()).unwrap()
}

/// The plan of a model that reads data.
fn read_by(model: &Model, data: &Path) -> InputPlan {
    plan(model, &request(data)).unwrap()
}

/// Data that the one input of a plan is given for so many samples.
fn fed(plan: &InputPlan, samples: u64) -> TensorData {
    data(&materialize(plan, samples).unwrap()[0], 0).clone()
}

/// The samples that data has for the one input of a model.
fn read(path: &Path, model: &Model, samples: u64) -> Result<TensorData, InputError> {
    plan(model, &request(path)).map(|plan| fed(&plan, samples))
}

/// The samples of a plan, which has some.
fn opened(plan: &InputPlan) -> Dataset {
    Dataset::open(plan).unwrap().unwrap()
}

/// First element of each row of the first input.
fn firsts(set: &InputSet) -> Vec<f64> {
    data(set, 0)
        .by_rows(0)
        .unwrap()
        .to_f64()
        .outer_iter()
        .map(|row| row[0])
        .collect()
}

/// The same of each set that a plan gives for a batch size.
fn firsts_of_sets(plan: &InputPlan, batch_size: u64) -> Vec<Vec<f64>> {
    materialize(plan, batch_size)
        .unwrap()
        .iter()
        .map(firsts)
        .collect()
}

fn message(model: &Model, request: &InputRequest) -> String {
    plan(model, request).unwrap_err().to_string()
}

#[test]
fn archive_gives_samples_labels_and_parameters() {
    let (_folder, path) = npz(5, 5);
    let plan = read_by(&two_inputs(), &path);
    assert_eq!(plan.fed[0].dims, [None, Some(3)]);
    assert_eq!(plan.fed[0].fill, FillKind::Data);
    let dataset = opened(&plan);
    assert_eq!(
        (dataset.len(), dataset.info().class_labels.as_deref()),
        (5, Some(&[0, 1, 2, 3, 4][..]))
    );
    let set = dataset.batch(3, 2).unwrap();
    assert_eq!(firsts(&set), [30.0, 40.0]);
    assert_eq!(
        *data(&set, 1),
        TensorData::Double(ArrayD::from_elem(IxDyn(&[]), 2.0))
    );
}

#[test]
fn compressed_archive_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let mut npz = NpzWriter::new_compressed(File::create(&path).unwrap());
    npz.add_array("x", &counting(4)).unwrap();
    npz.finish().unwrap();
    let plan = read_by(&one_input(), &path);
    assert_eq!(firsts_of_sets(&plan, 4)[0], [0.0, 10.0, 20.0, 30.0]);
}

#[test]
fn column_major_array_is_read_in_its_own_order() {
    let reversed = counting(4)
        .reversed_axes()
        .as_standard_layout()
        .into_owned()
        .reversed_axes();
    let (_folder, path) = npy(&reversed);
    assert!(
        std::fs::read(&path)
            .unwrap()
            .windows(21)
            .any(|bytes| bytes == b"'fortran_order': True")
    );
    assert_eq!(
        read(&path, &one_input(), 4).unwrap(),
        TensorData::Float(counting(4).into_dyn())
    );
}

#[test]
fn half_precision_and_strings_are_read_from_numpy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let read = |element_type, descriptor: &str, shape: &str, bytes: &[u8]| {
        std::fs::write(&path, super::npy::npy_file(descriptor, shape, bytes)).unwrap();
        read(&path, &of_x(element_type, &[batch()]), 2)
    };
    let text: Vec<u8> = "ab\0c\0\0"
        .chars()
        .flat_map(|letter| (letter as u32).to_le_bytes())
        .collect();
    let words = ["ab", "c"].map(str::to_owned).to_vec();
    let halves = vec![half::f16::ONE, half::f16::from_f32(-2.0)];
    for (element_type, descriptor, bytes, expected) in [
        (
            ElementType::Float16,
            "<f2",
            &[0, 0x3c, 0, 0xc0][..],
            TensorData::Float16(Array1::from(halves).into_dyn()),
        ),
        (
            ElementType::Int16,
            ">i2",
            &[0, 1, 1, 0],
            TensorData::Int16(Array1::from(vec![1, 256]).into_dyn()),
        ),
        (
            ElementType::String,
            "<U3",
            &text,
            TensorData::String(Array1::from(words).into_dyn()),
        ),
    ] {
        assert_eq!(
            read(element_type, descriptor, "(2,)", bytes).unwrap(),
            expected,
            "{descriptor}"
        );
    }
    let error = read(FLOAT, "<f4", "(1000,)", &[0; 8]).unwrap_err();
    assert!(error.to_string().ends_with("it ends early"), "{error}");
}

#[test]
fn timed_runs_rotate_at_most_eight_distinct_sets() {
    let (_folder, path) = npz(10, 10);
    let plan = read_by(&two_inputs(), &path);
    assert_eq!(firsts_of_sets(&plan, 1).len(), 8);
    assert_eq!(firsts_of_sets(&plan, 4)[2], [80.0, 90.0, 0.0, 10.0]);
    let sets = firsts_of_sets(&plan, 16);
    assert_eq!((sets.len(), &sets[0][9..12]), (1, &[90.0, 0.0, 10.0][..]));
}

#[test]
fn missing_arrays_are_listed_with_those_present() {
    let (_folder, path) = npz(2, 2);
    let wanted = model(vec![info("image", FLOAT, &of_size(4))]);
    let found = message(&wanted, &request(&path));
    assert!(
        found.ends_with("has no array for `image`: it has `x`, `scale`, `labels`"),
        "{found}"
    );
}

#[test]
fn data_of_another_shape_or_type_is_an_error_of_its_own() {
    let (_folder, path) = npy(&counting(2));
    for (element_type, size, said) in [
        (FLOAT, 4, "has shape [2, 3], and the model wants [batch, 4]"),
        (
            INT,
            3,
            "has elements of type float, and the model wants int64",
        ),
    ] {
        let found = message(&of_x(element_type, &of_size(size)), &request(&path));
        assert!(found.ends_with(said), "{found}");
    }
    assert!(matches!(
        plan(&two_inputs(), &request(&path)),
        Err(InputError::NpyForSeveral { .. })
    ));
}

#[test]
fn floats_and_narrow_integers_are_cast_and_it_is_said() {
    let (_folder, path) = npy(&counting(2));
    let half = of_x(ElementType::Float16, &of_size(3));
    let found = read_by(&half, &path);
    assert_eq!(
        found.notes,
        ["array `x` is cast from float to float16, which the model wants"]
    );
    assert_eq!(
        fed(&found, 2),
        TensorData::Float16(counting(2).mapv(half::f16::from_f32).into_dyn())
    );
    write_npy(&path, &Array1::from_iter([-1_i32, 7])).unwrap();
    let wide = read(&path, &of_x(INT, &[batch()]), 2).unwrap();
    assert_eq!(
        wide,
        TensorData::Int64(Array1::from(vec![-1, 7]).into_dyn())
    );
    for other in [ElementType::Uint64, ElementType::Int16] {
        let refused = read(&path, &of_x(other, &[batch()]), 2).unwrap_err();
        assert!(
            matches!(refused, InputError::Array(_, _, Misfit::ElementType(..))),
            "{other}"
        );
    }
}

#[test]
fn dim_that_contradicts_the_data_is_an_error() {
    let (_folder, path) = npy(&counting(2));
    let width = Dim::Symbolic("width".into());
    let open = of_x(FLOAT, &[batch(), width]);
    let asked = InputRequest {
        dims: BTreeMap::from([("width".into(), 5)]),
        ..request(&path)
    };
    assert!(
        message(&open, &asked).ends_with("has shape [2, 3], and the model wants [batch, width=5]")
    );
    assert_eq!(read_by(&open, &path).fed[0].dims, [None, Some(3)]);
}

#[test]
fn label_count_other_than_sample_count_is_an_error() {
    let (folder, path) = npz(5, 4);
    assert!(message(&two_inputs(), &request(&path)).ends_with("has 4 labels for 5 samples"));
    let labels = folder.path().join("labels.npy");
    write_npy(&labels, &Array2::<f32>::zeros((5, 2))).unwrap();
    let asked = InputRequest {
        labels: Some(labels),
        ..request(&path)
    };
    let dataset = opened(&plan(&two_inputs(), &asked).unwrap());
    assert_eq!(dataset.info().class_labels, None);
    assert_eq!(dataset.labels().unwrap().shape(), [5, 2]);
}

#[test]
fn labels_without_data_are_an_error() {
    let asked = InputRequest {
        labels: Some(PathBuf::from("l.npy")),
        ..InputRequest::default()
    };
    assert!(matches!(
        plan(&one_input(), &asked),
        Err(InputError::LabelsAlone { .. })
    ));
}

/// Writes `test_data_set_<index>` with `rows` samples of `x` and as many outputs `y`.
fn write_test_set(folder: &Path, index: usize, rows: usize) {
    let set = folder.join(format!("test_data_set_{index}"));
    std::fs::create_dir_all(&set).unwrap();
    let write = |file: &str, columns: usize| {
        let values = (0..rows * columns)
            .map(|at| (index * 100 + at) as f32)
            .collect();
        let tensor = ast::TensorProto::from_f32("", vec![rows as i64, columns as i64], values);
        std::fs::write(set.join(file), tensor_bytes(tensor)).unwrap();
    };
    write("input_0.pb", 3);
    write("output_0.pb", 2);
}

/// The tensor's message, cut out of a model that holds it.
fn tensor_bytes(tensor: ast::TensorProto<'_>) -> Vec<u8> {
    let attribute = ast::Graph {
        initializer: vec![tensor],
        ..ast::Graph::default()
    };
    let bytes = onnx_rs::encode(&ast::Model {
        graph: Some(attribute),
        ..ast::Model::default()
    });
    // Two heads of two bytes each, as the messages are short: the graph in the model, the tensor in
    // the graph.
    assert!(bytes.len() < 128);
    bytes[4..].to_vec()
}

#[test]
fn test_sets_of_the_standard_give_inputs_and_expected_outputs() {
    let folder = tempfile::tempdir().unwrap();
    write_test_set(folder.path(), 0, 2);
    write_test_set(folder.path(), 1, 3);
    let plan = read_by(&one_input(), folder.path());
    let dataset = opened(&plan);
    assert_eq!(
        (dataset.len(), dataset.info().has_expected_outputs),
        (5, true)
    );
    assert_eq!(firsts(&dataset.batch(1, 3).unwrap()), [3.0, 100.0, 103.0]);
    let expected = dataset.expected("y", 1, 2).unwrap();
    let rows = ArrayD::from_shape_vec(IxDyn(&[2, 2]), vec![2.0, 3.0, 100.0, 101.0]).unwrap();
    assert_eq!(expected.data, TensorData::Float(rows));
    assert_eq!(firsts_of_sets(&plan, 3), [[100.0, 103.0, 106.0]]);
    assert_eq!(firsts_of_sets(&plan, 4)[0], [0.0, 3.0, 100.0, 103.0]);
}

#[test]
fn file_that_holds_no_tensor_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write_test_set(folder.path(), 0, 2);
    // A sequence: the type of its elements in field 2, a tensor in field 3.
    std::fs::write(
        folder.path().join("test_data_set_0/input_0.pb"),
        [10, 1, b's', 16, 1, 26, 0],
    )
    .unwrap();
    assert!(matches!(
        plan(&one_input(), &request(folder.path())),
        Err(InputError::Format(_, ".pb", _))
    ));
}

#[test]
fn data_is_found_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(data_in(folder.path()), Vec::<PathBuf>::new());
    write_test_set(folder.path(), 0, 1);
    assert_eq!(data_in(folder.path()), [folder.path()]);
    write_npz(&folder.path().join("data.npz"), 1, 1);
    write_npz(&folder.path().join("another.npz"), 1, 1);
    assert_eq!(
        data_in(folder.path()),
        ["another.npz", "data.npz"].map(|name| folder.path().join(name))
    );
}

#[test]
fn data_fits_a_model_whose_inputs_it_has() {
    let (_folder, path) = npz(1, 1);
    assert!(fits(&path, &one_input()).is_ok());
    let other = model(vec![
        info("other", FLOAT, &[Dim::Fixed(2)]),
        info("x", FLOAT, &[]),
    ]);
    assert!(matches!(
        fits(&path, &other),
        Err(InputError::MissingArrays { .. })
    ));
}

#[test]
fn fixed_batch_takes_no_other_size() {
    let fixed = info("x", FLOAT, &[Dim::Fixed(4), Dim::Fixed(2)]);
    let mut model = model(vec![fixed.clone()]);
    model.graph.outputs = vec![TensorInfo {
        name: "y".into(),
        ..fixed
    }];
    let plan = made_up(&model);
    assert_eq!(plan.supports_batch(4), Ok(()));
    assert_eq!(
        plan.supports_batch(8),
        Err("the model's batch dimension is fixed at 4".to_owned())
    );
    assert!(matches!(
        materialize(&plan, 8),
        Err(InputError::BatchSize(8, _))
    ));
    assert_eq!(fed(&plan, 4).shape(), [4, 2]);
}

#[test]
fn model_without_batch_dimension_takes_one_sample_at_a_time() {
    let plan = made_up(&of_x(FLOAT, &[]));
    assert_eq!(
        plan.supports_batch(2),
        Err("the model has no batch dimension".to_owned())
    );
    let dataset = Dataset::synthesized(&plan, 3).unwrap();
    assert_eq!(dataset.len(), 3);
    assert_ne!(dataset.batch(0, 1).unwrap(), dataset.batch(1, 1).unwrap());
}

#[test]
fn synthesized_samples_depend_on_the_seed_alone() {
    let seeded = |seed| {
        let request = InputRequest {
            seed,
            ..InputRequest::default()
        };
        fed(&plan(&one_input(), &request).unwrap(), 3)
    };
    assert_eq!(seeded(1), seeded(1));
    assert_ne!(seeded(1), seeded(2));
}

#[test]
fn range_replaces_what_would_be_fed() {
    let fed = &plan(&one_input(), &ranged("x", -2.0, 2.0)).unwrap().fed[0];
    assert_eq!(
        fed.fill,
        FillKind::Uniform(ValueRange {
            low: -2.0,
            high: 2.0
        })
    );
    assert_eq!(
        message(&one_input(), &ranged("z", 0.0, 1.0)),
        "the model has no input `z`; its inputs are `x`"
    );
    let bytes = of_x(ElementType::Uint8, &[batch()]);
    for (low, high) in [(0.0, 256.0), (0.2, 0.8)] {
        let refused = plan(&bytes, &ranged("x", low, high));
        assert!(matches!(refused, Err(InputError::RangeEmpty { .. })));
    }
}

#[test]
fn types_that_no_tensor_is_made_of_are_errors() {
    let complex = of_x(ElementType::Complex64, &[batch()]);
    let found = message(&complex, &InputRequest::default());
    assert_eq!(
        found,
        "input `x` has elements of type complex64, of which ONNX Runtime has no tensors"
    );
    let map = TensorInfo {
        name: "x".into(),
        value_type: ValueType::Other("map(int64,tensor(float))".into()),
    };
    let found = message(&model(vec![map]), &InputRequest::default());
    let fed = "only tensors and sequences of tensors, optional or not, are fed";
    assert_eq!(
        found,
        format!("input `x` has type map(int64,tensor(float)); {fed}")
    );
}

#[test]
fn plan_survives_the_way_to_a_worker() {
    let plan = made_up(&two_inputs());
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<InputPlan>(&text).unwrap(), plan);
}
