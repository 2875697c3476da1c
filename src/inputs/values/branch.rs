//! Inputs that choose a branch.

use std::collections::BTreeSet;

use super::guess::SignKind;
use super::simulate::Signs;
use super::{AttributeValue, ElementType, Fill, Graph, Node, Question, words};

/// Ways to fill an input that chooses a branch: first what chooses the branch that fits the inputs' sizes.
pub(super) fn fills<'s>(
    question: &Question<'_, '_>,
    trials: impl Iterator<Item = (f64, &'s Signs)>,
) -> Option<Vec<Fill>> {
    let choices: Vec<(f64, usize, bool)> = trials
        .filter_map(|(value, signs)| choice(signs).map(|(node, first)| (value, node, first)))
        .collect();
    let &(_, node, _) = choices.first()?;
    let node = question.flow.node(node);
    let (first, why) = wanted(question, node);
    let mut ordered: Vec<&(f64, usize, bool)> = choices.iter().collect();
    // Numbers that are compared with are meant before 1 and 0, which stand for no and for any other.
    let meant = |value: f64| {
        question.compared.contains(&value) || question.element_type == ElementType::Bool
    };
    ordered.sort_by_key(|&&(value, _, takes_first)| (takes_first != first, !meant(value)));
    let mut seen = BTreeSet::new();
    ordered.retain(|&&(value, _, takes_first)| seen.insert(takes_first) || meant(value));
    let reason = |value: f64, takes_first: bool| {
        let which = if takes_first { "first" } else { "second" };
        let why = if takes_first == first {
            why.as_str()
        } else {
            ""
        };
        format!(
            "{} takes its {which} branch at {}{why}",
            words(node),
            question.shown(value)
        )
    };
    Some(
        ordered
            .into_iter()
            .map(|&(value, _, takes)| question.constant(value, reason(value, takes)))
            .collect(),
    )
}

/// The node whose branch a value chooses, and whether it is the first branch.
fn choice(signs: &Signs) -> Option<(usize, bool)> {
    signs
        .iter()
        .find(|(_, sign)| sign.kind == SignKind::Branch)
        .map(|(&node, sign)| (node, sign.share > 0.5))
}

/// Whether the first branch fits the sizes of what only one of the two reads, and why, to be put behind.
fn wanted(question: &Question<'_, '_>, node: &Node) -> (bool, String) {
    let read = |name: &str| match node.attribute(name) {
        Some(AttributeValue::Graphs(graphs)) => graphs
            .first()
            .map(|graph| reads(question, graph))
            .unwrap_or_default(),
        _ => BTreeSet::new(),
    };
    let (one, two) = (read("then_branch"), read("else_branch"));
    let is_empty = |input: &&&str| {
        question
            .shapes
            .get(**input)
            .is_some_and(|shape| shape.contains(&Some(0)))
    };
    for (own, other, takes_first) in [(&one, &two, false), (&two, &one, true)] {
        if let Some(input) = own.difference(other).find(is_empty) {
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

fn reads<'q>(question: &Question<'q, '_>, graph: &Graph) -> BTreeSet<&'q str> {
    let nodes = graph.all_nodes();
    let read: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|node| &node.inputs)
        .map(String::as_str)
        .collect();
    let names = question.inputs.iter().map(|info| info.name.as_str());
    names.filter(|name| read.contains(name)).collect()
}
