//! Values of inputs that say how much is computed: masks, lengths, factors, and truth values that choose a branch.
//!
//! Every value that could be meant is taken to be everywhere in the input, and what the operators would make of it is
//! worked out. The best one lets all of the data count.

use super::guess::{Sign, SignKind};
use super::simulate::Signs;
use super::{ElementType, Fill, Flow, Question, branch, words};

/// An input of more numbers than this is data, unless operators treat it as a mask.
const FEW: u64 = 8;
/// By how much the share of the data that counts must differ between values, for the input to decide it.
const DECIDES: f64 = 0.2;
/// Values that are handed out beside the best one.
const OTHERS: usize = 2;

struct Trial {
    value: f64,
    /// The size that it is, in words.
    size: Option<String>,
    signs: Signs,
}

/// Ways to fill the input if its values decide how much is computed, the best first.
pub(super) fn fills(question: &Question<'_, '_>) -> Option<Vec<Fill>> {
    if question.element_type == ElementType::String {
        return None;
    }
    let trials = trials(question);
    if question.element_type.is_float() && is_data(question, &trials) {
        return None;
    }
    judged(question, &trials)
        .or_else(|| unscored_length(question, &trials))
        .or_else(|| added_to_scores(question, &trials))
        .or_else(|| {
            branch::fills(
                question,
                trials.iter().map(|trial| (trial.value, &trial.signs)),
            )
        })
}

fn trials(question: &Question<'_, '_>) -> Vec<Trial> {
    let mut candidates: Vec<(f64, Option<String>)> = vec![(1.0, None), (0.0, None)];
    if question.element_type != ElementType::Bool && question.elements() <= FEW {
        candidates.extend(question.compared.iter().map(|&value| (value, None)));
    }
    if question.element_type.is_integer() {
        candidates.extend(sizes(question));
    }
    let mut seen = Vec::new();
    candidates.retain(|(value, _)| {
        let safe = question
            .bound
            .is_none_or(|bound| (bound.low..=bound.high).contains(value));
        let new = safe && !seen.contains(value);
        seen.push(*value);
        new
    });
    let trial = |(value, size)| Trial {
        value,
        size,
        signs: question.known.signs(&question.info.name, value),
    };
    candidates.into_iter().map(trial).collect()
}

/// Sizes of the other inputs, smallest first, and what they are.
fn sizes(question: &Question<'_, '_>) -> Vec<(f64, Option<String>)> {
    let mut found: Vec<(f64, Option<String>)> = Vec::new();
    for info in question
        .inputs
        .iter()
        .filter(|other| other.name != question.info.name)
    {
        let Some(shape) = question.shapes.get(&info.name) else {
            continue;
        };
        for (axis, size) in shape.iter().enumerate() {
            if let Some(size) = size.filter(|&size| size > 1) {
                found.push((
                    size as f64,
                    Some(format!("all {size} along axis {axis} of `{}`", info.name)),
                ));
            }
        }
    }
    found.extend(question.flow.totals().into_iter().flat_map(|total| {
        let words = format!("the past and the new tokens, {total} together");
        [
            (total, Some(words.clone())),
            (total - 1.0, Some(format!("the last of {words}"))),
        ]
    }));
    found.sort_by(|(one, _), (two, _)| one.total_cmp(two));
    found
}

impl Trial {
    fn judged(&self) -> impl Iterator<Item = (&usize, &Sign)> {
        let counts =
            |kind: SignKind| matches!(kind, SignKind::Mask | SignKind::Bias | SignKind::Scale);
        self.signs.iter().filter(move |(_, sign)| counts(sign.kind))
    }

    /// The node that lets the least of the data count, and how much.
    fn worst(&self) -> Option<(usize, Sign)> {
        self.judged()
            .map(|(&node, &sign)| (node, sign))
            .min_by(|(_, one), (_, two)| one.share.total_cmp(&two.share))
    }

    fn has(&self, kind: SignKind) -> bool {
        self.signs.values().any(|sign| sign.kind == kind)
    }
}

/// Whether floating-point numbers are data: many that no operator treats as a mask, or read by one that knows no masks.
fn is_data(question: &Question<'_, '_>, trials: &[Trial]) -> bool {
    let reads = |trial: &Trial| {
        let summed = |node: usize| {
            matches!(
                question.flow.node(node).operator.as_str(),
                "MatMul" | "Einsum"
            )
        };
        trial.has(SignKind::Other) || trial.judged().any(|(&node, _)| summed(node))
    };
    if question.elements() == 0 || trials.iter().any(reads) {
        return true;
    }
    let marks = |trial: &Trial| {
        trial.has(SignKind::Mask)
            || trial
                .judged()
                .any(|(&node, _)| is_spread(question.flow, node))
    };
    question.elements() > FEW && !trials.iter().any(marks) && !follows_softmax(question, trials)
}

/// Whether a node spreads one of its operands over the other, as it does a mask over features.
fn is_spread(flow: &Flow<'_>, node: usize) -> bool {
    let inputs = &flow.node(node).inputs;
    let is_unsqueezed = |value: &String| {
        flow.producer(value)
            .is_some_and(|producer| flow.node(producer).operator == "Unsqueeze")
    };
    match inputs
        .iter()
        .map(|value| flow.elements(value))
        .collect::<Option<Vec<u64>>>()
    {
        Some(sizes) => sizes.iter().min() != sizes.iter().max(),
        None => inputs.iter().any(is_unsqueezed),
    }
}

/// The values in the order of how much of the data counts, if that differs.
fn judged(question: &Question<'_, '_>, trials: &[Trial]) -> Option<Vec<Fill>> {
    let mut ranked: Vec<(&Trial, usize, Sign)> = trials
        .iter()
        .filter_map(|trial| trial.worst().map(|(node, sign)| (trial, node, sign)))
        .collect();
    ranked.sort_by(|(_, _, one), (_, _, two)| two.share.total_cmp(&one.share));
    let (best, last) = (ranked.first()?, ranked.last()?);
    if best.2.share - last.2.share < DECIDES
        || best
            .0
            .signs
            .values()
            .any(|sign| sign.kind == SignKind::Length)
    {
        return None;
    }
    let (node, kind) = (question.flow.node(last.1), last.2.kind);
    let most = best.2.share;
    let reason = |trial: &Trial, share: f64| {
        let (value, place) = (question.shown(trial.value), words(node));
        match (&trial.size, kind) {
            _ if share < most => format!("{value}, another value that {place} could want"),
            (Some(size), _) => format!("a length that {place} decides by: {size}"),
            (None, SignKind::Scale) => format!("a factor in {place}: {value} changes nothing"),
            (None, _) => format!("a mask of {place}: {value} keeps everything"),
        }
    };
    let fill = |(trial, _, sign): &(&Trial, usize, Sign)| {
        question.constant(trial.value, reason(trial, sign.share))
    };
    Some(ranked.iter().take(1 + OTHERS).map(fill).collect())
}

/// A length that is compared with places along an axis of unknown size: the size of the longest open axis.
fn unscored_length(question: &Question<'_, '_>, trials: &[Trial]) -> Option<Vec<Fill>> {
    let node = trials
        .iter()
        .find_map(|trial| {
            trial
                .signs
                .iter()
                .find(|(_, sign)| sign.kind == SignKind::Length)
        })?
        .0;
    if !question.element_type.is_integer() {
        return None;
    }
    let size = super::usual::length(question.info, question.inputs, question.shapes)? as f64;
    let rest = trials
        .iter()
        .filter(|trial| trial.size.is_some() && trial.value != size);
    let mut values = vec![size];
    values.extend(rest.map(|trial| trial.value).take(OTHERS));
    let words = words(question.flow.node(*node));
    let reason = |value: f64| format!("a length in {words}: all {value} of an input's dimension");
    Some(
        values
            .into_iter()
            .map(|value| question.constant(value, reason(value)))
            .collect(),
    )
}

/// Numbers that are added to scores: 0 leaves all of them.
fn added_to_scores(question: &Question<'_, '_>, trials: &[Trial]) -> Option<Vec<Fill>> {
    if !question.element_type.is_float() || !follows_softmax(question, trials) {
        return None;
    }
    let node = trials.iter().find_map(|trial| trial.worst())?.0;
    let reason = format!(
        "added to scores in {}: 0 keeps everything",
        words(question.flow.node(node))
    );
    Some(vec![question.constant(0.0, reason)])
}

/// Whether all that operators do with the input is to add it to what goes into a softmax.
fn follows_softmax(question: &Question<'_, '_>, trials: &[Trial]) -> bool {
    let mut nodes = trials.iter().flat_map(|trial| &trial.signs).peekable();
    nodes.peek().is_some()
        && nodes.all(|(&node, sign)| {
            sign.kind == SignKind::Bias && question.flow.leads_to_softmax(node)
        })
}
