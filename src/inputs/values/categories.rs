//! Categories that a model knows: words and numbers that its encoders look up.
//!
//! Columns are followed from the input through joins and selections of columns, so that each gets
//! its own categories.

use crate::text::Plain;
use std::collections::BTreeSet;

use super::{AttributeValue, ElementType, Fill, FillKind, Flow, Node, words};

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
    let reason = reason(&found)?;
    let whole = kind(element_type, found.iter())?;
    let own: Vec<Option<FillKind>> = (0..columns.min(COLUMNS_LIMIT))
        .map(|column| kind_of_column(element_type, &found, column as i64))
        .collect();
    let same = own.iter().all(|kind| kind.as_ref() == Some(&whole));
    let kind = if columns <= 1 || columns > COLUMNS_LIMIT || same {
        whole
    } else {
        FillKind::Columns(
            own.into_iter()
                .map(|kind| kind.unwrap_or(unknown(element_type)))
                .collect(),
        )
    };
    Some(Fill {
        kind,
        reason,
        steers: true,
    })
}

fn reason(found: &[Found]) -> Option<String> {
    let place = &found.first()?.place;
    Some(match found.len() {
        1 => format!("categories that {place} knows"),
        more => format!("categories that {place} and {} more know", more - 1),
    })
}

fn kind_of_column(element_type: ElementType, found: &[Found], column: i64) -> Option<FillKind> {
    kind(
        element_type,
        found.iter().filter(|found| found.lane.holds(column)),
    )
}

fn unknown(element_type: ElementType) -> FillKind {
    match element_type {
        ElementType::String => FillKind::Text,
        _ => FillKind::Uniform(crate::plan::ValueRange {
            low: 0.0,
            high: 1.0,
        }),
    }
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
        ElementType::String => Some(FillKind::Words(if cut {
            sentences(&texts).into_iter().map(Plain::from).collect()
        } else {
            texts.into_iter().map(Plain::from).collect()
        })),
        _ => (!numbers.is_empty()).then_some(FillKind::Numbers(numbers)),
    }
}

fn add_unknown<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
    let unknown: Vec<T> = more
        .iter()
        .filter(|one| !known.contains(one))
        .cloned()
        .collect();
    known.extend(unknown);
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
    /// All columns of the input, as it is.
    fn whole(columns: usize) -> Lane {
        Lane {
            shift: 0,
            from: 0,
            to: columns.max(1) as i64,
            cut: false,
        }
    }

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
    let mut found = Vec::new();
    let mut queue = vec![(input, Lane::whole(columns))];
    let mut seen: BTreeSet<(&str, Lane)> = queue.iter().copied().collect();
    while let Some((value, lane)) = queue.pop().filter(|_| seen.len() < MOST_STEPS) {
        let mut next: Vec<(&str, Lane)> = flow.aliases(value).map(|alias| (alias, lane)).collect();
        for (node, operand) in flow.consumers(value) {
            if let Some(known) = known(node, operand, lane) {
                found.push(known);
            } else if let Some(lane) = passed(flow, node, operand, lane) {
                next.extend(node.outputs.iter().map(|output| (output.as_str(), lane)));
            }
        }
        queue.extend(next.into_iter().filter(|step| seen.insert(*step)));
    }
    found.reverse();
    found
}

/// The categories that an operator knows of the columns that it reads, if it looks any up.
fn known(node: &Node, operand: usize, lane: Lane) -> Option<Found> {
    let (texts, numbers) = keys(node);
    (operand == 0 && !(texts.is_empty() && numbers.is_empty())).then(|| Found {
        lane,
        words: texts,
        numbers,
        place: words(node),
    })
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

fn keys(node: &Node) -> (Vec<String>, Vec<f64>) {
    let names = key_attributes(&node.qualified_operator());
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    for value in names.iter().filter_map(|name| node.attribute(name)) {
        match value {
            AttributeValue::Texts(values) => texts.extend(values.iter().cloned()),
            AttributeValue::Integers(values) => {
                numbers.extend(values.iter().map(|&value| value as f64))
            }
            AttributeValue::Numbers(values) => {
                numbers.extend(values.iter().filter(|value| value.is_finite()))
            }
            _ => {}
        }
    }
    (texts, numbers)
}

/// The columns that an operator hands on; absent if its results hold none.
fn passed(flow: &Flow<'_>, node: &Node, operand: usize, lane: Lane) -> Option<Lane> {
    let operator = node.qualified_operator();
    match (operator.as_str(), operand) {
        ("Concat" | "ai.onnx.ml.FeatureVectorizer", _) => Some(joined(flow, node, operand, lane)),
        ("ai.onnx.ml.ArrayFeatureExtractor", 0) => selected(flow, node, lane),
        ("Gather", 0) if is_last_axis(flow, node, node.integer("axis").unwrap_or(0)) => {
            selected(flow, node, lane)
        }
        ("Slice", 0) => sliced(flow, node, lane).unwrap_or(Some(lane)),
        ("com.microsoft.Tokenizer" | "ai.onnx.contrib.StringSplit" | "StringSplit", 0) => {
            Some(Lane { cut: true, ..lane })
        }
        ("ai.onnx.contrib.StringLower", 0) => Some(lane),
        (
            "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze"
            | "StringNormalizer" | "Dropout" | "Floor" | "Round" | "Split" | "Transpose",
            0,
        ) => Some(lane),
        _ => None,
    }
}

fn width(flow: &Flow<'_>, value: &str) -> Option<i64> {
    i64::try_from(flow.dims(value)?.last().copied().flatten()?).ok()
}

/// Joined columns stand behind those of the operands before.
fn joined(flow: &Flow<'_>, node: &Node, operand: usize, lane: Lane) -> Lane {
    if node.operator == "Concat" && node.integer("axis") == Some(0) {
        return lane;
    }
    // A column of unknown width is one column.
    let widths = node.inputs[..operand]
        .iter()
        .map(|value| width(flow, value).unwrap_or(1));
    Lane {
        shift: widths.fold(lane.shift, i64::saturating_add),
        ..lane
    }
}

fn is_last_axis(flow: &Flow<'_>, node: &Node, axis: i64) -> bool {
    let rank = node
        .inputs
        .first()
        .and_then(|value| flow.dims(value))
        .map_or(2, |dims| dims.len() as i64);
    axis == -1 || axis == rank - 1
}

fn selected(flow: &Flow<'_>, node: &Node, lane: Lane) -> Option<Lane> {
    let Some(places) = node.inputs.get(1).and_then(|places| flow.constant(places)) else {
        return Some(lane);
    };
    let first = places.iter().copied().reduce(f64::min)? as i64;
    let last = places.iter().copied().fold(f64::NEG_INFINITY, f64::max) as i64;
    lane.pick(first, last)
}

fn number(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<i64> {
    match flow.constant(node.inputs.get(operand)?)? {
        [value] => Some(*value as i64),
        _ => None,
    }
}

/// Columns that a slice of the last axis leaves; the outer absence: it is of another axis or its
/// ends are not known.
fn sliced(flow: &Flow<'_>, node: &Node, lane: Lane) -> Option<Option<Lane>> {
    let (start, end, axis) = (
        number(flow, node, 1)?,
        number(flow, node, 2)?,
        number(flow, node, 3)?,
    );
    (is_last_axis(flow, node, axis) && start >= 0 && end > 0).then(|| lane.pick(start, end - 1))
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, Shapes, TensorInfo, measured};
    use super::*;
    use crate::onnx::testing::{list, node, with};
    use crate::record::ValueType;

    fn encoder(column: &str, output: &str, known: &[&str]) -> Node {
        let texts = AttributeValue::Texts(known.iter().map(|&word| word.to_owned()).collect());
        with(
            node("ai.onnx.ml.OneHotEncoder", &[column], output),
            "cats_strings",
            texts,
        )
    }

    fn column(name: &str) -> TensorInfo {
        let value_type = ValueType::Tensor {
            element_type: ElementType::String,
            dims: None,
        };
        TensorInfo {
            name: name.to_owned().into(),
            value_type,
        }
    }

    fn picked(inputs: &[(&str, u64)]) -> (Graph, Shapes) {
        let names: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
        let pick =
            |at: &str, output: &str| node("ai.onnx.ml.ArrayFeatureExtractor", &["all", at], output);
        let graph = Graph {
            nodes: vec![
                with(
                    node("Concat", &names, "all"),
                    "axis",
                    AttributeValue::Integers(vec![1]),
                ),
                pick("zero", "first"),
                pick("one", "second"),
                encoder("first", "a", &["red", "blue"]),
                encoder("second", "b", &["small", "large"]),
            ],
            inputs: names.iter().map(|name| column(name)).collect(),
            initializers: vec![list("zero", &[0.0]), list("one", &[1.0])],
            ..Graph::default()
        };
        let shapes = inputs
            .iter()
            .map(|(name, width)| ((*name).to_owned(), vec![None, Some(*width)]))
            .collect();
        (graph, shapes)
    }

    fn words_of(words: &[&str]) -> FillKind {
        FillKind::Words(words.iter().map(|&word| word.into()).collect())
    }

    #[test]
    fn joined_columns_get_the_categories_of_their_own_encoder() {
        let (graph, shapes) = picked(&[("x0", 1), ("x1", 1)]);
        let flow = measured(&graph, &shapes);
        let kind = |name| fill(&flow, name, ElementType::String, 1).unwrap().kind;
        assert_eq!(kind("x0"), words_of(&["red", "blue"]));
        assert_eq!(kind("x1"), words_of(&["small", "large"]));
    }

    #[test]
    fn columns_of_one_input_get_each_their_own() {
        let (graph, shapes) = picked(&[("table", 3)]);
        let filled = fill(&measured(&graph, &shapes), "table", ElementType::String, 3).unwrap();
        let columns = vec![
            words_of(&["red", "blue"]),
            words_of(&["small", "large"]),
            FillKind::Text,
        ];
        assert_eq!(filled.kind, FillKind::Columns(columns));
        assert!(
            filled.steers && filled.reason.contains("OneHotEncoder"),
            "{}",
            filled.reason
        );
    }

    #[test]
    fn text_that_is_cut_into_words_is_made_of_the_words_that_are_counted() {
        let pool = AttributeValue::Texts(vec!["cat".to_owned(), "dog".to_owned()]);
        let graph = Graph {
            nodes: vec![
                node("com.microsoft.Tokenizer", &["t"], "tokens"),
                with(
                    node("TfIdfVectorizer", &["tokens"], "counts"),
                    "pool_strings",
                    pool,
                ),
            ],
            ..Graph::default()
        };
        let FillKind::Words(found) = fill(
            &measured(&graph, &Shapes::new()),
            "t",
            ElementType::String,
            1,
        )
        .unwrap()
        .kind
        else {
            panic!()
        };
        assert_eq!(found[0], "cat dog cat dog cat dog cat dog");
    }

    #[test]
    fn what_no_encoder_reads_has_no_categories() {
        let graph = Graph {
            nodes: vec![node("Identity", &["t"], "u")],
            ..Graph::default()
        };
        assert_eq!(
            fill(
                &measured(&graph, &Shapes::new()),
                "t",
                ElementType::String,
                1
            ),
            None
        );
    }
}
