//! Facts in ONNX Runtime's words when it refuses inputs: where, and which sizes do not agree.

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Refusal {
    /// The node that refused, or the input: two refusals at one place have the same cause.
    pub place: String,
    pub input: Option<WrongAxis>,
    /// Sizes that do not agree, each pair one way: what is there, and what would agree with it.
    pub pairs: Vec<(u64, u64)>,
    pub sizes: Vec<u64>,
    pub is_index: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct WrongAxis {
    pub input: String,
    pub axis: usize,
    pub expected: u64,
}

/// Words of messages that refuse a value, not a size.
const INDEX_SIGNS: [&str; 4] = [
    "out of data bounds",
    "Out of range value",
    "invalid index",
    "sequence_lens",
];

impl Refusal {
    pub fn read(words: &str) -> Refusal {
        let message = message(words);
        let pairs = pairs(message);
        Refusal {
            place: place(words),
            input: wrong_axis(words),
            sizes: if pairs.is_empty() {
                shapes(message)
            } else {
                Vec::new()
            },
            pairs,
            is_index: INDEX_SIGNS.iter().any(|sign| message.contains(sign)),
        }
    }

    /// Whether the words name a size.
    pub fn names(&self, size: u64) -> bool {
        self.sizes.contains(&size)
            || self
                .pairs
                .iter()
                .any(|&(one, other)| one == size || other == size)
    }
}

/// The node or the input that words name; the words without their numbers where they name none.
fn place(words: &str) -> String {
    between(words, "Name:'", "'")
        .or_else(|| between(words, "for input: ", " "))
        .unwrap_or_else(|| {
            words
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect()
        })
}

/// The message, without the numbers of source lines and the types that come before it.
fn message(words: &str) -> &str {
    let message = words
        .split_once("Status Message: ")
        .map_or(words, |parts| parts.1);
    ["was false. ", ") const "]
        .iter()
        .find_map(|mark| message.split_once(mark))
        .map_or(message, |parts| parts.1)
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let inner = text.split_once(start)?.1.split_once(end)?.0;
    (!inner.is_empty()).then(|| inner.to_owned())
}

/// `Got invalid dimensions for input: x for the following indices index: 1 Got: 16 Expected: 3`.
fn wrong_axis(words: &str) -> Option<WrongAxis> {
    let input = between(
        words,
        "invalid dimensions for input: ",
        " for the following",
    )?;
    Some(WrongAxis {
        input,
        axis: number_after(words, "index: ")? as usize,
        expected: number_after(words, "Expected: ")?,
    })
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    number(text.split_once(mark)?.1)
}

fn number(text: &str) -> Option<u64> {
    text.trim_start_matches([' ', '[', '{'])
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Pairs of sizes that would have to agree, both ways.
fn pairs(message: &str) -> Vec<(u64, u64)> {
    stated(message)
        .into_iter()
        .flatten()
        .chain(of_shapes(message))
        .filter(|(one, other)| one != other)
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .collect()
}

/// Pairs that messages state, each in its own words.
fn stated(message: &str) -> [Option<(u64, u64)>; 10] {
    let after = |mark: &str| number_after(message, mark);
    [
        // Attempting to broadcast an axis by a dimension other than 1. 128 by 256
        around(message, " by "),
        // GEMM: Dimension mismatch, W: {32,8} K: 16 N:8
        after("K: ").zip(after("W: {")),
        // C: 16 kernel channels: 3 group: 1
        after("C: ").zip(kernel_channels(message)),
        // Axis 0 has mismatched dimensions of 1 and 2
        after("dimensions of ").zip(
            message
                .rsplit_once(" and ")
                .and_then(|(_, rest)| number(rest)),
        ),
        // k argument [50] should not be greater than specified axis dim value [16]
        after("k argument [").zip(after("dim value [")),
        // size of scale != input channel count 8 vs. 16
        around(message, " vs. "),
        // Dimension of input 0 must be 1 instead of 2
        after("instead of ").zip(after("must be ")),
        // Pad reflect: pre-pad (9) exceeds maximum allowed (3)
        longer(after("maximum allowed (")).zip(longer(after("pad ("))),
        // Sum of sizes in 'split' (must equal size of selected axis) was 9, of Input shape={1,16}
        last_size(message, "Input shape=").zip(after("selected axis) was ")),
        // Another operand has a dim value of 5 in the same dimension
        other_operand(message).zip(after("dim value of ")),
    ]
}

/// The last numbers before and after the last such mark.
fn around(message: &str, mark: &str) -> Option<(u64, u64)> {
    let (before, rest) = message.rsplit_once(mark)?;
    Some((last_number(before)?, number(rest)?))
}

fn kernel_channels(message: &str) -> Option<u64> {
    number_after(message, "kernel channels: ")?.checked_mul(number_after(message, "group: ")?)
}

/// An axis is longer than its padding.
fn longer(padding: Option<u64>) -> Option<u64> {
    padding?.checked_add(1)
}

fn last_size(message: &str, mark: &str) -> Option<u64> {
    shape_after(message, mark)?.pop()
}

fn other_operand(message: &str) -> Option<u64> {
    shape_after(message, "The shape is: ")?
        .get(number_after(message, "in the dimension ")? as usize)
        .copied()
}

/// Pairs of sizes of two shapes, axis by axis.
fn of_shapes(message: &str) -> Vec<(u64, u64)> {
    let mut pairs = Vec::new();
    // X must have shape {1,2,4}. Actual:{1,3,4}
    if let Some(wanted) = shape_after(message, "must have shape ")
        && let Some(actual) = shape_after(message, "Actual:")
    {
        pairs.extend(actual.into_iter().zip(wanted));
    }
    // X.shape={1,16} scale.shape={8}
    if let Some(data) = shape_after(message, "X.shape=")
        && let Some(scale) = shape_after(message, "scale.shape=")
    {
        pairs.extend(data.into_iter().rev().zip(scale.into_iter().rev()));
    }
    pairs
}

fn last_number(text: &str) -> Option<u64> {
    text.trim_end_matches([' ', ']', '}'])
        .rsplit(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The shape `{1,16}` that follows a mark.
fn shape_after(message: &str, mark: &str) -> Option<Vec<u64>> {
    message
        .split_once(mark)?
        .1
        .trim_start()
        .strip_prefix('{')?
        .split_once('}')?
        .0
        .split(',')
        .map(|size| size.trim().parse().ok())
        .collect()
}

fn shapes(message: &str) -> Vec<u64> {
    let mut sizes: Vec<u64> = message
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .flat_map(|(shape, _)| shape.split(','))
        .filter_map(|size| size.trim().parse().ok())
        .collect();
    sizes.retain(|&size| size > 1);
    sizes.dedup();
    sizes
}
