//! Files of ONNX Runtime's own format, `.ort`, as the parser takes models.
//!
//! The format holds what a model of ONNX holds, in a flatbuffer: `ort.fbs` in ONNX Runtime's
//! sources, whose fields go by their numbers here. Its graph is one that ONNX Runtime has
//! optimized. Like the skeleton of a model, what comes out has no weights.

mod flatbuffer;
mod order;

use std::cell::Cell;
use std::collections::BTreeMap;

use flatbuffer::Table;

use super::image::Image;
use super::later;
use super::skeleton::{
    DEPTH_LIMIT, KEPT_PAYLOAD_BYTES, MOST_KEPT, SkeletonFault, UNKNOWN_SIZE, check_growth,
};
use super::wire::{put_delimited, put_fixed, put_number};
use crate::memory;
use crate::units::Bytes;

/// The format's mark, and where it stands.
const MARK: (usize, &[u8]) = (4, b"ORTM");

/// Kinds of attributes, as ONNX numbers them too.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;

/// Whether a file that begins like this is of the format.
#[must_use]
pub fn is_ort_format(begin: &[u8]) -> bool {
    begin
        .get(MARK.0..)
        .is_some_and(|rest| rest.starts_with(MARK.1))
}

pub(super) fn as_onnx(image: &Image<'_>) -> Result<Vec<u8>, SkeletonFault> {
    let left = image.len().min(MOST_KEPT.0 / OVERHEAD as u64) as usize;
    let writer = Writer {
        left: Cell::new(left),
    };
    let model = Table::root(image)?
        .table(1)?
        .ok_or(SkeletonFault::Damaged)?;
    let mut out = Vec::new();
    put_number(&mut out, 1, model.long(0)? as u64);
    put_delimited(&mut out, 2, &model.text(2)?);
    put_delimited(&mut out, 3, &model.text(3)?);
    if let Some(graph) = model.table(7)? {
        put_delimited(&mut out, 7, &writer.graph(graph, 0)?);
    }
    for opset in model.tables(1)? {
        put_delimited(&mut out, 8, &operator_set(opset)?);
    }
    for entry in model.tables(9)? {
        let property = property(entry)?;
        if property.len() <= KEPT_PAYLOAD_BYTES {
            put_delimited(&mut out, 14, &property);
        }
    }
    Ok(out)
}

fn operator_set(opset: Table<'_>) -> Message {
    let mut out = Vec::new();
    put_delimited(&mut out, 1, &opset.text(0)?);
    put_number(&mut out, 2, opset.long(1)? as u64);
    Ok(out)
}

fn property(entry: Table<'_>) -> Message {
    let mut out = Vec::new();
    put_delimited(&mut out, 1, &entry.text(0)?);
    put_delimited(&mut out, 2, &entry.text(1)?);
    Ok(out)
}

type Message = Result<Vec<u8>, SkeletonFault>;

/// Writes messages of ONNX. Tables of a damaged file may share their contents without end, which is
/// not followed.
struct Writer {
    /// Bytes of messages that may still be written: in a file that is none of that kind, each byte
    /// is in one message.
    left: Cell<usize>,
}

/// Bytes that a table's message may have beyond what the file holds of it.
const OVERHEAD: usize = 64;
/// Memory of a node while nodes are put in order, with the names that it reads and makes.
const ORDERED: u64 = 512;

impl Writer {
    /// The message, where it may still be written.
    fn spent(&self, message: Vec<u8>) -> Message {
        // A name that many nodes share stands in the file once, so that messages may be a few times
        // as long.
        let cost = message.len() / OVERHEAD;
        let left = self.left.get().checked_sub(cost.max(1));
        self.left.set(left.ok_or(SkeletonFault::Damaged)?);
        Ok(message)
    }

    fn graph(&self, graph: Table<'_>, depth: usize) -> Message {
        if depth > DEPTH_LIMIT {
            return Err(SkeletonFault::TooDeep);
        }
        let mut out = Vec::new();
        let nodes = graph.tables(2)?;
        memory::ask(Bytes(ORDERED * nodes.len() as u64), || {
            format!("an order of its {} nodes", nodes.len())
        })
        .map_err(SkeletonFault::Memory)?;
        for node in order::in_order(nodes)? {
            put_part(&mut out, 1, &self.node(node, depth)?)?;
        }
        let mut tensors = graph.tables(0)?;
        for sparse in graph.tables(7)? {
            tensors.extend(sparse.table(0)?);
        }
        for tensor in tensors {
            put_part(&mut out, 5, &self.tensor(tensor)?)?;
        }
        let mut values = BTreeMap::new();
        for value in graph.tables(1)? {
            values.insert(value.text(0)?, value);
        }
        let (inputs, outputs) = (graph.texts(5)?, graph.texts(6)?);
        for (field, names) in [(11, &inputs), (12, &outputs)] {
            for name in names {
                put_part(&mut out, field, &self.value(name, values.get(name))?)?;
            }
        }
        for (name, value) in values
            .iter()
            .filter(|(name, _)| !inputs.contains(name) && !outputs.contains(name))
        {
            put_part(&mut out, 13, &self.value(name, Some(value))?)?;
        }
        Ok(out)
    }

    fn node(&self, node: Table<'_>, depth: usize) -> Message {
        let mut out = Vec::new();
        for (field, names) in [(1, node.texts(8)?), (2, node.texts(9)?)] {
            for name in names {
                put_delimited(&mut out, field, &name);
            }
        }
        for (field, text) in [(3, node.text(0)?), (4, node.text(5)?), (7, node.text(2)?)] {
            put_delimited(&mut out, field, &text);
        }
        for attribute in node.tables(10)? {
            put_delimited(&mut out, 5, &self.attribute(attribute, depth)?);
        }
        self.spent(out)
    }

    fn attribute(&self, attribute: Table<'_>, depth: usize) -> Message {
        let mut out = Vec::new();
        put_delimited(&mut out, 1, &attribute.text(0)?);
        let kind = attribute.int(2)?;
        put_number(&mut out, 20, kind as u64);
        match kind {
            FLOAT => put_fixed(&mut out, 2, attribute.float(3)?),
            INT => put_number(&mut out, 3, attribute.long(4)? as u64),
            STRING => put_delimited(&mut out, 4, &attribute.text(5)?),
            _ => {}
        }
        if let Some(tensor) = attribute.table(6)? {
            put_delimited(&mut out, 5, &self.tensor(tensor)?);
        }
        if let Some(graph) = attribute.table(7)? {
            put_delimited(&mut out, 6, &self.graph(graph, depth + 1)?);
        }
        // Long lists are dropped, as a model's skeleton drops them.
        let most = KEPT_PAYLOAD_BYTES;
        for &float in attribute.floats(8, most)?.unwrap_or_default().as_chunks().0 {
            put_fixed(&mut out, 7, float);
        }
        for int in attribute.longs(9, most)?.unwrap_or_default() {
            put_number(&mut out, 8, int as u64);
        }
        for text in attribute.texts(10)? {
            put_delimited(&mut out, 9, &text);
        }
        for tensor in attribute.tables(11)? {
            put_delimited(&mut out, 10, &self.tensor(tensor)?);
        }
        for graph in attribute.tables(12)? {
            put_delimited(&mut out, 11, &self.graph(graph, depth + 1)?);
        }
        self.spent(out)
    }

    fn tensor(&self, tensor: Table<'_>) -> Message {
        let mut out = Vec::new();
        for size in tensor
            .longs(2, KEPT_PAYLOAD_BYTES)?
            .ok_or(SkeletonFault::Damaged)?
        {
            put_number(&mut out, 1, size as u64);
        }
        later::put_element_type(&mut out, u64::try_from(tensor.int(3)?).unwrap_or(0));
        put_delimited(&mut out, 8, &tensor.text(0)?);
        if let Some(payload) = tensor
            .bytes(4, KEPT_PAYLOAD_BYTES)?
            .filter(|payload| !payload.is_empty())
        {
            put_delimited(&mut out, 9, &payload);
        }
        self.spent(out)
    }

    fn value(&self, name: &[u8], value: Option<&Table<'_>>) -> Message {
        let mut out = Vec::new();
        put_delimited(&mut out, 1, name);
        if let Some(info) = value.map(|value| value.table(2)).transpose()?.flatten() {
            put_delimited(&mut out, 2, &self.value_type(info, 0)?);
        }
        self.spent(out)
    }

    fn value_type(&self, info: Table<'_>, depth: usize) -> Message {
        let (kind, value) = (info.byte(1)?, info.table(2)?);
        let mut out = Vec::new();
        let Some(value) = value else { return Ok(out) };
        if depth > DEPTH_LIMIT {
            return Err(SkeletonFault::TooDeep);
        }
        let mut message = Vec::new();
        match kind {
            1 => {
                put_number(&mut message, 1, element_type(value.int(0)?));
                if let Some(shape) = value.table(1)? {
                    put_delimited(&mut message, 2, &dims(shape)?);
                }
                put_delimited(&mut out, 1, &message);
            }
            2 => {
                put_delimited(&mut message, 1, &self.inner_type(value.table(0)?, depth)?);
                put_delimited(&mut out, 4, &message);
            }
            3 => {
                put_number(&mut message, 1, element_type(value.int(0)?));
                put_delimited(&mut message, 2, &self.inner_type(value.table(1)?, depth)?);
                put_delimited(&mut out, 5, &message);
            }
            _ => {}
        }
        Ok(out)
    }

    fn inner_type(&self, info: Option<Table<'_>>, depth: usize) -> Message {
        match info {
            Some(info) => self.value_type(info, depth + 1),
            None => Ok(Vec::new()),
        }
    }
}

/// Appends a part of a graph, where there is room for it.
fn put_part(out: &mut Vec<u8>, field: u64, part: &[u8]) -> Result<(), SkeletonFault> {
    check_growth(out.len(), out.len() + part.len())?;
    put_delimited(out, field, part);
    Ok(())
}

fn element_type(number: i32) -> u64 {
    u64::try_from(number).map_or(0, later::known)
}

/// The dimensions of a shape: a size, a name, or neither.
fn dims(shape: Table<'_>) -> Message {
    let mut out = Vec::new();
    for dim in shape.tables(0)? {
        let mut message = Vec::new();
        let (kind, size, name) = match dim.table(0)? {
            Some(value) => (value.byte(0)?, value.long(1)?, value.text(2)?),
            None => (0, 0, Vec::new()),
        };
        match kind {
            1 => put_number(&mut message, 1, size as u64),
            2 if !name.is_empty() => put_delimited(&mut message, 2, &name),
            _ => put_number(&mut message, 1, UNKNOWN_SIZE as u64),
        }
        put_delimited(&mut out, 1, &message);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::super::{OnnxError, read, summary};
    use super::*;
    use crate::plan::ElementType;
    use crate::record::{Dim, ValueType};

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models/fixtures")
            .join(name)
    }

    #[test]
    fn file_says_what_the_model_said_that_it_was_made_from() {
        let model = read(&fixture("ort-format.ort")).unwrap();
        let [input] = &model.graph.inputs[..] else {
            panic!("{:?}", model.graph.inputs)
        };
        let dims = Some(vec![Dim::Symbolic("rows".into()), Dim::Fixed(24)]);
        assert_eq!(input.name, "readings");
        assert_eq!(
            input.value_type,
            ValueType::Tensor {
                element_type: ElementType::Float,
                dims
            }
        );
        let summary = summary(&model);
        assert_eq!(summary.outputs[0].name, "level");
        assert_eq!(
            summary.operators.keys().collect::<Vec<_>>(),
            ["Cast", "Gemm", "If", "ReduceSum", "Relu", "Sub"]
        );
        assert_eq!(summary.precision.label, "fp32");
        assert_eq!(summary.weights[0].elements_count, 24 * 6 + 6);
    }

    #[test]
    fn nodes_come_after_those_that_they_read() {
        let model = read(&fixture("ort-format.ort")).unwrap();
        let graph = model.graph;
        let inputs = graph.inputs.iter().map(|info| info.name.exact());
        let stored = graph.initializers.iter().map(|tensor| &tensor.name[..]);
        let mut known: BTreeSet<&str> = inputs.chain(stored).collect();
        for node in &graph.nodes {
            let mut read = node.inputs.iter().filter(|name| !name.is_empty());
            assert!(read.all(|name| known.contains(&name[..])), "{node:?}");
            known.extend(node.outputs.iter().map(String::as_str));
        }
    }

    fn read_bytes(bytes: &[u8]) -> Result<(), OnnxError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.ort");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map(|model| drop(summary(&model)))
    }

    #[test]
    fn no_truncation_and_no_flipped_bit_makes_a_panic() {
        let bytes = std::fs::read(fixture("ort-format.ort")).unwrap();
        for length in (8..bytes.len()).step_by(7) {
            drop(read_bytes(&bytes[..length]));
        }
        assert!(matches!(
            read_bytes(&bytes[..bytes.len() / 2]),
            Err(OnnxError::Damaged { .. })
        ));
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                drop(read_bytes(&damaged));
            }
        }
    }

    #[test]
    fn format_is_told_by_its_mark() {
        assert!(
            is_ort_format(b"\x10\0\0\0ORTM....")
                && !is_ort_format(b"\x08\x07ORTM")
                && !is_ort_format(b"")
        );
    }
}
