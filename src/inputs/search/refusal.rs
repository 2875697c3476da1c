//! What ONNX Runtime's words say when it refuses inputs: where, and which sizes do not agree.

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

impl Refusal {
    pub fn read(words: &str) -> Refusal {
        let place = between(words, "Name:'", "'").or_else(|| between(words, "for input: ", " "));
        let place = place.unwrap_or_else(|| {
            words
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect()
        });
        // Numbers before the message are those of source lines.
        let message = words
            .split_once("Status Message: ")
            .map_or(words, |(_, message)| message);
        let said = ["was false. ", ") const "]
            .iter()
            .find_map(|mark| message.split_once(mark));
        let message = said.map_or(message, |(_, rest)| rest);
        let pairs = pairs(message);
        Refusal {
            place,
            input: wrong_axis(words),
            sizes: if pairs.is_empty() {
                shapes(message)
            } else {
                Vec::new()
            },
            pairs,
            is_index: [
                "out of data bounds",
                "Out of range value",
                "invalid index",
                "sequence_lens",
            ]
            .iter()
            .any(|sign| message.contains(sign)),
        }
    }
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    let (inner, _) = rest.split_once(end)?;
    (!inner.is_empty()).then(|| inner.to_owned())
}

/// `Got invalid dimensions for input: x for the following indices index: 1 Got: 16 Expected: 3`.
fn wrong_axis(words: &str) -> Option<WrongAxis> {
    let input = between(
        words,
        "invalid dimensions for input: ",
        " for the following",
    )?;
    let after = |mark: &str| number(words.split_once(mark)?.1);
    Some(WrongAxis {
        input,
        axis: after("index: ")? as usize,
        expected: after("Expected: ")?,
    })
}

fn number(text: &str) -> Option<u64> {
    let digits = text.trim_start_matches([' ', '[', '{']);
    digits
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Pairs of sizes that would have to agree, both ways.
fn pairs(message: &str) -> Vec<(u64, u64)> {
    let after = |mark: &str| number(message.split_once(mark)?.1);
    let times = |(one, other): (u64, u64)| one.checked_mul(other);
    let more = |(one, other): (u64, u64)| Some((one.checked_add(1)?, other.checked_add(1)?));
    let found = [
        // Attempting to broadcast an axis by a dimension other than 1. 128 by 256
        message
            .rsplit_once(" by ")
            .and_then(|(before, rest)| Some((last_number(before)?, number(rest)?))),
        // GEMM: Dimension mismatch, W: {32,8} K: 16 N:8
        after("K: ").zip(after("W: {")),
        // C: 16 kernel channels: 3 group: 1
        after("C: ").zip(
            after("kernel channels: ")
                .zip(after("group: "))
                .and_then(times),
        ),
        // Axis 0 has mismatched dimensions of 1 and 2
        after("dimensions of ").zip(
            message
                .rsplit_once(" and ")
                .and_then(|(_, rest)| number(rest)),
        ),
        // k argument [50] should not be greater than specified axis dim value [16]
        after("k argument [").zip(after("dim value [")),
        // size of scale != input channel count 8 vs. 16
        message
            .rsplit_once(" vs. ")
            .and_then(|(before, rest)| Some((last_number(before)?, number(rest)?))),
        // Dimension of input 0 must be 1 instead of 2
        after("instead of ").zip(after("must be ")),
        // Pad reflect: pre-pad (9) exceeds maximum allowed (3)
        after("maximum allowed (")
            .zip(after("pad ("))
            .and_then(more),
        // Sum of sizes in 'split' (must equal size of selected axis) was 9, of Input shape={1,16}
        after("selected axis) was ")
            .and_then(|sum| Some((shape_after(message, "Input shape=")?.pop()?, sum))),
        // Another operand has a dim value of 5 in the same dimension
        after("dim value of ").and_then(|size| {
            let axis = after("in the dimension ")? as usize;
            Some((*shape_after(message, "The shape is: ")?.get(axis)?, size))
        }),
    ];
    let mut pairs: Vec<(u64, u64)> = found.into_iter().flatten().collect();
    // X must have shape {1,2,4}. Actual:{1,3,4}
    if let (Some(wanted), Some(actual)) = (
        shape_after(message, "must have shape "),
        shape_after(message, "Actual:"),
    ) {
        pairs.extend(actual.into_iter().zip(wanted));
    }
    // X.shape={1,16} scale.shape={8}
    if let (Some(data), Some(scale)) = (
        shape_after(message, "X.shape="),
        shape_after(message, "scale.shape="),
    ) {
        pairs.extend(data.into_iter().rev().zip(scale.into_iter().rev()));
    }
    let both = pairs
        .into_iter()
        .filter(|(one, other)| one != other)
        .flat_map(|(one, other)| [(one, other), (other, one)]);
    both.collect()
}

fn last_number(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches([' ', ']', '}']);
    digits
        .rsplit(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The shape `{1,16}` that follows a mark.
fn shape_after(message: &str, mark: &str) -> Option<Vec<u64>> {
    let (_, rest) = message.split_once(mark)?;
    let (inner, _) = rest.trim_start().strip_prefix('{')?.split_once('}')?;
    inner
        .split(',')
        .map(|size| size.trim().parse().ok())
        .collect()
}

fn shapes(message: &str) -> Vec<u64> {
    let inner = message
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(inner, _)| inner);
    let mut sizes: Vec<u64> = inner
        .flat_map(|shape| shape.split(','))
        .filter_map(|size| size.trim().parse().ok())
        .collect();
    sizes.retain(|&size| size > 1);
    sizes.dedup();
    sizes
}
