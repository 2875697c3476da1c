//! Decoders that keep keys and values of earlier tokens are asked about twice: a prompt, and one
//! more token.

use std::collections::BTreeMap;

use super::problem::Derivation;
use super::{
    About, Expr, InputAxis, InputRequest, Kind, Model, Problem, Relation, Shape, TensorInfo,
    Unknown, beside, inlined, input_of,
};
use crate::inputs::synthesize::fed_type;
use crate::plan::{ElementType, unswept};
use crate::text::Plain;

/// Tokens of a prompt, and of the past before one more token.
const TOKENS: u64 = 128;

/// Shapes that a model is asked about where none is swept: one, or prefill and decode of a decoder
/// with a cache.
#[must_use]
pub fn usual_shapes(model: &Model, request: &InputRequest) -> Vec<Shape> {
    if request.data.is_some() {
        return unswept();
    }
    Problem::new(&inlined(model), request)
        .ok()
        .and_then(|problem| shapes(&problem, most_tokens(model)))
        .unwrap_or_else(unswept)
}

/// The most tokens that files beside a model tell of.
fn most_tokens(model: &Model) -> u64 {
    beside(model)
        .entries
        .into_iter()
        .filter(|entry| entry.about == About::MostTokens)
        .map(|entry| entry.size)
        .min()
        .unwrap_or(u64::MAX)
}

fn shapes(problem: &Problem, most: u64) -> Option<Vec<Shape>> {
    let pasts: Vec<usize> = problem.placed(Kind::Past).collect();
    let past = *pasts.first()?;
    let tokens = problem
        .placed(Kind::Tokens)
        .find(|&index| is_new(problem, index, past));
    let lengths = Lengths {
        pasts: pasts
            .iter()
            .map(|&index| &problem.unknowns[index])
            .collect(),
        tokens: tokens.map(|index| &problem.unknowns[index]),
    };
    if lengths.are_asked() {
        return None;
    }
    let most = limit(problem, past).min(most);
    let decode = lengths.shape("decode", 1, TOKENS.min(most.saturating_sub(1)));
    if lengths.tokens.is_none() || problem.takes_one_token {
        return Some(vec![decode]);
    }
    let prefill = lengths.shape("prefill", TOKENS.min(most), 0);
    Some(vec![prefill, decode])
}

/// Lengths of what a decoder keeps, and of what it reads anew.
struct Lengths<'p> {
    pasts: Vec<&'p Unknown>,
    tokens: Option<&'p Unknown>,
}

impl Lengths<'_> {
    /// Whether one of them is given a size.
    fn are_asked(&self) -> bool {
        self.pasts
            .iter()
            .copied()
            .chain(self.tokens)
            .any(|unknown| unknown.asked.is_some())
    }

    fn shape(&self, name: &str, new: u64, kept: u64) -> Shape {
        let mut dims: BTreeMap<Plain, u64> = self
            .pasts
            .iter()
            .map(|past| (past.name.as_str().into(), kept))
            .collect();
        dims.extend(self.tokens.map(|tokens| (tokens.name.as_str().into(), new)));
        Shape {
            dims,
            name: Some(name.into()),
        }
    }
}

/// Whether a length of tokens is that of the new ones, and does not follow from others.
fn is_new(problem: &Problem, index: usize, past: usize) -> bool {
    let unknown = &problem.unknowns[index];
    index != past && unknown.derived.is_empty() && unknown.fixed.is_none()
}

/// The most tokens that tables of positions have room for.
fn limit(problem: &Problem, past: usize) -> u64 {
    problem
        .demands
        .iter()
        .filter_map(|demand| room(&demand.relation, past))
        .min()
        .unwrap_or(u64::MAX)
}

/// The most positions that a relation leaves to a past and what follows it.
fn room(relation: &Relation, past: usize) -> Option<u64> {
    let Relation::AtMost(expr, most) = relation else {
        return None;
    };
    if !expr.dims().contains(&past) {
        return None;
    }
    // Some tables begin with rows that stand for no position.
    let skipped = expr.evaluate(&|_| Some(0)).unwrap_or(0);
    Some(most.saturating_sub(u64::try_from(skipped).unwrap_or(0)))
}

fn holds_whole_numbers(inputs: &[TensorInfo], place: &InputAxis) -> bool {
    let kind = input_of(inputs, &place.input).and_then(|info| fed_type(info).ok());
    kind.is_some_and(|kind| kind.is_integer() || kind == ElementType::Bool)
}

impl Problem {
    /// Where tokens are kept from before, lengths of masks that nothing else decides count those
    /// and the new ones.
    pub(super) fn follow_cache(&mut self, inputs: &[TensorInfo]) {
        let tokens: Vec<usize> = self.placed(Kind::Tokens).collect();
        let past = self.placed(Kind::Past).next();
        let (Some(past), Some(new)) = (past, self.new_tokens(&tokens)) else {
            return;
        };
        self.count_new(past, new);
        for index in tokens.into_iter().filter(|&index| index != new) {
            let unknown = &self.unknowns[index];
            let is_free = unknown.derived.is_empty() && !unknown.is_shown;
            let mut places = unknown.places.iter();
            if is_free && places.all(|place| holds_whole_numbers(inputs, place)) {
                self.derive_sum(index, past, new);
            }
        }
    }

    /// The unknowns of a kind that stand in inputs.
    fn placed(&self, kind: Kind) -> impl Iterator<Item = usize> {
        self.of_kind(kind)
            .filter(|&index| self.unknowns[index].has_places())
    }

    /// The length that counts the new tokens: one that operators show to count tokens, or one whose
    /// name says no more.
    fn new_tokens(&self, tokens: &[usize]) -> Option<usize> {
        let shown = tokens.iter().find(|&&index| self.unknowns[index].is_shown);
        let plain = tokens.iter().find(|&&index| {
            let unknown = &self.unknowns[index];
            unknown.derived.is_empty() && !unknown.name.contains("total")
        });
        shown.or(plain).copied()
    }

    /// Lengths whose names say that one token follows the past count all new ones where operators
    /// tie them to those and where an input chooses a branch: exporters of old gave such names to
    /// masks of models that take a prompt as well.
    fn count_new(&mut self, past: usize, new: usize) {
        for index in (0..self.unknowns.len()).filter(|&index| index != new) {
            let (next, others): (Vec<Derivation>, Vec<Derivation>) = self.unknowns[index]
                .derived
                .iter()
                .cloned()
                .partition(|one| self.is_next(&one.expr));
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
        let Expr::Sum(terms) = expr else { return false };
        terms.len() == 2
            && terms.contains(&Expr::Number(1))
            && terms.iter().any(|term| self.is_past(term))
    }

    fn is_past(&self, term: &Expr) -> bool {
        matches!(term, Expr::Dim(dim) if self.unknowns[*dim].kind == Kind::Past)
    }

    fn derive_sum(&mut self, index: usize, one: usize, other: usize) {
        let expr = Expr::Sum(vec![Expr::Dim(one), Expr::Dim(other)]);
        self.derive(index, expr.clone(), self.words(&expr));
    }
}
