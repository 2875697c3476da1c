//! Element types that the parser has not heard of: their names travel in texts that nothing else
//! reads.

use super::image::Image;
use super::wire::{Stretch, Value, next_field, put_delimited, put_number};
use crate::plan::ElementType;

const LAST_KNOWN: u64 = 23;

/// Element types of the standard beyond that, by their numbers.
const LATER: [(u64, ElementType); 3] = [
    (24, ElementType::Float8e8m0),
    (25, ElementType::Uint2),
    (26, ElementType::Int2),
];

/// Fields of a tensor: its element type, and a text that nothing here reads.
const DATA_TYPE: u64 = 2;
pub(super) const DOC_STRING: u64 = 12;

/// The number that the parser is given for an element type: that of none where it does not know it.
pub(super) fn known(number: u64) -> u64 {
    if number > LAST_KNOWN { 0 } else { number }
}

pub(super) fn name(number: u64) -> Option<&'static str> {
    LATER
        .iter()
        .find(|(later, _)| *later == number)
        .map(|(_, element_type)| element_type.name())
}

/// The element type of a name that was put where the parser passes it on.
pub(super) fn named(text: &str) -> Option<ElementType> {
    LATER
        .iter()
        .find(|(_, element_type)| element_type.name() == text)
        .map(|(_, element_type)| *element_type)
}

/// The name of the element type in a message that has it in `field`, where the parser does not know
/// it.
pub(super) fn name_in(image: &Image<'_>, mut message: Stretch, field: u64) -> Option<&'static str> {
    let mut found = None;
    while let Ok(next) = next_field(image, &mut message) {
        if let (true, Value::Varint(number)) = (next.number == field, next.value) {
            found = name(number);
        }
        if message.is_empty() {
            break;
        }
    }
    found
}

/// A tensor's message as the parser takes it, whatever its element type; the parser is to say what
/// is damaged.
pub(crate) fn for_parser(tensor: &[u8]) -> Vec<u8> {
    let image = Image::of_bytes(tensor);
    let (mut rest, mut out) = (0..image.len(), Vec::with_capacity(tensor.len()));
    while !rest.is_empty() {
        let Ok(field) = next_field(&image, &mut rest) else {
            return tensor.to_vec();
        };
        match (field.number, field.value) {
            (DATA_TYPE, Value::Varint(number)) => put_element_type(&mut out, number),
            (DOC_STRING, _) => {}
            _ => {
                out.extend_from_slice(&tensor[field.whole.start as usize..field.whole.end as usize])
            }
        }
    }
    out
}

pub(super) fn put_element_type(out: &mut Vec<u8>, number: u64) {
    put_number(out, DATA_TYPE, known(number));
    if let Some(name) = name(number) {
        put_delimited(out, DOC_STRING, name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::message;

    #[test]
    fn a_type_that_the_parser_does_not_know_is_carried_by_its_name() {
        let of = |number: u64| {
            let mut tensor = Vec::new();
            put_number(&mut tensor, DATA_TYPE, number);
            put_delimited(&mut tensor, DOC_STRING, b"int2");
            let model = message(&[(7, &message(&[(5, &for_parser(&tensor))]))]);
            let parsed = onnx_rs::parse(&model).unwrap();
            super::super::convert::stored_type(&parsed.graph.unwrap().initializer[0])
        };
        let known = [of(1), of(22), of(23), of(24), of(25), of(26), of(27)];
        use ElementType as E;
        let wanted = [
            E::Float,
            E::Int4,
            E::Float4e2m1,
            E::Float8e8m0,
            E::Uint2,
            E::Int2,
            E::Undefined,
        ];
        assert_eq!(known, wanted);
    }

    #[test]
    fn a_damaged_message_stays_as_it_is() {
        assert_eq!(for_parser(&[16]), [16]);
        assert_eq!(for_parser(&[74, 5, 1]), [74, 5, 1]);
    }
}
