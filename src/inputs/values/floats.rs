//! Ranges of floating-point numbers by the first operators that read them.

use super::{Flow, Node, words};
use crate::onnx::is_sound;
use crate::plan::ValueRange;

/// How many operators that only move elements are looked through.
const STEPS: usize = 8;
/// A divisor that makes 0..1 of bytes, roughly: 255 or 256.
const BYTES: std::ops::RangeInclusive<f64> = 200.0..=256.0;
/// A mean of colours that is taken away and is larger than this is one of bytes.
const MEAN: f64 = 2.0;

/// The range that the input seems to be in, and why; absent if its first readers do not show it.
pub(super) fn range(flow: &Flow<'_>, input: &str) -> Option<(ValueRange, String)> {
    let mut values = vec![input];
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for value in values {
            for (node, operand) in flow.consumers(value) {
                if let Some(found) = read(flow, node, operand) {
                    return Some(found);
                }
                if operand == 0 && MOVES.contains(&node.operator.as_str()) {
                    next.extend(node.outputs.first().map(String::as_str));
                }
            }
        }
        values = next;
    }
    None
}

const MOVES: [&str; 9] = [
    "Cast",
    "Identity",
    "Transpose",
    "Unsqueeze",
    "Squeeze",
    "Reshape",
    "Pad",
    "Resize",
    "Slice",
];

fn read(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<(ValueRange, String)> {
    let other = node
        .inputs
        .get(1 - operand.min(1))
        .and_then(|value| flow.constant(value));
    match (node.operator.as_str(), operand) {
        ("Div", 0) if are_all(other, |value| BYTES.contains(&value)) => {
            Some(pixels(node, "divided by 255"))
        }
        ("Mul", _) if are_all(other, |value| value > 0.0 && BYTES.contains(&(1.0 / value))) => {
            Some(pixels(node, "divided by 255"))
        }
        ("Sub", 0) if are_all(other, |value| value > MEAN && value < 256.0) => {
            Some(pixels(node, "a mean of bytes is taken away"))
        }
        ("STFT", 0) => Some(sound(node)),
        ("Conv", 0) if is_of_sound(flow, node) => Some(sound(node)),
        _ => None,
    }
}

fn are_all(values: Option<&[f64]>, fits: impl Fn(f64) -> bool) -> bool {
    values.is_some_and(|values| !values.is_empty() && values.iter().all(|&value| fits(value)))
}

fn pixels(node: &Node, what: &str) -> (ValueRange, String) {
    (
        ValueRange {
            low: 0.0,
            high: 255.0,
        },
        format!("{what} in {}: pixels of 0 to 255", words(node)),
    )
}

fn sound(node: &Node) -> (ValueRange, String) {
    (
        ValueRange {
            low: -0.5,
            high: 0.5,
        },
        format!(
            "samples of a sound, as {} reads them: around 0",
            words(node)
        ),
    )
}

/// Whether a convolution goes along one axis and reads a sound.
fn is_of_sound(flow: &Flow<'_>, node: &Node) -> bool {
    let kernel = node
        .inputs
        .get(1)
        .and_then(|kernel| flow.stored(kernel))
        .map(|kernel| kernel.dims.as_slice());
    let Some(&[_, channels, width]) = kernel else {
        return false;
    };
    let stride = node.integer("strides").unwrap_or(1);
    node.integer("group").unwrap_or(1) == 1 && is_sound(channels as i64, width as i64, stride)
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, Shapes, measured};
    use super::*;
    use crate::onnx::testing::{node, tensor};

    fn low_and_high(nodes: Vec<Node>) -> Option<(f64, f64)> {
        let initializers = vec![
            tensor("bytes", &[], Some(&[255.0])),
            tensor("part", &[], Some(&[1.0 / 255.0])),
            tensor("means", &[3], Some(&[123.7, 116.3, 103.5])),
            tensor("small", &[3], Some(&[0.485, 0.456, 0.406])),
            tensor("kernel", &[8, 1, 10], None),
            tensor("stereo", &[8, 2, 8], None),
            tensor("pairs", &[8, 2, 3], None),
        ];
        let graph = Graph {
            nodes,
            initializers,
            ..Graph::default()
        };
        range(&measured(&graph, &Shapes::new()), "x").map(|(range, _)| (range.low, range.high))
    }

    #[test]
    fn numbers_that_are_divided_as_bytes_are_pixels() {
        let pixels = Some((0.0, 255.0));
        assert_eq!(
            low_and_high(vec![node("Div", &["x", "bytes"], "y")]),
            pixels
        );
        assert_eq!(
            low_and_high(vec![
                node("Transpose", &["x"], "t"),
                node("Mul", &["t", "part"], "y")
            ]),
            pixels
        );
        assert_eq!(
            low_and_high(vec![node("Sub", &["x", "means"], "y")]),
            pixels
        );
        assert_eq!(low_and_high(vec![node("Sub", &["x", "small"], "y")]), None);
    }

    #[test]
    fn samples_of_a_sound_lie_around_zero() {
        let sound = Some((-0.5, 0.5));
        let one_channel = vec![
            node("Unsqueeze", &["x"], "u"),
            node("Conv", &["u", "kernel"], "y"),
        ];
        assert_eq!(low_and_high(one_channel), sound);
        assert_eq!(
            low_and_high(vec![node("Conv", &["x", "stereo"], "y")]),
            sound
        );
        assert_eq!(low_and_high(vec![node("Conv", &["x", "pairs"], "y")]), None);
    }
}
