//! Memory that is asked for before it is taken, under a limit that stands for a small machine.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ndarray::Array2;
use ndarray_npy::NpzWriter;
use onnx_rs::ast::{
    DataType, Dimension, Graph, Model, Node, OpType, OperatorSetId, TensorShape,
    TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};
use onnxprof::record::BatchProof;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::support::{BAD_INPUT, Onnxprof, PARTIAL, command};
use crate::workbench::{Workbench, cell};

/// Multiplies rows of three floats by a column of them.
const PRODUCT: &str = "fixtures/labels/number.onnx";
const LIMIT: &str = "ONNXPROF_MEMORY";

#[test]
fn a_batch_that_does_not_fit_is_refused_with_one_that_does() {
    let bench = Workbench::new();
    let model = bench.copy(PRODUCT, "product.onnx");
    let output = bench
        .profile(&model, ["--batch", "100000000"])
        .env(LIMIT, "300MB")
        .run();
    let said = "inputs and outputs of batch size 100000000 would take 1.6 GB of memory, and ";
    output.assert_error(BAD_INPUT, said, "name smaller batch sizes with `--batch`: ");
    output.assert_stderr(" may be used by the limit in ONNXPROF_MEMORY");
    let (_, rest) = output.stderr.split_once("with `--batch`: ").unwrap();
    let fitting: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert!(
        (1_000_000..300_000_000 / 16).contains(&fitting),
        "{fitting}"
    );
}

#[test]
fn a_batch_that_does_not_fit_leaves_the_others_their_figures() {
    let bench = Workbench::new();
    let model = bench.copy(PRODUCT, "product.onnx");
    bench
        .profile(&model, ["--batch", "1,100000000"])
        .env(LIMIT, "300MB")
        .run()
        .assert_code(PARTIAL);
    let record = bench.record();
    assert!(cell(&record, "product", 1).outcome.is_ok());
    let reason = cell(&record, "product", 100_000_000)
        .outcome
        .reason()
        .unwrap()
        .to_owned();
    assert!(reason.contains("would take 1.6 GB of memory"), "{reason}");
}

#[test]
fn requests_in_flight_that_do_not_fit_are_refused() {
    let bench = Workbench::new();
    let model = bench.copy(PRODUCT, "product.onnx");
    let output = bench
        .profile(&model, ["--batch", "1", "--concurrency", "60000"])
        .env(LIMIT, "1GB")
        .run();
    output.assert_error(
        BAD_INPUT,
        "60000 requests in flight would take 47 GB of memory",
        "would fit",
    );
}

/// An input or output with these dimensions.
fn value(
    name: &'static str,
    elem_type: DataType,
    dims: Vec<Dimension<'static>>,
) -> ValueInfo<'static> {
    let dim = |value: Dimension<'static>| TensorShapeDimension {
        value,
        denotation: "",
    };
    let shape = Some(TensorShape {
        dim: dims.into_iter().map(dim).collect(),
    });
    let tensor = TensorTypeProto { elem_type, shape };
    let r#type = Some(TypeProto {
        value: Some(TypeValue::Tensor(tensor)),
        denotation: "",
    });
    ValueInfo {
        name,
        r#type,
        ..ValueInfo::default()
    }
}

/// A model of one node that makes `y` of `x`.
fn one_node(
    bench: &Workbench,
    op_type: OpType<'static>,
    [x, y]: [ValueInfo<'static>; 2],
) -> PathBuf {
    let node = Node {
        op_type,
        input: vec!["x"],
        output: vec!["y"],
        ..Node::default()
    };
    let graph = Graph {
        name: "g",
        node: vec![node],
        input: vec![x],
        output: vec![y],
        ..Graph::default()
    };
    let opset_import = vec![OperatorSetId {
        domain: "",
        version: 9,
    }];
    let model = Model {
        ir_version: 8,
        opset_import,
        graph: Some(graph),
        ..Model::default()
    };
    bench.write("model.onnx", onnx_rs::encode(&model))
}

/// A model whose input and output have so many elements a sample.
fn wide_model(bench: &Workbench, width: i64) -> PathBuf {
    let wide = |name| {
        value(
            name,
            DataType::Float,
            vec![Dimension::Param("N"), Dimension::Value(width)],
        )
    };
    one_node(bench, OpType::Relu, [wide("x"), wide("y")])
}

#[test]
fn a_batch_is_not_proved_where_two_samples_do_not_fit_beside_each_alone() {
    let bench = Workbench::new();
    // 16 MB of inputs and as many of outputs a sample: two fit into the half of 200 MB that trials
    // may take, four do not
    let model = wide_model(&bench, 4_000_000);
    bench
        .profile(&model, ["--batch", "1"])
        .env(LIMIT, "200MB")
        .run()
        .assert_code(0);
    let proof = bench.record().variants[0]
        .model
        .as_ref()
        .unwrap()
        .batch_axis
        .proof
        .clone();
    let BatchProof::NotProved { reason } = proof else {
        panic!("{proof:?}")
    };
    assert!(
        reason.contains("of two samples, alone and together, inputs and outputs would take 128 MB"),
        "{reason}"
    );
}

#[test]
fn a_small_model_with_large_inputs_is_refused_before_they_are_made() {
    let bench = Workbench::new();
    let model = wide_model(&bench, 1 << 31);
    let output = bench
        .profile(&model, ["--batch", "1"])
        .env(LIMIT, "1GB")
        .run();
    output
        .assert_code(BAD_INPUT)
        .assert_stderr(" of memory, and ")
        .assert_stderr("hint: ");
}

#[test]
fn an_output_that_an_input_makes_too_large_is_refused() {
    let bench = Workbench::new();
    let sizes = value("x", DataType::Int64, vec![Dimension::Value(2)]);
    let zeros = value(
        "y",
        DataType::Float,
        vec![Dimension::Param("A"), Dimension::Param("B")],
    );
    let model = one_node(&bench, OpType::ConstantOfShape, [sizes, zeros]);
    let of_size = |size: &str| {
        let range = format!("x={size}..{size}");
        bench
            .profile(&model, ["--batch", "1", "--range", range.as_str()])
            .env(LIMIT, "500MB")
            .run()
    };
    // Numbers of 14 GB.
    let output = of_size("60000");
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("found no inputs that the model runs with")
        .assert_stderr("hint: ");
    of_size("60").assert_code(0);
}

#[test]
fn a_session_that_does_not_fit_is_not_created() {
    let bench = Workbench::new();
    let model = bench.copy("digits/digits-fp32.onnx", "m.onnx");
    let size = std::fs::metadata(&model).unwrap().len();
    assert!(size > 1 << 20, "{size}");
    let output = bench
        .profile(&model, ["--batch", "1"])
        .env(LIMIT, "1MB")
        .run();
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("m.onnx` would take 1.6 MB of memory");
}

/// How a message of so many bytes begins.
fn head(tag: u8, mut length: usize) -> Vec<u8> {
    let mut out = vec![tag];
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out
}

#[test]
fn a_graph_that_does_not_fit_is_not_built() {
    let bench = Workbench::new();
    // Nodes without a word, of two bytes each.
    let nodes = [0x0a_u8, 0].repeat(300_000);
    let model = [
        &[8_u8, 8][..],
        &head(0x3a, nodes.len()),
        &nodes,
        &[0x42, 2, 16, 8],
    ]
    .concat();
    let path = bench.write("empty.onnx", model);
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(path)
        .env(LIMIT, "100MB")
        .run();
    output.assert_error(
        BAD_INPUT,
        "empty.onnx` does not fit into memory",
        "with a smaller graph",
    );
    output
        .assert_stderr("its graph would take ")
        .assert_stderr(" may be used by the limit in ONNXPROF_MEMORY");
}

#[test]
fn a_name_that_does_not_fit_is_not_read() {
    const LENGTH: usize = 70_000_000;
    let bench = Workbench::new();
    // A node's name, which is a hole of the file.
    let name = head(0x1a, LENGTH);
    let node = [head(0x0a, name.len() + LENGTH), name].concat();
    let model = [vec![8, 8], head(0x3a, node.len() + LENGTH), node].concat();
    let path = bench.write("name.onnx", &model);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len((model.len() + LENGTH) as u64)
        .unwrap();
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(path)
        .env(LIMIT, "100MB")
        .run();
    output.assert_error(
        BAD_INPUT,
        "name.onnx` does not fit into memory",
        "with a smaller graph",
    );
    output.assert_stderr("its graph, as far as it was read, would take 280 MB of memory");
}

#[test]
fn whole_numbers_of_a_tensor_that_do_not_fit_are_not_parsed() {
    const COUNT: usize = 4_000_000;
    let bench = Workbench::new();
    let (model, set) = (bench.copy(PRODUCT, "product.onnx"), bench.path("set"));
    std::fs::create_dir(&set).unwrap();
    // Of one byte each, where they become eight several times over.
    std::fs::write(
        set.join("input_0.pb"),
        [head(0x3a, COUNT), vec![1; COUNT]].concat(),
    )
    .unwrap();
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(model)
        .arg("--data")
        .arg(set)
        .env(LIMIT, "100MB")
        .run();
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("input_0.pb` does not fit into memory");
    output.assert_stderr("its tensors would take 128 MB of memory, and ");
}

/// `inspect` that takes the labels in that file for two rows of data, under a limit.
fn inspect_labelled(bench: &Workbench, labels: &Path) -> Command {
    let (model, data) = (bench.copy(PRODUCT, "product.onnx"), bench.path("data.npz"));
    let mut archive = NpzWriter::new(File::create(&data).unwrap());
    archive
        .add_array("a", &Array2::<f32>::zeros((2, 3)))
        .unwrap();
    archive.finish().unwrap();
    let mut command = command();
    command
        .arg("inspect")
        .arg(model)
        .arg("--data")
        .arg(data)
        .arg("--labels")
        .arg(labels)
        .env(LIMIT, "100MB");
    command
}

/// What a command says that is given so much through a pipe.
fn piped(mut command: Command, bytes: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn assert_refused(output: Output, words: &str) {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(BAD_INPUT), "{said}");
    assert!(said.contains(words) && said.contains("hint: "), "{said}");
}

#[test]
fn labels_that_do_not_fit_are_not_taken_apart() {
    let rows = "a\n".repeat(700_000);
    let items = format!("[{}0]", "0,".repeat(700_000));
    for (name, text) in [("labels.csv", &rows), ("labels.json", &items)] {
        let bench = Workbench::new();
        let output = inspect_labelled(&bench, &bench.write(name, text))
            .output()
            .unwrap();
        assert_refused(output, "its labels would take 140 MB of memory, and ");
    }
}

#[test]
fn labels_through_a_pipe_that_do_not_fit_are_not_taken_apart() {
    let bench = Workbench::new();
    let labels = bench.path("labels.csv");
    std::os::unix::fs::symlink("/dev/stdin", &labels).unwrap();
    let output = piped(
        inspect_labelled(&bench, &labels),
        "a\n".repeat(700_000).as_bytes(),
    );
    assert_refused(output, "its labels would take 140 MB of memory, and ");
}

#[test]
fn a_record_through_a_pipe_that_does_not_fit_is_not_parsed() {
    let mut command = command();
    command.arg("show").arg("/dev/stdin").env(LIMIT, "100MB");
    let output = piped(command, &vec![b' '; 12_000_000]);
    assert_refused(
        output,
        "the run in `/dev/stdin` would take 96 MB of memory, and ",
    );
}

#[test]
fn labels_that_fit_are_taken() {
    let bench = Workbench::new();
    let output = inspect_labelled(&bench, &bench.write("labels.csv", "y\n1\n0\n"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8(output.stderr).unwrap()
    );
}

/// An archive with one compressed array, whose head says more than there is.
fn bomb(path: &Path, shape: &str) {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    zip.start_file(
        "x.npy",
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated),
    )
    .unwrap();
    zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
    zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    zip.write_all(header.as_bytes()).unwrap();
    zip.write_all(&[0; 4096]).unwrap();
    zip.finish().unwrap();
}

#[test]
fn an_archive_that_unpacks_to_more_than_fits_is_not_unpacked() {
    let bench = Workbench::new();
    let (model, data) = (bench.copy(PRODUCT, "product.onnx"), bench.path("data.npz"));
    bomb(&data, "(500000000, 3)");
    let words = ["--data", data.to_str().unwrap(), "--batch", "1"];
    let output = bench.profile(&model, words).env(LIMIT, "1GB").run();
    output.assert_error(
        BAD_INPUT,
        "data.npz` does not fit into memory",
        "numpy.savez",
    );
    output.assert_stderr("array `x`, unpacked, would take 6.0 GB of memory, and ");
}
