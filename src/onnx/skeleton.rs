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
        use Fate::{Drop, ElementType, Enter, Keep, KeepIfSmall};
        use Message::{
            Attribute, Dimension, Function, Graph, Map, Model, Node, Sequence, Shape, SparseTensor,
            Tensor, TensorType, Type, ValueInfo,
        };
        match (self, number) {
            (Model, 7) => Enter(Graph),
            (Model, 25) => Enter(Function),
            (Model, 1..=5 | 8) => Keep,
            (Model, 14) => KeepIfSmall,
            (Model, _) => Drop,
            (Graph, 1) | (Function, 7) => Enter(Node),
            (Graph, 5) | (Attribute, 5 | 10) => Enter(Tensor),
            (Graph, 11..=13) => Enter(ValueInfo),
            (Graph, 15) | (Attribute, 22 | 23) => Enter(SparseTensor),
            (Graph, 10 | 14 | 16) => Drop,
            (Node, 5) => Enter(Attribute),
            (Node, 6 | 9) => Drop,
            (Attribute, 6 | 11) => Enter(Graph),
            (Attribute, 14 | 15) => Enter(Type),
            (Attribute, 13) => Drop,
            (Attribute, 4 | 7 | 8 | 9) => KeepIfSmall,
            (Tensor, 2) | (TensorType, 1) | (Map, 1) => ElementType,
            (Tensor, 4..=7 | 9..=11) => KeepIfSmall,
            (Tensor, later::DOC_STRING | 16) => Drop,
            (SparseTensor, 1 | 2) => Enter(Tensor),
            (ValueInfo, 2) | (Sequence, 1) | (Map, 2) => Enter(Type),
            (ValueInfo, 3 | 4) => Drop,
            (Type, 1 | 8) => Enter(TensorType),
            (Type, 4 | 9) => Enter(Sequence),
            (Type, 5) => Enter(Map),
            (Type, DENOTATION) => Drop,
            (TensorType, 2) => Enter(Shape),
            (Shape, 1) => Enter(Dimension),
            (Function, 8 | 11 | 12 | 14) => Drop,
            _ => Keep,
        }
    }
}

pub(super) fn skeleton(image: &Image<'_>) -> Result<Vec<u8>, SkeletonFault> {
    let mut model = Skeleton {
        image,
        message: Message::Model,
        depth: 1,
        out: Vec::new(),
    };
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
        model.put(&field)?;
    }
    begun.then_some(model.out).ok_or(SkeletonFault::NotModel)
}

/// A message that is copied without its weights.
struct Skeleton<'i> {
    image: &'i Image<'i>,
    message: Message,
    /// How deep it is in others.
    depth: usize,
    out: Vec<u8>,
}

impl Skeleton<'_> {
    /// A message within.
    fn inner(&self, message: Message, mut rest: Stretch) -> Result<Vec<u8>, SkeletonFault> {
        let mut copy = Skeleton {
            message,
            depth: self.depth + 1,
            out: Vec::new(),
            ..*self
        };
        if copy.depth > DEPTH_LIMIT {
            return Err(SkeletonFault::TooDeep);
        }
        let mut has_size = false;
        while !rest.is_empty() {
            let field = next_field(self.image, &mut rest).map_err(|_| SkeletonFault::Damaged)?;
            has_size |= matches!(field.number, 1 | 2);
            copy.put(&field)?;
        }
        if message == Message::Dimension && !has_size {
            put_number(&mut copy.out, 1, UNKNOWN_SIZE as u64);
        }
        Ok(copy.out)
    }

    fn put(&mut self, field: &Field) -> Result<(), SkeletonFault> {
        match (self.message.fate(field.number), &field.value) {
            (Fate::Drop, _) => {}
            (Fate::Enter(inner), Value::Delimited(content)) => {
                let kept = self.inner(inner, content.clone())?;
                self.check_growth(kept.len())?;
                put_delimited(&mut self.out, field.number, &kept);
                self.put_later(content);
            }
            (Fate::KeepIfSmall, Value::Delimited(content))
                if content.end - content.start > KEPT_PAYLOAD_BYTES as u64 => {}
            (Fate::ElementType, &Value::Varint(number)) => match self.message {
                Message::Tensor => later::put_element_type(&mut self.out, number),
                _ => put_number(&mut self.out, field.number, later::known(number)),
            },
            (Fate::Enter(_) | Fate::ElementType, _) => return Err(SkeletonFault::Damaged),
            (Fate::Keep | Fate::KeepIfSmall, _) => self.put_whole(field)?,
        }
        Ok(())
    }

    /// Beside a type, the name of an element type in it that the parser does not know.
    fn put_later(&mut self, content: &Stretch) {
        if self.message == Message::Type
            && let Some(name) = later::name_in(self.image, content.clone(), 1)
        {
            put_delimited(&mut self.out, DENOTATION, name.as_bytes());
        }
    }

    fn put_whole(&mut self, field: &Field) -> Result<(), SkeletonFault> {
        let length = (field.whole.end - field.whole.start) as usize;
        self.check_growth(length)?;
        let whole = self.image.read(field.whole.start, length);
        self.out.extend(whole.ok_or(SkeletonFault::Damaged)?);
        Ok(())
    }

    fn check_growth(&self, more: usize) -> Result<(), SkeletonFault> {
        check_growth(self.out.len(), self.out.len() + more)
    }
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
