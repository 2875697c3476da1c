//! Decoders that keep keys and values of earlier tokens are asked about twice: a prompt, and one more token.

use std::collections::BTreeMap;

use super::problem::Derivation;
use super::{
    About, Expr, InputAxis, InputRequest, Kind, Model, Problem, Relation, Shape, TensorInfo,
    Unknown, beside, inlined,
};
use crate::inputs::synthesize::fed_type;
use crate::plan::{ElementType, unswept};

/// Tokens of a prompt, and of the past before one more token.
const TOKENS: u64 = 128;

/// Shapes that a model is asked about where none is swept: one, or prefill and decode of a decoder with a cache.
#[must_use]
pub fn usual_shapes(model: &Model, request: &InputRequest) -> Vec<Shape> {
    if request.data.is_some() {
        return unswept();
    }
    let told = beside(model)
        .entries
        .into_iter()
        .filter(|entry| entry.about == About::MostTokens);
    let most = told.map(|entry| entry.size).min().unwrap_or(u64::MAX);
    Problem::new(&inlined(model), request)
        .ok()
        .and_then(|problem| shapes(&problem, most))
        .unwrap_or_else(unswept)
}

fn shapes(problem: &Problem, most: u64) -> Option<Vec<Shape>> {
    let stored = |index: &usize| !problem.unknowns[*index].places.is_empty();
    let pasts: Vec<usize> = problem.of_kind(Kind::Past).filter(stored).collect();
    let past = *pasts.first()?;
    let tokens = problem
        .of_kind(Kind::Tokens)
        .filter(stored)
        .find(|&index| is_new(problem, index, past));
    let is_asked = |index: usize| problem.unknowns[index].asked.is_some();
    if pasts.iter().any(|&index| is_asked(index)) || tokens.is_some_and(is_asked) {
        return None;
    }
    let most = limit(problem, past).min(most);
    let shape = |name: &str, new: u64, kept: u64| {
        let mut dims: BTreeMap<String, u64> = pasts
            .iter()
            .map(|&index| (problem.unknowns[index].name.clone(), kept))
            .collect();
        dims.extend(tokens.map(|tokens| (problem.unknowns[tokens].name.clone(), new)));
        Shape {
            dims,
            name: Some(name.to_owned()),
        }
    };
    let decode = shape("decode", 1, TOKENS.min(most.saturating_sub(1)));
    if tokens.is_none() || problem.takes_one_token {
        return Some(vec![decode]);
    }
    Some(vec![shape("prefill", TOKENS.min(most), 0), decode])
}

/// Whether a length of tokens is that of the new ones, and does not follow from others.
fn is_new(problem: &Problem, index: usize, past: usize) -> bool {
    let unknown = &problem.unknowns[index];
    index != past && unknown.derived.is_empty() && unknown.fixed.is_none()
}

/// The most tokens that tables of positions have room for.
fn limit(problem: &Problem, past: usize) -> u64 {
    let bound = |relation: &Relation| match relation {
        Relation::AtMost(expr, most) if expr.dims().contains(&past) => {
            // Some tables begin with rows that stand for no position.
            let skipped = expr
                .evaluate(&|_| Some(0))
                .and_then(|first| u64::try_from(first).ok());
            Some(most.saturating_sub(skipped.unwrap_or(0)))
        }
        _ => None,
    };
    problem
        .demands
        .iter()
        .filter_map(|demand| bound(&demand.relation))
        .min()
        .unwrap_or(u64::MAX)
}

impl Problem {
    /// Where tokens are kept from before, lengths of masks that nothing else decides count those and the new ones.
    pub(super) fn follow_cache(&mut self, inputs: &[TensorInfo]) {
        let stored = |index: &usize| !self.unknowns[*index].places.is_empty();
        let tokens: Vec<usize> = self.of_kind(Kind::Tokens).filter(stored).collect();
        let past = self.of_kind(Kind::Past).find(stored);
        let (Some(past), Some(new)) = (past, self.new_tokens(&tokens)) else {
            return;
        };
        self.count_new(past, new);
        let whole = |place: &InputAxis| {
            let info = inputs.iter().find(|info| info.name == place.input);
            let kind = info.and_then(|info| fed_type(info).ok());
            kind.is_some_and(|kind| kind.is_integer() || kind == ElementType::Bool)
        };
        for index in tokens.into_iter().filter(|&index| index != new) {
            let unknown = &self.unknowns[index];
            if unknown.derived.is_empty() && !unknown.is_shown && unknown.places.iter().all(whole) {
                self.derive_sum(index, past, new);
            }
        }
    }

    /// The length that counts the new tokens: one that operators show to count tokens, or one whose name says no more.
    fn new_tokens(&self, tokens: &[usize]) -> Option<usize> {
        let first = |fits: fn(&Unknown) -> bool| {
            tokens
                .iter()
                .copied()
                .find(|&index| fits(&self.unknowns[index]))
        };
        first(|unknown| unknown.is_shown).or_else(|| {
            first(|unknown| unknown.derived.is_empty() && !unknown.name.contains("total"))
        })
    }

    /// Lengths whose names say that one token follows the past count all new ones where operators tie them to those and
    /// where an input chooses a branch: exporters of old gave such names to masks of models that take a prompt as well.
    fn count_new(&mut self, past: usize, new: usize) {
        for index in (0..self.unknowns.len()).filter(|&index| index != new) {
            let is_next = |one: &Derivation| self.is_next(&one.expr);
            let derived = self.unknowns[index].derived.iter().cloned();
            let (next, others): (Vec<Derivation>, Vec<Derivation>) = derived.partition(is_next);
            if next.is_empty() {
                continue;
            }
            let is_tied = others.iter().any(|other| other.expr.dims().contains(&new));
            self.takes_one_token |= !self.has_choice;
            if is_tied || self.has_choice {
                self.unknowns[index].derived = others;
            }
            if !is_tied && self.has_choice {
                self.derive_sum(index, past, new);
            }
        }
    }

    /// Whether it is one more than a past: `past_length + 1`.
    fn is_next(&self, expr: &Expr) -> bool {
        let is_past =
            |term: &Expr| matches!(term, Expr::Dim(dim) if self.unknowns[*dim].kind == Kind::Past);
        let Expr::Sum(terms) = expr else { return false };
        terms.len() == 2 && terms.iter().any(is_past) && terms.contains(&Expr::Number(1))
    }

    fn derive_sum(&mut self, index: usize, one: usize, other: usize) {
        let expr = Expr::Sum(vec![Expr::Dim(one), Expr::Dim(other)]);
        self.derive(index, expr.clone(), self.words(&expr));
    }
}
