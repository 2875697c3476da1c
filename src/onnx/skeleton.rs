//! A model file without its weights, for the parser.
//!
//! The parser copies numbers that a file does not store as raw bytes, recurses as deep as the file
//! says, takes a dimension without a size for one of size 0 and refuses element types that it has
//! not heard of. One walk over the file takes care of all four, and steps over what it does not
//! keep: what comes out is small and shallow, and says what the file says.

use super::image::Image;
use super::later;
use super::wire::{Field, Stretch, Value, WireFault, next_field, put_delimited, put_number};
use crate::memory::{self, TooMuch};
use crate::units::Bytes;

/// Payloads of tensors up to this many bytes are kept: shapes, axes, scalars and the like, which
/// bound indices. So are properties of the model: names of a thousand classes take more, and
/// nothing here needs those.
pub(super) const KEPT_PAYLOAD_BYTES: usize = 4096;
/// Protobuf's own limit on nested messages, beyond which ONNX Runtime does not read either.
pub(super) const DEPTH_LIMIT: usize = 100;
/// A text of a type that nothing here reads: it carries the name of an element type that the parser
/// does not know.
const DENOTATION: u64 = 6;
/// Size of a model without its weights beyond which it is none: the largest that are known have 60
/// MB.
pub(super) const MOST_KEPT: Bytes = Bytes(1 << 29);
/// Memory for what is kept is asked for whenever it has grown by so much.
const STEP: usize = 1 << 26;
/// Copies of what is kept that there are at once: within the messages that it is part of, and room
/// that these leave.
const COPIES: u64 = 4;
/// Size of a dimension that the file gives neither size nor name, as protobuf writes -1.
pub(super) const UNKNOWN_SIZE: i64 = -1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SkeletonFault {
    /// The bytes are not a message, or not one that begins as a model does.
    NotModel,
    /// The file ends within a field, this many bytes early as far as it says.
    Truncated(Option<u64>),
    Damaged,
    TooDeep,
    /// Names and attributes take more than [`MOST_KEPT`].
    TooLarge,
    Memory(TooMuch),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Type,
    TensorType,
    Sequence,
    Map,
    Shape,
    Dimension,
    Function,
}

pub(super) enum Fate {
    Keep,
    Drop,
    Enter(Message),
    KeepIfSmall,
    ElementType,
}

impl Message {
    /// The fate of field `number`, by the numbers of `onnx.proto`.
    pub(super) fn fate(self, number: u64) -> Fate {
        match (self, number) {
            (Message::Model, 7) => Fate::Enter(Message::Graph),
            (Message::Model, 25) => Fate::Enter(Message::Function),
            (Message::Model, 1..=5 | 8) => Fate::Keep,
            (Message::Model, 14) => Fate::KeepIfSmall,
            (Message::Model, _) => Fate::Drop,
            (Message::Graph, 1) | (Message::Function, 7) => Fate::Enter(Message::Node),
            (Message::Graph, 5) | (Message::Attribute, 5 | 10) => Fate::Enter(Message::Tensor),
            (Message::Graph, 11..=13) => Fate::Enter(Message::ValueInfo),
            (Message::Graph, 15) | (Message::Attribute, 22 | 23) => {
                Fate::Enter(Message::SparseTensor)
            }
            (Message::Graph, 10 | 14 | 16) => Fate::Drop,
            (Message::Node, 5) => Fate::Enter(Message::Attribute),
            (Message::Node, 6 | 9) => Fate::Drop,
            (Message::Attribute, 6 | 11) => Fate::Enter(Message::Graph),
            (Message::Attribute, 14 | 15) => Fate::Enter(Message::Type),
            (Message::Attribute, 13) => Fate::Drop,
            (Message::Attribute, 4 | 7 | 8 | 9) => Fate::KeepIfSmall,
            (Message::Tensor, 2) | (Message::TensorType, 1) | (Message::Map, 1) => {
                Fate::ElementType
            }
            (Message::Tensor, 4..=7 | 9..=11) => Fate::KeepIfSmall,
            (Message::Tensor, later::DOC_STRING | 16) => Fate::Drop,
            (Message::SparseTensor, 1 | 2) => Fate::Enter(Message::Tensor),
            (Message::ValueInfo, 2) | (Message::Sequence, 1) | (Message::Map, 2) => {
                Fate::Enter(Message::Type)
            }
            (Message::ValueInfo, 3 | 4) => Fate::Drop,
            (Message::Type, 1 | 8) => Fate::Enter(Message::TensorType),
            (Message::Type, 4 | 9) => Fate::Enter(Message::Sequence),
            (Message::Type, 5) => Fate::Enter(Message::Map),
            (Message::Type, DENOTATION) => Fate::Drop,
            (Message::TensorType, 2) => Fate::Enter(Message::Shape),
            (Message::Shape, 1) => Fate::Enter(Message::Dimension),
            (Message::Function, 8 | 11 | 12 | 14) => Fate::Drop,
            _ => Fate::Keep,
        }
    }
}

pub(super) fn skeleton(image: &Image<'_>) -> Result<Vec<u8>, SkeletonFault> {
    let mut out = Vec::new();
    let mut rest = 0..image.len();
    let mut begun = false;
    while !rest.is_empty() {
        let field = next_field(image, &mut rest).map_err(|fault| match fault {
            WireFault::PastEnd(missing) if begun => SkeletonFault::Truncated(missing),
            WireFault::Malformed if begun => SkeletonFault::Damaged,
            _ => SkeletonFault::NotModel,
        })?;
        // Writers put fields in the order of their numbers, and field 1 is the version of the
        // format.
        begun |= field.number == 1 && matches!(field.value, Value::Varint(1..));
        put_field(image, Message::Model, &field, 1, &mut out)?;
    }
    if begun {
        Ok(out)
    } else {
        Err(SkeletonFault::NotModel)
    }
}

/// Copies a message to `out`, which is so deep in others.
fn put_message(
    image: &Image<'_>,
    message: Message,
    mut rest: Stretch,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), SkeletonFault> {
    if depth > DEPTH_LIMIT {
        return Err(SkeletonFault::TooDeep);
    }
    let mut has_size = false;
    while !rest.is_empty() {
        let field = next_field(image, &mut rest).map_err(|_| SkeletonFault::Damaged)?;
        has_size |= matches!(field.number, 1 | 2);
        put_field(image, message, &field, depth, out)?;
    }
    if message == Message::Dimension && !has_size {
        put_number(out, 1, UNKNOWN_SIZE as u64);
    }
    Ok(())
}

fn put_field(
    image: &Image<'_>,
    message: Message,
    field: &Field,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), SkeletonFault> {
    match (message.fate(field.number), &field.value) {
        (Fate::Drop, _) => {}
        (Fate::Enter(inner), Value::Delimited(content)) => {
            let mut kept = Vec::new();
            put_message(image, inner, content.clone(), depth + 1, &mut kept)?;
            check_growth(out.len(), out.len() + kept.len())?;
            put_delimited(out, field.number, &kept);
            if let (Message::Type, Some(name)) =
                (message, later::name_in(image, content.clone(), 1))
            {
                put_delimited(out, DENOTATION, name.as_bytes());
            }
        }
        (Fate::Enter(_), _) => return Err(SkeletonFault::Damaged),
        (Fate::KeepIfSmall, Value::Delimited(content))
            if content.end - content.start > KEPT_PAYLOAD_BYTES as u64 => {}
        (Fate::ElementType, &Value::Varint(number)) => match message {
            Message::Tensor => later::put_element_type(out, number),
            _ => put_number(out, field.number, later::known(number)),
        },
        (Fate::ElementType, _) => return Err(SkeletonFault::Damaged),
        _ => {
            let length = (field.whole.end - field.whole.start) as usize;
            check_growth(out.len(), out.len() + length)?;
            out.extend(
                image
                    .read(field.whole.start, length)
                    .ok_or(SkeletonFault::Damaged)?,
            );
        }
    }
    Ok(())
}

/// Makes sure that what is kept may grow from so many bytes to so many.
pub(super) fn check_growth(before: usize, after: usize) -> Result<(), SkeletonFault> {
    if after as u64 > MOST_KEPT.0 {
        return Err(SkeletonFault::TooLarge);
    }
    if before / STEP == after / STEP {
        return Ok(());
    }
    memory::ask(Bytes(after as u64 * COPIES), || {
        "its graph, as far as it was read,".to_owned()
    })
    .map_err(SkeletonFault::Memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::message;

    fn skeleton(bytes: &[u8]) -> Result<Vec<u8>, SkeletonFault> {
        super::skeleton(&Image::of_bytes(bytes))
    }

    fn delimited(number: u64, content: &[u8]) -> Vec<u8> {
        message(&[(number, content)])
    }

    fn model(graph: &[u8]) -> Vec<u8> {
        [&[8, 8], &delimited(7, graph)[..]].concat()
    }

    #[test]
    fn large_payloads_are_dropped_and_small_ones_kept() {
        let small = model(&delimited(5, &delimited(9, &[1; KEPT_PAYLOAD_BYTES])));
        assert_eq!(skeleton(&small).unwrap(), small);
        let large = model(&delimited(5, &delimited(9, &[1; KEPT_PAYLOAD_BYTES + 1])));
        assert_eq!(skeleton(&large).unwrap(), model(&delimited(5, &[])));
    }

    #[test]
    fn dimension_without_size_is_not_taken_for_an_empty_one() {
        let shape = |dim: &[u8]| {
            let tensor = delimited(1, &delimited(2, &delimited(1, dim)));
            model(&delimited(11, &delimited(2, &tensor)))
        };
        let mut unknown = Vec::new();
        put_number(&mut unknown, 1, UNKNOWN_SIZE as u64);
        assert_eq!(skeleton(&shape(&[])).unwrap(), shape(&unknown));
        assert_eq!(skeleton(&shape(&[8, 0])).unwrap(), shape(&[8, 0]));
    }

    #[test]
    fn nesting_beyond_protobufs_limit_is_an_error() {
        let mut graph = Vec::new();
        for _ in 0..10_000 {
            graph = delimited(1, &delimited(5, &delimited(6, &graph)));
        }
        assert_eq!(skeleton(&model(&graph)), Err(SkeletonFault::TooDeep));
    }

    #[test]
    fn file_that_ends_early_says_how_many_bytes_are_missing_and_text_is_no_model() {
        let whole = model(&[0x12, 3, b'a', b'b', b'c']);
        assert_eq!(
            skeleton(&whole[..whole.len() - 2]),
            Err(SkeletonFault::Truncated(Some(2)))
        );
        assert_eq!(
            skeleton(b"This is a text file, not a model.\n"),
            Err(SkeletonFault::NotModel)
        );
    }

    #[test]
    fn a_name_that_no_memory_is_for_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // A node's name that goes on to the end of a file with a hole.
        let (name, node) = (MOST_KEPT.0 + 1, MOST_KEPT.0 + 7);
        let mut head = vec![8, 8];
        for (number, length) in [(7, node + 6), (1, node), (3, name)] {
            let tag = head.len();
            put_number(&mut head, number, length);
            head[tag] |= 2;
        }
        std::fs::write(file.path(), &head).unwrap();
        file.as_file().set_len(head.len() as u64 + name).unwrap();
        let opened = crate::files::open(file.path(), crate::files::Kind::MODEL).unwrap();
        assert_eq!(
            super::skeleton(&Image::of(&opened)),
            Err(SkeletonFault::TooLarge)
        );
    }
}
