//! Sizes for all unknowns at once: what is given, what follows from it, and guesses that break no
//! demand.

mod bounds;
mod grown;
mod guess;

use std::collections::BTreeMap;

pub(super) use grown::rows;

use super::{Demand, Expr, InputError, Kind, Problem, Relation, Result, SizeSource, Unknown};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sized {
    pub size: u64,
    pub source: SizeSource,
}

/// Sizes and fills beside those that the user asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// Unknowns along which samples lie: their size is 1 here.
    pub batch: Vec<usize>,
    pub sizes: BTreeMap<usize, Sized>,
    /// Which way to fill an input is tried, by the input's place; the first where it is absent.
    pub fills: BTreeMap<usize, usize>,
}

impl Choice {
    /// The size that an unknown is given: by the user, by the batch, here, or by an operator.
    fn given(&self, index: usize, unknown: &Unknown) -> Option<Sized> {
        let (size, source) = if let Some(size) = unknown.asked {
            (size, unknown.asked_by.clone())
        } else if self.batch.contains(&index) {
            (1, SizeSource::Batch)
        } else if let Some(sized) = self.sizes.get(&index) {
            return Some(sized.clone());
        } else {
            let (size, reason) = unknown.fixed.clone()?;
            (
                size,
                SizeSource::Demand {
                    reason: reason.into(),
                },
            )
        };
        Some(Sized { size, source })
    }
}

/// A size that is tried for an unknown, and for the one that goes with it.
#[derive(Clone, Copy)]
struct Trial {
    index: usize,
    pair: Option<usize>,
    size: u64,
}

/// How badly demands are broken: those that fail, then those that hold only because a size is 1.
type Broken = (usize, usize);

pub(super) struct Solver<'p> {
    problem: &'p Problem,
    told: &'p BTreeMap<usize, Vec<Sized>>,
    sizes: Vec<Option<Sized>>,
    /// Demands that each unknown has a part in, through what follows from it.
    concerned: Vec<Vec<usize>>,
}

/// Sizes of the unknowns, by index. Fails where sizes that the user gave contradict each other;
/// `told` are candidates that files tell of.
pub(super) fn solve(
    problem: &Problem,
    choice: &Choice,
    told: &BTreeMap<usize, Vec<Sized>>,
) -> Result<Vec<Sized>> {
    let mut solver = Solver {
        problem,
        told,
        sizes: problem
            .unknowns
            .iter()
            .enumerate()
            .map(|(index, unknown)| choice.given(index, unknown))
            .collect(),
        concerned: concerned(problem),
    };
    solver.follow();
    solver.follow_back();
    solver.check_asked()?;
    for index in guessed_in_order(problem) {
        if solver.sizes[index].is_none() {
            solver.guess(index);
            solver.follow();
        }
    }
    // None is left open.
    Ok(solver.sizes.into_iter().flatten().collect())
}

/// All unknowns, those that tell most of the others first: a past before the tokens, those before
/// masks, factors before products.
fn guessed_in_order(problem: &Problem) -> Vec<usize> {
    let mut order: Vec<usize> = (0..problem.unknowns.len()).collect();
    order.sort_by_key(|&index| problem.unknowns[index].rank());
    order
}

fn concerned(problem: &Problem) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); problem.unknowns.len()];
    for (at, demand) in problem.demands.iter().enumerate() {
        for index in behind(problem, &demand.relation) {
            parts[index].push(at);
        }
    }
    parts
}

/// The unknowns of a relation and those that they follow, each once.
fn behind(problem: &Problem, relation: &Relation) -> Vec<usize> {
    let mut found: Vec<usize> = operands(relation)
        .into_iter()
        .flat_map(Expr::dims)
        .collect();
    let mut next = 0;
    while let Some(&index) = found.get(next) {
        next += 1;
        let derived = problem.unknowns[index].derived.iter();
        for dim in derived.flat_map(|derivation| derivation.expr.dims()) {
            if !found.contains(&dim) {
                found.push(dim);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn operands(relation: &Relation) -> Vec<&Expr> {
    match relation {
        Relation::Equal(one, other) | Relation::Broadcast(one, other) => vec![one, other],
        Relation::AtMost(expr, _) | Relation::AtLeast(expr, _) | Relation::MultipleOf(expr, _) => {
            vec![expr]
        }
    }
}

fn broken(relation: &Relation, size: &impl Fn(usize) -> Option<u64>) -> Broken {
    let values: Option<Vec<i64>> = operands(relation)
        .into_iter()
        .map(|expr| expr.evaluate(size))
        .collect();
    let Some(values) = values else { return (0, 0) };
    let fails = match relation {
        Relation::Broadcast(..) if values[0] != values[1] && values.contains(&1) => return (0, 1),
        Relation::Equal(..) | Relation::Broadcast(..) => values[0] != values[1],
        Relation::AtMost(_, most) => values[0] > signed(*most),
        Relation::AtLeast(_, least) => values[0] < signed(*least),
        Relation::MultipleOf(_, part) => values[0].rem_euclid(signed((*part).max(1))) != 0,
    };
    (usize::from(fails), 0)
}

fn signed(bound: u64) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}

impl Solver<'_> {
    fn size(&self, index: usize) -> Option<u64> {
        self.sizes[index].as_ref().map(|sized| sized.size)
    }

    fn unknown(&self, index: usize) -> &Unknown {
        &self.problem.unknowns[index]
    }

    fn follow(&mut self) {
        while self.follow_once() {}
    }

    /// Whether sizes were found that follow from others.
    fn follow_once(&mut self) -> bool {
        let mut is_changed = false;
        for index in 0..self.sizes.len() {
            if self.sizes[index].is_none() {
                self.sizes[index] = self.derived(index);
                is_changed |= self.sizes[index].is_some();
            }
        }
        is_changed
    }

    fn derived(&self, index: usize) -> Option<Sized> {
        self.unknown(index).derived.iter().find_map(|derivation| {
            let value = derivation.expr.evaluate(&|dim| self.size(dim))?;
            Some(Sized {
                size: value.try_into().ok()?,
                source: SizeSource::Derived {
                    from: derivation.from.clone().into(),
                },
            })
        })
    }

    /// Finds the one part that is not known of a size that was asked for, and the factor that a
    /// name alone speaks of where the size follows from something else.
    fn follow_back(&mut self) {
        for index in 0..self.sizes.len() {
            let unknown = self.unknown(index).clone();
            let Some(asked) = unknown.asked.or(self.size(index)) else {
                continue;
            };
            for derivation in &unknown.derived {
                let Some(open) = self.only_open(&derivation.expr) else {
                    continue;
                };
                if unknown.asked.is_none() && self.unknown(open).has_places() {
                    continue;
                }
                if let Some(size) = self.part(&derivation.expr, open, asked) {
                    let source = SizeSource::Derived {
                        from: format!("{} = {asked}", unknown.name).into(),
                    };
                    self.sizes[open] = Some(Sized { size, source });
                    self.follow();
                }
            }
        }
    }

    fn only_open(&self, expr: &Expr) -> Option<usize> {
        let mut dims = expr.dims().into_iter();
        let open = dims.find(|&dim| self.sizes[dim].is_none())?;
        dims.all(|dim| dim == open || self.sizes[dim].is_some())
            .then_some(open)
    }

    /// The size of the open part of an expression with which that comes to a size asked for.
    fn part(&self, expr: &Expr, open: usize, asked: u64) -> Option<u64> {
        (0..=asked).take(1 << 20).find(|&size| {
            let value = expr.evaluate(&|dim| match dim {
                _ if dim == open => Some(size),
                _ => self.size(dim),
            });
            value.is_some_and(|value| u64::try_from(value) == Ok(asked))
        })
    }

    fn check_asked(&self) -> Result<()> {
        self.problem
            .unknowns
            .iter()
            .find_map(|unknown| self.contradiction(unknown))
            .map_or(Ok(()), Err)
    }

    /// The error of an unknown that what it follows gives another size than the user does.
    fn contradiction(&self, unknown: &Unknown) -> Option<InputError> {
        let size = unknown.asked?;
        let derivation = unknown.derived.first()?;
        let value = derivation.expr.evaluate(&|dim| self.size(dim))?;
        if u64::try_from(value) == Ok(size) {
            return None;
        }
        Some(InputError::DimsContradict {
            name: unknown.name.clone(),
            size,
            from: derivation.from.clone(),
            value,
            others: derivation
                .expr
                .dims()
                .iter()
                .filter_map(|&dim| self.words(dim))
                .collect(),
        })
    }

    fn words(&self, dim: usize) -> Option<String> {
        Some(format!(
            "`{}` = {}",
            self.unknown(dim).name,
            self.size(dim)?
        ))
    }

    /// The other side of an image whose sides are not given, which is as long.
    fn pair(&self, index: usize) -> Option<usize> {
        if self.unknown(index).kind != Kind::Height {
            return None;
        }
        let input = &self.unknown(index).places.first()?.input;
        self.problem.of_kind(Kind::Width).find(|&pair| {
            self.unknown(pair).stands_in(input)
                && self.sizes[pair].is_none()
                && !self.told.contains_key(&pair)
        })
    }

    fn broken_with(&self, index: usize, size: u64) -> Broken {
        if self.concerned[index].is_empty() {
            return (0, 0);
        }
        let trial = self.trial(index, size);
        self.demands(index)
            .map(|demand| self.broken_by(trial, demand))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn trial(&self, index: usize, size: u64) -> Trial {
        Trial {
            index,
            pair: self.pair(index),
            size,
        }
    }

    fn broken_by(&self, trial: Trial, demand: &Demand) -> Broken {
        let limit = self.sizes.len();
        broken(&demand.relation, &|dim| self.look(dim, trial, limit))
    }

    /// The size of an unknown while another one, and its pair, have a size that is tried.
    fn look(&self, dim: usize, trial: Trial, limit: usize) -> Option<u64> {
        if dim == trial.index || trial.pair == Some(dim) {
            return Some(trial.size);
        }
        if let Some(known) = self.size(dim) {
            return Some(known);
        }
        let limit = limit.checked_sub(1)?;
        let value = self
            .unknown(dim)
            .derived
            .iter()
            .find_map(|one| one.expr.evaluate(&|part| self.look(part, trial, limit)))?;
        u64::try_from(value).ok()
    }

    fn demands(&self, index: usize) -> impl Iterator<Item = &Demand> {
        self.concerned[index]
            .iter()
            .map(move |&at| &self.problem.demands[at])
    }

    fn meets(&self, index: usize, demand: &Demand, size: u64) -> bool {
        self.broken_by(self.trial(index, size), demand).0 == 0
    }
}
