//! Values of inputs that say how much is computed: masks, lengths, factors, and truth values that
//! choose a branch.
//!
//! Every value that could be meant is taken to be everywhere in the input, and what the operators
//! would make of it is worked out. The best one lets all of the data count.

use super::guess::{Sign, SignKind};
use super::simulate::Signs;
use super::{ElementType, Fill, Flow, Question, Shapes, TensorInfo, branch, words};

/// An input of more numbers than this is data, unless operators treat it as a mask.
const FEW: u64 = 8;
/// By how much the share of the data that counts must differ between values, for the input to
/// decide it.
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
    let mut seen = Vec::new();
    let mut candidates = candidates(question);
    candidates.retain(|(value, _)| {
        let new = question.allows(*value) && !seen.contains(value);
        seen.push(*value);
        new
    });
    candidates
        .into_iter()
        .map(|(value, size)| Trial {
            value,
            size,
            signs: question.known.signs(question.info.name.exact(), value),
        })
        .collect()
}

/// Values that could be meant, and the size that each is, in words.
fn candidates(question: &Question<'_, '_>) -> Vec<(f64, Option<String>)> {
    let mut candidates = vec![(1.0, None), (0.0, None)];
    if question.element_type != ElementType::Bool && question.elements() <= FEW {
        candidates.extend(question.compared.iter().map(|&value| (value, None)));
    }
    if question.element_type.is_integer() {
        candidates.extend(sizes(question));
    }
    candidates
}

/// Sizes of the other inputs and of the past, smallest first, and what they are.
fn sizes(question: &Question<'_, '_>) -> Vec<(f64, Option<String>)> {
    let others = question
        .inputs
        .iter()
        .filter(|other| other.name != question.info.name);
    let mut found: Vec<(f64, Option<String>)> = others
        .flat_map(|info| sizes_of(info, question.shapes))
        .collect();
    let totals = question.flow.totals().into_iter();
    found.extend(totals.flat_map(with_the_past));
    found.sort_by(|(one, _), (two, _)| one.total_cmp(two));
    found
}

fn sizes_of(info: &TensorInfo, shapes: &Shapes) -> impl Iterator<Item = (f64, Option<String>)> {
    let sizes = shapes
        .get(info.name.exact())
        .into_iter()
        .flatten()
        .enumerate();
    sizes.filter_map(|(axis, size)| {
        let size = size.filter(|&size| size > 1)?;
        let words = format!("all {size} along axis {axis} of `{}`", info.name.exact());
        Some((size as f64, Some(words)))
    })
}

fn with_the_past(total: f64) -> [(f64, Option<String>); 2] {
    let words = format!("the past and the new tokens, {total} together");
    let last = format!("the last of {words}");
    [(total, Some(words)), (total - 1.0, Some(last))]
}

impl Trial {
    fn judged(&self) -> impl Iterator<Item = (&usize, &Sign)> {
        self.signs.iter().filter(|(_, sign)| {
            matches!(sign.kind, SignKind::Mask | SignKind::Bias | SignKind::Scale)
        })
    }

    /// The node that lets the least of the data count, and how much.
    fn worst(&self) -> Option<(usize, Sign)> {
        self.judged()
            .map(|(&node, &sign)| (node, sign))
            .min_by(|(_, one), (_, two)| one.share.total_cmp(&two.share))
    }

    /// The node that takes the value for a length along an axis of unknown size.
    fn length(&self) -> Option<usize> {
        self.signs
            .iter()
            .find(|(_, sign)| sign.kind == SignKind::Length)
            .map(|(&node, _)| node)
    }

    fn has(&self, kind: SignKind) -> bool {
        self.signs.values().any(|sign| sign.kind == kind)
    }
}

/// Whether floating-point numbers are data: many that no operator treats as a mask, or read by one
/// that knows no masks.
fn is_data(question: &Question<'_, '_>, trials: &[Trial]) -> bool {
    if question.elements() == 0 || trials.iter().any(|trial| is_read(question.flow, trial)) {
        return true;
    }
    question.elements() > FEW
        && !trials.iter().any(|trial| is_mask(question.flow, trial))
        && !follows_softmax(question, trials)
}

/// Whether an operator reads the values that knows no masks.
fn is_read(flow: &Flow<'_>, trial: &Trial) -> bool {
    trial.has(SignKind::Other)
        || trial
            .judged()
            .any(|(&node, _)| matches!(flow.node(node).operator.as_str(), "MatMul" | "Einsum"))
}

/// Whether an operator treats the values as a mask.
fn is_mask(flow: &Flow<'_>, trial: &Trial) -> bool {
    trial.has(SignKind::Mask) || trial.judged().any(|(&node, _)| is_spread(flow, node))
}

/// Whether a node spreads one of its operands over the other, as it does a mask over features.
fn is_spread(flow: &Flow<'_>, node: usize) -> bool {
    let inputs = &flow.node(node).inputs;
    match inputs
        .iter()
        .map(|value| flow.elements(value))
        .collect::<Option<Vec<u64>>>()
    {
        Some(sizes) => sizes.iter().min() != sizes.iter().max(),
        None => inputs.iter().any(|value| is_unsqueezed(flow, value)),
    }
}

fn is_unsqueezed(flow: &Flow<'_>, value: &str) -> bool {
    flow.producer(value)
        .is_some_and(|producer| flow.node(producer).operator == "Unsqueeze")
}

/// A value, and the sign of the node that lets the least of the data count with it.
struct Ranked<'t> {
    trial: &'t Trial,
    node: usize,
    sign: Sign,
}

/// The values in the order of how much of the data counts, if that differs.
fn judged(question: &Question<'_, '_>, trials: &[Trial]) -> Option<Vec<Fill>> {
    let ranked = ranked(trials);
    let (best, last) = (ranked.first()?, ranked.last()?);
    if best.sign.share - last.sign.share < DECIDES || best.trial.has(SignKind::Length) {
        return None;
    }
    let fills = ranked.iter().take(1 + OTHERS).map(|one| {
        let reason = if one.sign.share < best.sign.share {
            reason_of_other(question, one.trial, last)
        } else {
            reason_of_best(question, one.trial, last)
        };
        question.constant(one.trial.value, reason)
    });
    Some(fills.collect())
}

fn ranked(trials: &[Trial]) -> Vec<Ranked<'_>> {
    let mut ranked: Vec<Ranked<'_>> = trials
        .iter()
        .filter_map(|trial| {
            let (node, sign) = trial.worst()?;
            Some(Ranked { trial, node, sign })
        })
        .collect();
    ranked.sort_by(|one, two| two.sign.share.total_cmp(&one.sign.share));
    ranked
}

fn reason_of_best(question: &Question<'_, '_>, trial: &Trial, last: &Ranked<'_>) -> String {
    let (value, place) = (question.shown(trial.value), place(question, last));
    match (&trial.size, last.sign.kind) {
        (Some(size), _) => format!("a length that {place} decides by: {size}"),
        (None, SignKind::Scale) => format!("a factor in {place}: {value} changes nothing"),
        (None, _) => format!("a mask of {place}: {value} keeps everything"),
    }
}

fn reason_of_other(question: &Question<'_, '_>, trial: &Trial, last: &Ranked<'_>) -> String {
    let (value, place) = (question.shown(trial.value), place(question, last));
    format!("{value}, another value that {place} could want")
}

fn place(question: &Question<'_, '_>, ranked: &Ranked<'_>) -> String {
    words(question.flow.node(ranked.node))
}

/// A length that is compared with places along an axis of unknown size: the size of the longest
/// open axis.
fn unscored_length(question: &Question<'_, '_>, trials: &[Trial]) -> Option<Vec<Fill>> {
    let node = trials.iter().find_map(Trial::length)?;
    if !question.element_type.is_integer() {
        return None;
    }
    let size = super::usual::length(question.info, question.inputs, question.shapes)? as f64;
    let rest = trials
        .iter()
        .filter(|trial| trial.size.is_some() && trial.value != size)
        .map(|trial| trial.value);
    let words = words(question.flow.node(node));
    let fills = std::iter::once(size).chain(rest.take(OTHERS)).map(|value| {
        let reason = format!("a length in {words}: all {value} of an input's dimension");
        question.constant(value, reason)
    });
    Some(fills.collect())
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
