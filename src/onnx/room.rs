//! Whether there is memory for a model's graph, asked before it is built.
//!
//! An empty message takes two bytes of a file and hundreds of memory, as the parser's and as ours.

use onnx_rs::ast;

use super::graph::{Attribute, Function, Graph, Node, StoredTensor};
use super::image::Image;
use super::skeleton::{Fate, Message};
use super::wire::{Stretch, Value, next_field};
use crate::memory::{self, TooMuch};
use crate::record::{Dim, ValueType};
use crate::units::Bytes;

/// Memory of a text beside its bytes: its place in the parser's list, twice, and in ours, and its
/// management.
const TEXT: u64 = 128;
/// Memory of a number, and of a byte of packed ones: eight bytes in the parser's list, twice, and
/// eight of ours.
const NUMBER: u64 = 24;
/// Memory per byte of raw elements: those of one byte are numbers of eight for us.
const RAW: u64 = 8;

pub(super) fn ask(skeleton: &[u8]) -> Result<(), TooMuch> {
    memory::ask(needed(skeleton), || "its graph".to_owned())
}

fn needed(skeleton: &[u8]) -> Bytes {
    let length = skeleton.len() as u64;
    Bytes(within(&Image::of_bytes(skeleton), Message::Model, 0..length).saturating_add(length))
}

/// Memory that the fields of a message take. Damage ends it, of which the parser says what is
/// wrong.
fn within(image: &Image<'_>, message: Message, mut rest: Stretch) -> u64 {
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let Ok(field) = next_field(image, &mut rest) else {
            break;
        };
        let taken = match (message.fate(field.number), field.value) {
            (Fate::Enter(inner), Value::Delimited(content)) => {
                of_message(inner) + within(image, inner, content)
            }
            (_, Value::Delimited(content)) => {
                of_content(message, field.number, content.end - content.start)
            }
            (_, Value::Varint(_) | Value::Fixed) => NUMBER,
        };
        sum = sum.saturating_add(taken);
    }
    sum
}

/// Memory of a field of packed numbers, of raw elements, or of a text that has so many bytes.
fn of_content(message: Message, number: u64, length: u64) -> u64 {
    match (message, number) {
        (Message::Attribute, 7 | 8)
        | (Message::Tensor, 1 | 4 | 5 | 7 | 10 | 11)
        | (Message::SparseTensor, 3) => NUMBER * length,
        (Message::Tensor, 9) => RAW * length,
        _ => TEXT + length,
    }
}

/// Memory of a message without its fields: for the parser in a list that may have as much room
/// again, and for us.
fn of_message(message: Message) -> u64 {
    match message {
        Message::Model | Message::Graph => both::<ast::Graph<'_>, Graph>(),
        Message::Node => both::<ast::Node<'_>, Node>(),
        Message::Attribute => both::<ast::Attribute<'_>, Attribute>(),
        Message::Tensor => both::<ast::TensorProto<'_>, StoredTensor>(),
        Message::SparseTensor => both::<ast::SparseTensor<'_>, StoredTensor>(),
        Message::ValueInfo => both::<ast::ValueInfo<'_>, [(String, ValueType); 2]>(),
        Message::Dimension => both::<ast::TensorShapeDimension<'_>, Dim>(),
        Message::Function => both::<ast::Function<'_>, Function>(),
        Message::Type | Message::TensorType | Message::Sequence | Message::Map | Message::Shape => {
            both::<ast::TypeProto<'_>, ValueType>()
        }
    }
}

fn both<Parsed, Kept>() -> u64 {
    (2 * size_of::<Parsed>() + size_of::<Kept>()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::message;

    /// A model with a graph of so many messages, each of these bytes.
    fn model(number: u64, bytes: &[u8], count: usize) -> Vec<u8> {
        message(&[(7, &message(&vec![(number, bytes); count]))])
    }

    #[test]
    fn empty_messages_take_what_they_are_built_into() {
        let nodes = needed(&model(1, &[], 1_000)).0 - needed(&model(1, &[], 0)).0;
        let built = size_of::<ast::Node<'_>>() + size_of::<Node>();
        assert!(
            nodes > 1_000 * built as u64 && nodes < 1_000 * 4 * built as u64,
            "{nodes}"
        );
        // Attributes of a node, each of which has room for a tensor.
        let attributes = needed(&model(1, &[0x2a_u8, 0].repeat(1_000), 1)).0;
        assert!(
            attributes > 1_000 * size_of::<ast::Attribute<'_>>() as u64,
            "{attributes}"
        );
    }

    #[test]
    fn texts_and_numbers_take_what_they_are_built_into() {
        // Inputs without names, and whole numbers of an attribute, packed and one by one.
        let inputs = needed(&model(1, &[0x0a_u8, 0].repeat(1_000), 1)).0;
        let attribute = |numbers: &[u8]| needed(&model(1, &message(&[(5, numbers)]), 1)).0;
        let (packed, unpacked) = (
            attribute(&message(&[(8, &[1; 1_000])])),
            attribute(&[0x40_u8, 1].repeat(1_000)),
        );
        assert!(
            inputs > 1_000 * 40 && packed > 1_000 * 16 && unpacked > 1_000 * 16,
            "{inputs} {packed} {unpacked}"
        );
    }

    #[test]
    fn graphs_that_exist_are_small() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fixtures/one-node.onnx");
        let needed = needed(&std::fs::read(path).unwrap());
        assert!((1_000..20_000).contains(&needed.0), "{needed:?}");
        assert_eq!(ask(&model(1, &[], 100)), Ok(()));
    }

    #[test]
    fn what_is_damaged_ends_the_count() {
        assert_eq!(needed(&[0x3a]), Bytes(1));
        assert_eq!(needed(&[0x3a, 5, 1]), Bytes(3));
    }
}
