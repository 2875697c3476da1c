//! Decoders that keep keys and values of earlier tokens are asked about twice: a prompt, and one more token.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::problem::Problem;
use crate::inputs::beside::{About, beside};
use crate::onnx::{Expr, Model, Relation, inlined};
use crate::plan::{InputRequest, Shape, unswept};

/// Tokens of a prompt, and of the past before one more token.
const TOKENS: u64 = 128;

/// Shapes that a model is asked about where none is swept: one, or prefill and decode of a decoder with a cache.
#[must_use]
pub fn usual_shapes(model: &Model, request: &InputRequest) -> Vec<Shape> {
    if request.data.is_some() {
        return unswept();
    }
    let told = beside(model).entries.into_iter().filter(|entry| entry.about == About::MostTokens);
    let most = told.map(|entry| entry.size).min().unwrap_or(u64::MAX);
    Problem::new(&inlined(model), request).ok().and_then(|problem| shapes(&problem, most)).unwrap_or_else(unswept)
}

fn shapes(problem: &Problem, most: u64) -> Option<Vec<Shape>> {
    let stored = |index: &usize| !problem.unknowns[*index].places.is_empty();
    let pasts: Vec<usize> = problem.of_kind(Kind::Past).filter(stored).collect();
    let past = *pasts.first()?;
    let tokens = problem.of_kind(Kind::Tokens).filter(stored).find(|&index| is_new(problem, index, past));
    let is_asked = |index: usize| problem.unknowns[index].asked.is_some();
    if pasts.iter().any(|&index| is_asked(index)) || tokens.is_some_and(is_asked) {
        return None;
    }
    let most = limit(problem, past).min(most);
    let shape = |name: &str, new: u64, kept: u64| {
        let mut dims: BTreeMap<String, u64> =
            pasts.iter().map(|&index| (problem.unknowns[index].name.clone(), kept)).collect();
        dims.extend(tokens.map(|tokens| (problem.unknowns[tokens].name.clone(), new)));
        Shape { dims, name: Some(name.to_owned()) }
    };
    let decode = shape("decode", 1, TOKENS.min(most.saturating_sub(1)));
    if tokens.is_none() || takes_one_token(problem, past) {
        return Some(vec![decode]);
    }
    Some(vec![shape("prefill", TOKENS.min(most), 0), decode])
}

/// Whether a length of tokens is that of the new ones, and does not follow from others.
fn is_new(problem: &Problem, index: usize, past: usize) -> bool {
    let unknown = &problem.unknowns[index];
    index != past && unknown.derived.is_empty() && unknown.fixed.is_none()
}

/// Whether a name says that one token follows the past: `past_length + 1`.
fn takes_one_token(problem: &Problem, past: usize) -> bool {
    let is_next = |expr: &Expr| {
        let Expr::Sum(terms) = expr else { return false };
        terms.len() == 2 && terms.contains(&Expr::Dim(past)) && terms.contains(&Expr::Number(1))
    };
    problem.unknowns.iter().flat_map(|unknown| &unknown.derived).any(|derivation| is_next(&derivation.expr))
}

/// The most tokens that tables of positions have room for.
fn limit(problem: &Problem, past: usize) -> u64 {
    let bound = |relation: &Relation| match relation {
        Relation::AtMost(expr, most) if super::expr::dims(expr).contains(&past) => {
            // Some tables begin with rows that stand for no position.
            let skipped = expr.evaluate(&|_| Some(0)).and_then(|first| u64::try_from(first).ok());
            Some(most.saturating_sub(skipped.unwrap_or(0)))
        }
        _ => None,
    };
    problem.demands.iter().filter_map(|demand| bound(&demand.relation)).min().unwrap_or(u64::MAX)
}
