//! From a path to a [`Model`].

use std::io;
use std::path::Path;

use onnx_rs::ast;

use super::image::Image;
use super::ort_format::{self, is_ort_format};
use super::skeleton::{SkeletonFault, skeleton};
use super::{Model, OnnxError, convert, room, weights};
use crate::files::{self, InputFile, Kind};
use crate::units::Bytes;

/// Reads the model at `path`. Weights stay in the file, so that memory goes with the graph and not
/// with the weights.
///
/// # Errors
/// The file is missing, empty, truncated, damaged or no model, or is changed meanwhile; or a file
/// that holds its weights is missing or too short.
pub fn read(path: &Path) -> Result<Model, OnnxError> {
    let open = |source| OnnxError::Open(path.to_owned(), source);
    let file = files::open(path, Kind::MODEL).map_err(|source| match source.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            OnnxError::NotFile(path.to_owned())
        }
        _ => open(source),
    })?;
    if file.len() == 0 {
        return Err(OnnxError::Empty(path.to_owned()));
    }
    let small = without_weights(path, &file)?;
    file.check_unchanged().map_err(open)?;
    room::ask(&small).map_err(|reason| OnnxError::Memory(path.to_owned(), reason))?;
    let parsed = onnx_rs::parse(&small)
        .map_err(|source| OnnxError::Damaged(path.to_owned(), Some(source)))?;
    let mut model = model(path, &parsed)?;
    model.model_file_bytes = Bytes(file.len());
    model.external_files = weights::external_files(&model)?;
    Ok(model)
}

fn without_weights(path: &Path, file: &InputFile) -> Result<Vec<u8>, OnnxError> {
    let image = Image::of(file);
    let is_ort_format = is_ort_format(&image.peek::<8>(0).0);
    let small = if is_ort_format {
        ort_format::as_onnx(&image)
    } else {
        skeleton(&image)
    };
    match image.take_fault() {
        Some(source) => Err(OnnxError::Open(path.to_owned(), source)),
        None => small.map_err(|fault| fault_error(path, fault)),
    }
}

fn fault_error(path: &Path, fault: SkeletonFault) -> OnnxError {
    let path = path.to_owned();
    match fault {
        SkeletonFault::NotModel => OnnxError::NotOnnx(path),
        SkeletonFault::Truncated(missing_bytes) => OnnxError::Truncated(path, missing_bytes),
        SkeletonFault::Damaged => OnnxError::Damaged(path, None),
        SkeletonFault::TooDeep => OnnxError::TooDeep(path),
        SkeletonFault::TooLarge => OnnxError::TooLarge(path),
        SkeletonFault::Memory(reason) => OnnxError::Memory(path, reason),
    }
}

fn model(path: &Path, parsed: &ast::Model<'_>) -> Result<Model, OnnxError> {
    let missing = |part| OnnxError::Missing(path.to_owned(), part);
    let graph = parsed.graph.as_ref().ok_or_else(|| missing("graph"))?;
    if graph.node.is_empty() {
        return Err(missing("nodes"));
    }
    if parsed.opset_import.is_empty() {
        return Err(missing("operator set import"));
    }
    Ok(Model {
        path: path.to_owned(),
        ir_version: parsed.ir_version,
        opsets: parsed.opset_import.iter().map(convert::opset).collect(),
        producer: producer(parsed),
        graph: convert::graph(graph),
        functions: parsed.functions.iter().map(convert::function).collect(),
        metadata: parsed
            .metadata_props
            .iter()
            .map(|entry| (entry.key.to_owned(), entry.value.to_owned()))
            .collect(),
        ..Model::default()
    })
}

fn producer(parsed: &ast::Model<'_>) -> Option<String> {
    match (parsed.producer_name, parsed.producer_version) {
        ("", "") => None,
        (text, "") | ("", text) => Some(text.to_owned()),
        (name, version) => Some(format!("{name} {version}")),
    }
}

#[cfg(test)]
mod tests {
    use onnx_rs::ast::{
        AttributeType, DataLocation, DataType, Dimension, Graph, Model as Proto, Node, OpType,
        OperatorSetId, StringStringEntry, TensorProto, TensorShape, TensorShapeDimension,
        TensorTypeProto, TypeProto, TypeValue, ValueInfo,
    };

    use super::*;
    use crate::onnx::summary;
    use crate::plan::ElementType;

    fn value(name: &'static str, sizes: &[i64]) -> ValueInfo<'static> {
        let dim = |&size: &i64| TensorShapeDimension {
            value: Dimension::Value(size),
            denotation: "",
        };
        let shape = Some(TensorShape {
            dim: sizes.iter().map(dim).collect(),
        });
        let tensor = TensorTypeProto {
            elem_type: DataType::Float,
            shape,
        };
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

    fn proto(initializers: Vec<TensorProto<'static>>) -> Proto<'static> {
        let node = Node {
            op_type: OpType::MatMul,
            input: vec!["x", "w"],
            output: vec!["y"],
            ..Node::default()
        };
        let graph = Graph {
            node: vec![node],
            input: vec![value("x", &[1, 3]), value("w", &[3, 2])],
            output: vec![value("y", &[1, 2])],
            initializer: initializers,
            ..Graph::default()
        };
        let (domain, version) = ("", 8);
        Proto {
            ir_version: 3,
            opset_import: vec![OperatorSetId { domain, version }],
            graph: Some(graph),
            ..Proto::default()
        }
    }

    fn weight() -> TensorProto<'static> {
        TensorProto::from_f32("w", vec![3, 2], vec![0.5; 6])
    }

    fn external(length: &'static str) -> TensorProto<'static> {
        let entry = |key, value| StringStringEntry { key, value };
        TensorProto::from_raw("w", vec![3, 2], DataType::Float, &[])
            .with_data_location(DataLocation::External)
            .with_external_data(vec![entry("location", "w.bin"), entry("length", length)])
    }

    fn read_bytes(bytes: &[u8]) -> Result<Model, OnnxError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    }

    fn read_proto(proto: &Proto<'_>) -> Result<Model, OnnxError> {
        read_bytes(&onnx_rs::encode(proto))
    }

    #[test]
    fn weights_that_are_listed_as_inputs_are_no_inputs() {
        let model = read_proto(&proto(vec![weight()])).unwrap();
        let inputs = model.graph.inputs.iter().map(|info| info.name.exact());
        assert!(inputs.eq(["x"]));
        assert_eq!(summary(&model).precision.label, "fp32");
    }

    #[test]
    fn tensors_of_constant_nodes_are_weights_if_they_are_large() {
        let constant = |elements: i64| {
            let tensor = TensorProto::from_f32("", vec![elements], vec![0.0; elements as usize]);
            let attribute = ast::Attribute {
                name: "value",
                r#type: AttributeType::Tensor,
                t: Some(tensor),
                ..ast::Attribute::default()
            };
            let mut proto = proto(vec![weight()]);
            proto.graph.as_mut().unwrap().node.push(Node {
                op_type: OpType::Constant,
                output: vec!["c"],
                attribute: vec![attribute],
                ..Node::default()
            });
            summary(&read_proto(&proto).unwrap()).weights[0].elements_count
        };
        assert_eq!((constant(63), constant(64)), (6, 70));
    }

    #[test]
    fn element_type_of_the_future_is_undefined_and_no_error() {
        let mut bytes = onnx_rs::encode(&proto(vec![weight()]));
        // The weight's data type, field 2, follows its packed dimensions, field 1.
        let at = bytes
            .windows(6)
            .position(|window| window == [10, 2, 3, 2, 16, 1])
            .unwrap();
        bytes[at + 5] = 99;
        let model = read_bytes(&bytes).unwrap();
        assert_eq!(
            model.graph.initializers[0].element_type,
            ElementType::Undefined
        );
    }

    #[test]
    fn properties_that_the_exporter_noted_are_kept() {
        let mut noted = proto(vec![weight()]);
        noted.metadata_props = vec![StringStringEntry {
            key: "imgsz",
            value: "[96, 96]",
        }];
        let model = read_proto(&noted).unwrap();
        assert_eq!(model.metadata["imgsz"], "[96, 96]");
    }

    #[test]
    fn weights_that_no_number_counts_are_counted_up_to_the_largest() {
        let huge = |name: &'static str, data_type: DataType| {
            TensorProto::from_raw(name, vec![1 << 61], data_type, &[])
        };
        let weights = vec![huge("w", DataType::Double), huge("v", DataType::Int64)];
        let summary = summary(&read_proto(&proto(weights)).unwrap());
        let bytes = summary.weights.iter().map(|row| row.bytes);
        assert!(bytes.eq([Bytes(u64::MAX); 2]));
        let mut shares = summary.precision.shares.iter();
        assert!(shares.all(|share| share.bytes_ratio.0 <= 1.0));
    }

    #[test]
    fn missing_parts_are_named() {
        let missing = |proto: &Proto<'_>| read_proto(proto).unwrap_err().to_string();
        let mut bare = proto(vec![weight()]);
        bare.opset_import.clear();
        assert!(missing(&bare).ends_with("has no operator set import"));
        bare.graph = None;
        assert!(missing(&bare).ends_with("has no graph"));
    }

    #[test]
    fn external_file_is_named_where_it_is_missing_or_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, onnx_rs::encode(&proto(vec![external("24")]))).unwrap();
        let weights = folder.path().join("w.bin");
        let missing = read(&path).unwrap_err();
        assert!(matches!(missing, OnnxError::ExternalFile { file, .. } if file == weights));
        std::fs::write(&weights, [0; 23]).unwrap();
        let short = read(&path).unwrap_err();
        assert!(matches!(
            short,
            OnnxError::ExternalShort {
                end: 24,
                size_bytes: 23,
                ..
            }
        ));
        std::fs::write(&weights, [0; 24]).unwrap();
        let model = read(&path).unwrap();
        assert_eq!(model.external_files.get(&weights), Some(&Bytes(24)));
        assert_eq!(
            summary(&model).file_size_bytes,
            Bytes(model.model_file_bytes.0 + 24)
        );
    }

    #[test]
    fn every_truncation_is_an_error_and_no_flipped_bit_makes_a_panic() {
        let bytes = onnx_rs::encode(&proto(vec![weight()]));
        for at in 0..bytes.len() {
            assert!(
                read_bytes(&bytes[..at]).is_err(),
                "{at} of {} bytes were read",
                bytes.len()
            );
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                drop(read_bytes(&damaged).map(|model| summary(&model)));
            }
        }
    }
}
