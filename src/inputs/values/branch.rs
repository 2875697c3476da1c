//! Inputs that choose a branch.

use std::collections::BTreeSet;

use super::guess::SignKind;
use super::simulate::Signs;
use super::{AttributeValue, ElementType, Fill, Graph, Node, Question, words};

/// The branch that a value of the input chooses.
struct Choice {
    value: f64,
    node: usize,
    takes_first: bool,
}

/// Ways to fill an input that chooses a branch: first what chooses the branch that fits the inputs'
/// sizes.
pub(super) fn fills<'s>(
    question: &Question<'_, '_>,
    trials: impl Iterator<Item = (f64, &'s Signs)>,
) -> Option<Vec<Fill>> {
    let mut choices: Vec<Choice> = trials
        .filter_map(|(value, signs)| choice(value, signs))
        .collect();
    let node = question.flow.node(choices.first()?.node);
    let (first, why) = wanted(question, node);
    // Numbers that are compared with are meant before 1 and 0, which stand for no and for any
    // other.
    choices.sort_by_key(|choice| {
        (
            choice.takes_first != first,
            !is_meant(question, choice.value),
        )
    });
    let mut seen = BTreeSet::new();
    choices.retain(|choice| seen.insert(choice.takes_first) || is_meant(question, choice.value));
    let fills = choices.iter().map(|choice| {
        let why = if choice.takes_first == first {
            why.as_str()
        } else {
            ""
        };
        question.constant(choice.value, reason(question, node, choice) + why)
    });
    Some(fills.collect())
}

fn is_meant(question: &Question<'_, '_>, value: f64) -> bool {
    question.compared.contains(&value) || question.element_type == ElementType::Bool
}

fn reason(question: &Question<'_, '_>, node: &Node, choice: &Choice) -> String {
    let which = if choice.takes_first {
        "first"
    } else {
        "second"
    };
    let value = question.shown(choice.value);
    format!("{} takes its {which} branch at {value}", words(node))
}

fn choice(value: f64, signs: &Signs) -> Option<Choice> {
    let (&node, sign) = signs
        .iter()
        .find(|(_, sign)| sign.kind == SignKind::Branch)?;
    Some(Choice {
        value,
        node,
        takes_first: sign.share > 0.5,
    })
}

/// Whether the first branch fits the sizes of what only one of the two reads, and why, to be put
/// behind.
fn wanted(question: &Question<'_, '_>, node: &Node) -> (bool, String) {
    let one = read_in(question, node, "then_branch");
    let two = read_in(question, node, "else_branch");
    for (own, other, takes_first) in [(&one, &two, false), (&two, &one, true)] {
        if let Some(input) = own
            .difference(other)
            .find(|input| is_empty(question, input))
        {
            return (
                takes_first,
                format!(", as the other one reads `{input}`, which is empty"),
            );
        }
    }
    match (one.is_subset(&two), two.is_subset(&one)) {
        (only_second, only_first) if only_second != only_first => {
            (only_first, ", which reads more of the inputs".to_owned())
        }
        _ => (true, String::new()),
    }
}

/// The inputs that a branch reads.
fn read_in<'q>(question: &Question<'q, '_>, node: &Node, branch: &str) -> BTreeSet<&'q str> {
    match node.attribute(branch) {
        Some(AttributeValue::Graphs(graphs)) => graphs
            .first()
            .map(|graph| reads(question, graph))
            .unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}

fn is_empty(question: &Question<'_, '_>, input: &str) -> bool {
    question
        .shapes
        .get(input)
        .is_some_and(|shape| shape.contains(&Some(0)))
}

fn reads<'q>(question: &Question<'q, '_>, graph: &Graph) -> BTreeSet<&'q str> {
    let nodes = graph.all_nodes();
    let read: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|node| &node.inputs)
        .map(String::as_str)
        .collect();
    let names = question.inputs.iter().map(|info| info.name.exact());
    names.filter(|name| read.contains(name)).collect()
}
