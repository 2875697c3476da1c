//! Categories that a model knows: words and numbers that its encoders look up.
//!
//! Columns are followed from the input through joins and selections of columns, so that each gets
//! its own categories.

use std::collections::BTreeSet;

use super::flow::Call;
use super::usual::UNIT_RANGE;
use super::{AttributeValue, ElementType, Fill, FillKind, Flow};
use crate::text::Plain;

/// Words of a made-up sentence, and how many sentences there are.
const SENTENCE_WORDS: usize = 8;
const SENTENCES: usize = 16;
/// Most columns that get categories of their own.
const COLUMNS_LIMIT: usize = 256;

/// Columns of the input that a value holds along its last axis: column `c` stands at `c + shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    shift: i64,
    from: i64,
    to: i64,
    /// Whether the value is cut into words before it is looked up.
    cut: bool,
}

struct Found {
    lane: Lane,
    words: Vec<String>,
    numbers: Vec<f64>,
    place: String,
}

pub(super) fn fill(
    flow: &Flow<'_>,
    input: &str,
    element_type: ElementType,
    columns: usize,
) -> Option<Fill> {
    let found = found(flow, input, columns);
    let place = &found.first()?.place;
    let reason = match found.len() {
        1 => format!("categories that {place} knows"),
        more => format!("categories that {place} and {} more know", more - 1),
    };
    let whole = kind(element_type, found.iter())?;
    let own: Vec<Option<FillKind>> = (0..columns.min(COLUMNS_LIMIT) as i64)
        .map(|column| {
            let of_column = found.iter().filter(|found| found.lane.holds(column));
            kind(element_type, of_column)
        })
        .collect();
    let same = own.iter().all(|kind| kind.as_ref() == Some(&whole));
    let kind = if columns <= 1 || columns > COLUMNS_LIMIT || same {
        whole
    } else {
        let unknown = match element_type {
            ElementType::String => FillKind::Text,
            _ => FillKind::Uniform(UNIT_RANGE),
        };
        let own = own.into_iter();
        FillKind::Columns(own.map(|kind| kind.unwrap_or(unknown.clone())).collect())
    };
    Some(Fill {
        kind,
        reason,
        steers: true,
    })
}

fn kind<'f>(element_type: ElementType, found: impl Iterator<Item = &'f Found>) -> Option<FillKind> {
    let (mut texts, mut numbers, mut cut) = (Vec::new(), Vec::new(), false);
    for found in found {
        cut |= found.lane.cut;
        add_unknown(&mut texts, &found.words);
        add_unknown(&mut numbers, &found.numbers);
    }
    match element_type {
        ElementType::String if texts.is_empty() => None,
        ElementType::String => {
            let words = if cut { sentences(&texts) } else { texts };
            Some(FillKind::Words(
                words.into_iter().map(Plain::from).collect(),
            ))
        }
        _ => (!numbers.is_empty()).then_some(FillKind::Numbers(numbers)),
    }
}

fn add_unknown<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
    let before = known.len();
    for one in more {
        if !known[..before].contains(one) {
            known.push(one.clone());
        }
    }
}

fn sentences(words: &[String]) -> Vec<String> {
    let mut words = words.iter().map(String::as_str).cycle();
    (0..SENTENCES)
        .map(|_| {
            let sentence: Vec<&str> = words.by_ref().take(SENTENCE_WORDS).collect();
            sentence.join(" ")
        })
        .collect()
}

impl Lane {
    fn holds(self, column: i64) -> bool {
        (self.from..self.to).contains(&column)
    }

    /// The rest where the places `first..=last` of the last axis are taken; absent if nothing is
    /// left.
    fn pick(self, first: i64, last: i64) -> Option<Lane> {
        let from = self.from.max(first.saturating_sub(self.shift));
        let to = self
            .to
            .min(last.saturating_sub(self.shift).saturating_add(1));
        (from < to).then_some(Lane {
            shift: self.shift.saturating_sub(first),
            from,
            to,
            ..self
        })
    }
}

/// Most places that columns are followed to: those that a damaged file joins with themselves would
/// move on for ever.
const MOST_STEPS: usize = 100_000;

fn found(flow: &Flow<'_>, input: &str, columns: usize) -> Vec<Found> {
    let whole = Lane {
        shift: 0,
        from: 0,
        to: columns.max(1) as i64,
        cut: false,
    };
    let mut found = Vec::new();
    let mut queue = vec![(input, whole)];
    let mut seen = BTreeSet::from([(input, whole)]);
    while let Some((value, lane)) = queue.pop().filter(|_| seen.len() < MOST_STEPS) {
        let mut next: Vec<(&str, Lane)> = flow.aliases(value).map(|alias| (alias, lane)).collect();
        for (call, operand) in flow.consumers(value) {
            if let Some(known) = call.known(lane).filter(|_| operand == 0) {
                found.push(known);
            } else if let Some(lane) = call.lane(operand, lane) {
                let outputs = call.node.outputs.iter();
                next.extend(outputs.map(|output| (output.as_str(), lane)));
            }
        }
        queue.extend(next.into_iter().filter(|step| seen.insert(*step)));
    }
    found.reverse();
    found
}

/// The attributes of an operator that hold its categories.
fn key_attributes(operator: &str) -> &'static [&'static str] {
    match operator {
        "ai.onnx.ml.OneHotEncoder" | "ai.onnx.ml.CategoryMapper" => {
            &["cats_strings", "cats_int64s"]
        }
        "ai.onnx.ml.LabelEncoder" => &["keys_strings", "keys_int64s", "keys_floats"],
        "TfIdfVectorizer" => &["pool_strings", "pool_int64s"],
        _ => &[],
    }
}

impl Call<'_> {
    /// The categories that an operator knows, if it looks any up.
    fn known(self, lane: Lane) -> Option<Found> {
        let names = key_attributes(&self.operator()).iter();
        let (mut words, mut numbers) = (Vec::new(), Vec::new());
        for value in names.filter_map(|name| self.node.attribute(name)) {
            match value {
                AttributeValue::Texts(values) => words.extend(values.iter().cloned()),
                AttributeValue::Integers(values) => {
                    numbers.extend(values.iter().map(|&value| value as f64))
                }
                AttributeValue::Numbers(values) => {
                    numbers.extend(values.iter().filter(|value| value.is_finite()))
                }
                _ => {}
            }
        }
        let is_any = !words.is_empty() || !numbers.is_empty();
        is_any.then(|| Found {
            lane,
            words,
            numbers,
            place: self.words(),
        })
    }

    /// The columns that an operator hands on; absent if its results hold none.
    fn lane(self, operand: usize, lane: Lane) -> Option<Lane> {
        match (self.operator().as_str(), operand) {
            ("Concat", _) if self.node.integer("axis") == Some(0) => Some(lane),
            ("Concat" | "ai.onnx.ml.FeatureVectorizer", _) => Some(Lane {
                shift: self.columns_before(operand, lane.shift),
                ..lane
            }),
            ("ai.onnx.ml.ArrayFeatureExtractor", 0) => self.selected(lane),
            ("Gather", 0) if self.is_last_axis(self.integer("axis", 0)) => self.selected(lane),
            ("Slice", 0) => self.sliced(lane),
            ("com.microsoft.Tokenizer" | "ai.onnx.contrib.StringSplit" | "StringSplit", 0) => {
                Some(Lane { cut: true, ..lane })
            }
            (
                "Identity"
                | "Cast"
                | "Reshape"
                | "Flatten"
                | "Squeeze"
                | "Unsqueeze"
                | "StringNormalizer"
                | "Dropout"
                | "Floor"
                | "Round"
                | "Split"
                | "Transpose"
                | "ai.onnx.contrib.StringLower",
                0,
            ) => Some(lane),
            _ => None,
        }
    }

    /// So many columns and those of the operands before; one of unknown width is one column.
    fn columns_before(self, operand: usize, own: i64) -> i64 {
        (0..operand).fold(own, |columns, before| {
            let width = self.dims(before).and_then(|dims| *dims.last()?);
            let width = width.and_then(|width| i64::try_from(width).ok());
            columns.saturating_add(width.unwrap_or(1))
        })
    }

    fn is_last_axis(self, axis: i64) -> bool {
        let rank = self.dims(0).map_or(2, |dims| dims.len() as i64);
        axis == -1 || axis == rank - 1
    }

    fn selected(self, lane: Lane) -> Option<Lane> {
        let Some(places) = self.constant(1) else {
            return Some(lane);
        };
        let places = places.iter().copied();
        let (first, last) = (places.clone().reduce(f64::min)?, places.reduce(f64::max)?);
        lane.pick(first as i64, last as i64)
    }

    /// Columns that a slice of the last axis leaves; all where it is of another axis or its ends
    /// are not known.
    fn sliced(self, lane: Lane) -> Option<Lane> {
        let ends = [1, 2, 3].map(|operand| match self.constant(operand) {
            Some([value]) => Some(*value as i64),
            _ => None,
        });
        match ends {
            [Some(start), Some(end), Some(axis)]
                if self.is_last_axis(axis) && start >= 0 && end > 0 =>
            {
                lane.pick(start, end - 1)
            }
            _ => Some(lane),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, Node, measured};
    use super::*;
    use crate::onnx::testing::{self, list, node, with};

    /// A node with these words in an attribute.
    fn knowing(node: Node, attribute: &str, words: &[&str]) -> Node {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        with(node, attribute, AttributeValue::Texts(words))
    }

    fn encoder(column: &str, output: &str, known: &[&str]) -> Node {
        let node = node("ai.onnx.ml.OneHotEncoder", &[column], output);
        knowing(node, "cats_strings", known)
    }

    /// How an input of so many columns is filled, of which the first two of all inputs together are
    /// encoded.
    fn picked(inputs: &[&str], input: &str, columns: usize) -> Fill {
        let axis = AttributeValue::Integers(vec![1]);
        let nodes = vec![
            with(node("Concat", inputs, "all"), "axis", axis),
            node(
                "ai.onnx.ml.ArrayFeatureExtractor",
                &["all", "zero"],
                "first",
            ),
            node(
                "ai.onnx.ml.ArrayFeatureExtractor",
                &["all", "one"],
                "second",
            ),
            encoder("first", "a", &["red", "blue"]),
            encoder("second", "b", &["small", "large"]),
        ];
        filled(nodes, inputs, input, columns).unwrap()
    }

    /// How one of these inputs is filled, which all have so many columns.
    fn filled(nodes: Vec<Node>, inputs: &[&str], input: &str, columns: usize) -> Option<Fill> {
        let names = inputs.iter();
        let graph = Graph {
            nodes,
            inputs: names
                .clone()
                .map(|name| testing::input(name, ElementType::String, &[0, 0]))
                .collect(),
            initializers: vec![list("zero", &[0.0]), list("one", &[1.0])],
            ..Graph::default()
        };
        let shape = vec![None, Some(columns as u64)];
        let shapes = names
            .map(|&name| (name.to_owned(), shape.clone()))
            .collect();
        fill(
            &measured(&graph, &shapes),
            input,
            ElementType::String,
            columns,
        )
    }

    fn words_of(words: &[&str]) -> FillKind {
        FillKind::Words(words.iter().map(|&word| word.into()).collect())
    }

    #[test]
    fn joined_columns_get_the_categories_of_their_own_encoder() {
        for (input, words) in [("x0", ["red", "blue"]), ("x1", ["small", "large"])] {
            let filled = picked(&["x0", "x1"], input, 1);
            assert_eq!(filled.kind, words_of(&words));
        }
    }

    #[test]
    fn columns_of_one_input_get_each_their_own() {
        let filled = picked(&["table"], "table", 3);
        let columns = vec![
            words_of(&["red", "blue"]),
            words_of(&["small", "large"]),
            FillKind::Text,
        ];
        assert_eq!(filled.kind, FillKind::Columns(columns));
        assert!(
            filled.steers && filled.reason.contains("OneHotEncoder"),
            "{filled:?}"
        );
    }

    #[test]
    fn text_that_is_cut_into_words_is_made_of_the_words_that_are_counted() {
        let counts = node("TfIdfVectorizer", &["tokens"], "counts");
        let nodes = vec![
            node("com.microsoft.Tokenizer", &["t"], "tokens"),
            knowing(counts, "pool_strings", &["cat", "dog"]),
        ];
        let FillKind::Words(found) = filled(nodes, &["t"], "t", 1).unwrap().kind else {
            panic!()
        };
        assert_eq!(found[0], "cat dog cat dog cat dog cat dog");
    }

    #[test]
    fn what_no_encoder_reads_has_no_categories() {
        let nodes = vec![node("Identity", &["t"], "u")];
        assert_eq!(filled(nodes, &["t"], "t", 1), None);
    }
}
