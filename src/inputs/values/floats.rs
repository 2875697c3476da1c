//! Ranges of floating-point numbers by the first operators that read them.

use super::Flow;
use super::flow::Call;
use crate::onnx::is_sound;
use crate::plan::ValueRange;

/// How many operators that only move elements are looked through.
const STEPS: usize = 8;
/// A divisor that makes 0..1 of bytes, roughly: 255 or 256.
const BYTES: std::ops::RangeInclusive<f64> = 200.0..=256.0;
/// A mean of colours that is taken away and is larger than this is one of bytes.
const MEAN: f64 = 2.0;
const PIXELS: ValueRange = ValueRange {
    low: 0.0,
    high: 255.0,
};
const SOUND: ValueRange = ValueRange {
    low: -0.5,
    high: 0.5,
};

/// The range that the input seems to be in, and why; absent if its first readers do not show it.
pub(super) fn range(flow: &Flow<'_>, input: &str) -> Option<(ValueRange, String)> {
    let mut values = vec![input];
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for (call, operand) in values.into_iter().flat_map(|value| flow.consumers(value)) {
            let found = call.float_range(operand);
            if found.is_some() {
                return found;
            }
            if operand == 0 && MOVES.contains(&call.node.operator.as_str()) {
                next.extend(call.node.outputs.first().map(String::as_str));
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

impl Call<'_> {
    fn float_range(self, operand: usize) -> Option<(ValueRange, String)> {
        let other = self.other(operand);
        let what = match (self.node.operator.as_str(), operand) {
            ("Div", 0) if are_all(other, |value| BYTES.contains(&value)) => "divided by 255",
            ("Mul", _) if are_all(other, |value| value > 0.0 && BYTES.contains(&(1.0 / value))) => {
                "divided by 255"
            }
            ("Sub", 0) if are_all(other, |value| value > MEAN && value < 256.0) => {
                "a mean of bytes is taken away"
            }
            ("STFT", 0) => return Some(self.sound()),
            ("Conv", 0) if self.reads_sound() => return Some(self.sound()),
            _ => return None,
        };
        let reason = format!("{what} in {}: pixels of 0 to 255", self.words());
        Some((PIXELS, reason))
    }

    fn sound(self) -> (ValueRange, String) {
        let words = self.words();
        let reason = format!("samples of a sound, as {words} reads them: around 0");
        (SOUND, reason)
    }

    /// Whether a convolution goes along one axis and reads a sound.
    fn reads_sound(self) -> bool {
        let kernel = self.node.inputs.get(1);
        let dims = kernel.and_then(|kernel| Some(self.flow.stored(kernel)?.dims.as_slice()));
        let Some(&[_, channels, width]) = dims else {
            return false;
        };
        self.integer("group", 1) == 1
            && is_sound(channels as i64, width as i64, self.integer("strides", 1))
    }
}

fn are_all(values: Option<&[f64]>, fits: fn(f64) -> bool) -> bool {
    values.is_some_and(|values| !values.is_empty() && values.iter().all(|&value| fits(value)))
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, Node, Shapes, measured};
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
        let moved = vec![
            node("Transpose", &["x"], "t"),
            node("Mul", &["t", "part"], "y"),
        ];
        for nodes in [
            vec![node("Div", &["x", "bytes"], "y")],
            moved,
            vec![node("Sub", &["x", "means"], "y")],
        ] {
            assert_eq!(low_and_high(nodes), Some((0.0, 255.0)));
        }
        assert_eq!(low_and_high(vec![node("Sub", &["x", "small"], "y")]), None);
    }

    #[test]
    fn samples_of_a_sound_lie_around_zero() {
        let sound = Some((-0.5, 0.5));
        let one_channel = vec![
            node("Unsqueeze", &["x"], "u"),
            node("Conv", &["u", "kernel"], "y"),
        ];
        for (nodes, found) in [
            (one_channel, sound),
            (vec![node("Conv", &["x", "stereo"], "y")], sound),
            (vec![node("Conv", &["x", "pairs"], "y")], None),
        ] {
            assert_eq!(low_and_high(nodes), found);
        }
    }
}
