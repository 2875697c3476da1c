//! Operands of fused operators that say how much of the data counts.

use super::guess::{Guess, Sign, SignKind, added, truth};
use super::{ElementType, Flow, Node};

enum Meaning {
    /// 1 keeps, 0 leaves out.
    Keeps,
    Added,
    /// As many elements count.
    Counts(Option<f64>),
    /// It is one less than what counts.
    Last(Option<f64>),
}

/// The sign that `node` shows of those of its operands that say how much counts, if anything is
/// known of one.
pub(super) fn sign(flow: &Flow<'_>, node: &Node, operands: &[Guess]) -> Option<Sign> {
    operands.iter().enumerate().find_map(|(operand, guess)| {
        guess.worth(truth)?;
        Some(judged(meaning(flow, node, operand)?, guess))
    })
}

fn judged(meaning: Meaning, guess: &Guess) -> Sign {
    match meaning {
        Meaning::Keeps => Sign {
            kind: SignKind::Mask,
            share: guess.worth(truth).unwrap_or(0.0),
        },
        Meaning::Added => Sign {
            kind: SignKind::Bias,
            share: guess.worth(added).unwrap_or(0.0),
        },
        Meaning::Counts(whole) => counted(guess, whole, 0.0),
        Meaning::Last(whole) => counted(guess, whole, 1.0),
    }
}

/// The sign of a number of elements, with `more` beside it, of the `whole`.
fn counted(guess: &Guess, whole: Option<f64>, more: f64) -> Sign {
    match (whole, guess.uniform()) {
        (Some(whole), Some(value)) if whole > 0.0 => {
            let share = (value + more) / whole;
            Sign {
                kind: SignKind::Mask,
                share: if share > 1.0 { 0.0 } else { share.max(0.0) },
            }
        }
        _ => Sign {
            kind: SignKind::Length,
            share: 1.0,
        },
    }
}

fn is_list(flow: &Flow<'_>, node: &Node, operand: usize) -> bool {
    node.inputs
        .get(operand)
        .and_then(|value| flow.dims(value))
        .is_some_and(|dims| dims.len() == 1)
}

fn is_bool(flow: &Flow<'_>, node: &Node, operand: usize) -> bool {
    node.inputs
        .get(operand)
        .is_some_and(|value| flow.element_type(value) == Some(ElementType::Bool))
}

fn meaning(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<Meaning> {
    let operator = node.qualified_operator();
    let is_list = is_list(flow, node, operand);
    Some(match (operator.as_str(), operand) {
        ("LSTM" | "GRU" | "RNN", 4) => {
            let axis = usize::from(node.integer("layout") == Some(1));
            Meaning::Counts(flow.operand_size(node, 0, axis))
        }
        ("ReverseSequence", 1) => {
            let axis = usize::try_from(node.integer("time_axis").unwrap_or(0)).unwrap_or(0);
            Meaning::Counts(flow.operand_size(node, 0, axis))
        }
        ("com.microsoft.Attention", 3) | ("com.microsoft.QAttention", 5) if is_list => {
            Meaning::Counts(flow.operand_size(node, 0, 1))
        }
        ("com.microsoft.MultiHeadAttention", 4) if is_list => {
            let tokens = flow.operand_size(node, 1, 1);
            Meaning::Counts(tokens.or_else(|| flow.operand_size(node, 0, 1)))
        }
        ("com.microsoft.Attention", 3)
        | ("com.microsoft.QAttention", 5)
        | ("com.microsoft.MultiHeadAttention", 4)
        | ("com.microsoft.EmbedLayerNormalization" | "com.microsoft.QEmbedLayerNormalization", 7) => {
            Meaning::Keeps
        }
        ("Attention", 3) if is_bool(flow, node, operand) => Meaning::Keeps,
        ("Attention", 3)
        | ("com.microsoft.Attention" | "com.microsoft.MultiHeadAttention", 5)
        | ("com.microsoft.LongformerAttention", 3)
        | ("com.microsoft.GroupQueryAttention", 10) => Meaning::Added,
        ("com.microsoft.GroupQueryAttention", 5) => Meaning::Last(flow.all_tokens(node)),
        ("com.microsoft.GroupQueryAttention", 6) => Meaning::Counts(flow.all_tokens(node)),
        _ => return None,
    })
}
