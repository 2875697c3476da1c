//! Sizes for all unknowns at once: what is given, what follows from it, and guesses that break no demand.

mod bounds;

use std::collections::BTreeMap;

use super::{Demand, Expr, InputError, Kind, Problem, Relation, SizeSource, Unknown};

/// Largest size that is looked for where no usual one meets the demands.
const SCAN_LIMIT: u64 = 2048;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sized {
    pub size: u64,
    pub source: SizeSource,
}

/// Sizes of the unknowns, by index.
pub(super) type Sizes = Vec<Option<Sized>>;

/// Sizes and fills beside those that the user asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// Unknowns along which samples lie: their size is 1 here.
    pub batch: Vec<usize>,
    pub sizes: BTreeMap<usize, Sized>,
    /// Which way to fill an input is tried, by the input's place; the first where it is absent.
    pub fills: BTreeMap<usize, usize>,
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
    sizes: Sizes,
    /// Demands that each unknown has a part in, through what follows from it.
    concerned: Vec<Vec<usize>>,
}

/// Fails where sizes that the user gave contradict each other; `told` are candidates that files tell of.
pub(super) fn solve(
    problem: &Problem,
    choice: &Choice,
    told: &BTreeMap<usize, Vec<Sized>>,
) -> Result<Sizes, InputError> {
    let mut solver = Solver {
        problem,
        told,
        sizes: vec![None; problem.unknowns.len()],
        concerned: concerned(problem),
    };
    solver.set_given(choice);
    solver.follow();
    solver.follow_back();
    solver.check_asked()?;
    let mut order: Vec<usize> = (0..problem.unknowns.len()).collect();
    // What tells most of the others comes first: a past before the tokens, those before masks, factors before products.
    order.sort_by_key(|&index| {
        (
            !problem.unknowns[index].derived.is_empty(),
            problem.unknowns[index].kind,
        )
    });
    for index in order {
        if solver.sizes[index].is_none() {
            solver.guess(index);
            solver.follow();
        }
    }
    Ok(solver.sizes)
}

/// Number of samples that each unknown grows by with the batch: its size for two samples beside that for one.
pub(super) fn rows(problem: &Problem, choice: &Choice, sizes: &Sizes) -> Vec<Option<u64>> {
    let with = |samples: u64| {
        let mut grown: Vec<Option<u64>> = sizes
            .iter()
            .map(|sized| sized.as_ref().map(|sized| sized.size))
            .collect();
        choice
            .batch
            .iter()
            .for_each(|&index| grown[index] = Some(samples));
        for _ in 0..problem.unknowns.len() {
            for (index, unknown) in problem.unknowns.iter().enumerate() {
                let source = sizes[index].as_ref().map(|sized| &sized.source);
                let follows =
                    matches!(source, Some(SizeSource::Derived { .. })) || unknown.asked.is_some();
                if follows && !unknown.derived.is_empty() && !choice.batch.contains(&index) {
                    let values = unknown
                        .derived
                        .iter()
                        .filter_map(|one| one.expr.evaluate(&|dim| grown[dim]));
                    grown[index] = values.filter_map(|value| u64::try_from(value).ok()).next();
                }
            }
        }
        grown
    };
    let (one, two) = (with(1), with(2));
    let doubles =
        |one: u64, two: Option<u64>| one > 0 && two.is_some() && two == one.checked_mul(2);
    one.into_iter()
        .zip(two)
        .map(|(one, two)| one.filter(|&one| doubles(one, two)))
        .collect()
}

fn concerned(problem: &Problem) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); problem.unknowns.len()];
    for (at, demand) in problem.demands.iter().enumerate() {
        let mut found = operands(&demand.relation)
            .into_iter()
            .flat_map(Expr::dims)
            .collect::<Vec<_>>();
        let mut next = 0;
        while let Some(&index) = found.get(next) {
            next += 1;
            for dim in problem.unknowns[index]
                .derived
                .iter()
                .flat_map(|derivation| derivation.expr.dims())
            {
                if !found.contains(&dim) {
                    found.push(dim);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().for_each(|index| parts[index].push(at));
    }
    parts
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
    let fails = |fails: bool| (usize::from(fails), 0);
    let bound = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
    match relation {
        Relation::Equal(..) => fails(values[0] != values[1]),
        Relation::Broadcast(..) if values[0] == values[1] => (0, 0),
        Relation::Broadcast(..) if values.contains(&1) => (0, 1),
        Relation::Broadcast(..) => (1, 0),
        Relation::AtMost(_, most) => fails(values[0] > bound(*most)),
        Relation::AtLeast(_, least) => fails(values[0] < bound(*least)),
        Relation::MultipleOf(_, part) => fails(values[0].rem_euclid(bound((*part).max(1))) != 0),
    }
}

impl Solver<'_> {
    fn size(&self, index: usize) -> Option<u64> {
        self.sizes[index].as_ref().map(|sized| sized.size)
    }

    fn unknown(&self, index: usize) -> &Unknown {
        &self.problem.unknowns[index]
    }

    fn set_given(&mut self, choice: &Choice) {
        for index in 0..self.sizes.len() {
            let unknown = self.unknown(index);
            let fixed = || {
                let (size, reason) = unknown.fixed.clone()?;
                Some(Sized {
                    size,
                    source: SizeSource::Demand { reason },
                })
            };
            self.sizes[index] = match unknown.asked {
                Some(size) => Some(Sized {
                    size,
                    source: unknown.asked_by.clone(),
                }),
                None if choice.batch.contains(&index) => Some(Sized {
                    size: 1,
                    source: SizeSource::Batch,
                }),
                None => choice.sizes.get(&index).cloned().or_else(fixed),
            };
        }
    }

    fn follow(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for index in 0..self.sizes.len() {
                if self.sizes[index].is_none() {
                    self.sizes[index] = self.derived(index);
                    changed |= self.sizes[index].is_some();
                }
            }
        }
    }

    fn derived(&self, index: usize) -> Option<Sized> {
        self.unknown(index).derived.iter().find_map(|derivation| {
            let size = u64::try_from(derivation.expr.evaluate(&|dim| self.size(dim))?).ok()?;
            Some(Sized {
                size,
                source: SizeSource::Derived {
                    from: derivation.from.clone(),
                },
            })
        })
    }

    /// Finds the one part that is not known of a size that was asked for, and the factor that a name alone speaks of where
    /// the size follows from something else.
    fn follow_back(&mut self) {
        for index in 0..self.sizes.len() {
            let unknown = self.unknown(index).clone();
            let Some(asked) = unknown.asked.or(self.size(index)) else {
                continue;
            };
            for derivation in &unknown.derived {
                let mut open: Vec<usize> = derivation.expr.dims();
                open.retain(|&dim| self.sizes[dim].is_none());
                open.sort_unstable();
                open.dedup();
                let &[open] = open.as_slice() else { continue };
                if unknown.asked.is_none() && !self.unknown(open).places.is_empty() {
                    continue;
                }
                let fits = |size: &u64| {
                    let value = derivation.expr.evaluate(&|dim| {
                        if dim == open {
                            Some(*size)
                        } else {
                            self.size(dim)
                        }
                    });
                    value.is_some_and(|value| u64::try_from(value) == Ok(asked))
                };
                if let Some(size) = (0..=asked).take(1 << 20).find(fits) {
                    let source = SizeSource::Derived {
                        from: format!("{} = {asked}", unknown.name),
                    };
                    self.sizes[open] = Some(Sized { size, source });
                    self.follow();
                }
            }
        }
    }

    fn check_asked(&self) -> Result<(), InputError> {
        for unknown in &self.problem.unknowns {
            let Some(size) = unknown.asked else { continue };
            let Some(derivation) = unknown.derived.first() else {
                continue;
            };
            let value = derivation.expr.evaluate(&|dim| self.size(dim));
            if let Some(value) = value.filter(|&value| u64::try_from(value) != Ok(size)) {
                let (name, from) = (unknown.name.clone(), derivation.from.clone());
                let others: Vec<String> = derivation
                    .expr
                    .dims()
                    .into_iter()
                    .filter_map(|dim| {
                        Some(format!(
                            "`{}` = {}",
                            self.unknown(dim).name,
                            self.size(dim)?
                        ))
                    })
                    .collect();
                return Err(InputError::DimsContradict {
                    name,
                    size,
                    from,
                    value,
                    others,
                });
            }
        }
        Ok(())
    }

    /// Takes the first usual size that breaks least, or one nearby that breaks nothing.
    fn guess(&mut self, index: usize) {
        let mut best: Option<(Broken, Sized)> = None;
        for sized in self.usual(index) {
            let broken = self.broken_with(index, sized.size);
            if best.as_ref().is_none_or(|(least, _)| broken < *least) {
                best = Some((broken, sized));
            }
            if broken == (0, 0) {
                break;
            }
        }
        let Some((broken, mut found)) = best else {
            return;
        };
        if broken != (0, 0) {
            let near = |size: &u64| size.abs_diff(found.size);
            let rated = (1..=SCAN_LIMIT).map(|size| (self.broken_with(index, size), size));
            let better = rated.filter(|(other, _)| *other < broken);
            if let Some((_, size)) = better.min_by_key(|(other, size)| (*other, near(size))) {
                found = Sized {
                    size,
                    source: self.demand(index, size),
                };
            }
        } else if matches!(found.source, SizeSource::MadeUp) {
            found.source = self.source(index, &found);
        }
        if let Some(pair) = self.pair(index) {
            self.sizes[pair] = Some(found.clone());
        }
        self.sizes[index] = Some(found);
    }

    /// Sizes that are worth a try: those that files tell first, then what bounds tell and the usual ones.
    fn usual(&self, index: usize) -> Vec<Sized> {
        let told = self.told.get(&index).cloned().unwrap_or_default();
        let kind = self.unknown(index).kind;
        let made_up = |&size: &u64| Sized {
            size,
            source: SizeSource::MadeUp,
        };
        let past: Option<u64> = self
            .problem
            .of_kind(Kind::Past)
            .find_map(|past| self.size(past));
        let first: &[u64] = match (kind, past) {
            // After a past comes one token.
            (Kind::Tokens, Some(1..)) => &[1],
            // A prompt has no past.
            (Kind::Past, _) if self.is_prompt() => &[0],
            _ => &[],
        };
        let (usual, others) = kind.usual_sizes().split_at(1);
        let usual = self
            .least(index)
            .into_iter()
            .chain(usual.iter().map(made_up))
            .chain(self.most(index));
        let usual = usual.chain(others.iter().map(made_up));
        first.iter().map(made_up).chain(told).chain(usual).collect()
    }

    fn is_prompt(&self) -> bool {
        self.problem
            .of_kind(Kind::Tokens)
            .any(|tokens| self.unknown(tokens).asked.is_some_and(|size| size > 1))
    }

    /// The other side of an image whose sides are not given, which is as long.
    fn pair(&self, index: usize) -> Option<usize> {
        if self.unknown(index).kind != Kind::Height {
            return None;
        }
        let input = &self.unknown(index).places.first()?.input;
        let beside = |&pair: &usize| {
            self.unknown(pair)
                .places
                .iter()
                .any(|place| place.input == *input)
        };
        self.problem.of_kind(Kind::Width).find(|pair| {
            beside(pair) && self.sizes[*pair].is_none() && !self.told.contains_key(pair)
        })
    }

    fn broken_with(&self, index: usize, size: u64) -> Broken {
        if self.concerned[index].is_empty() {
            return (0, 0);
        }
        let trial = Trial {
            index,
            pair: self.pair(index),
            size,
        };
        let look = |dim: usize| self.look(dim, trial, self.sizes.len());
        let each = self
            .demands(index)
            .map(|demand| broken(&demand.relation, &look));
        each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
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
        let value = |expr: &Expr| expr.evaluate(&|part| self.look(part, trial, limit));
        let found = self
            .unknown(dim)
            .derived
            .iter()
            .find_map(|derivation| value(&derivation.expr));
        found.and_then(|value| u64::try_from(value).ok())
    }

    fn demands(&self, index: usize) -> impl Iterator<Item = &Demand> {
        self.concerned[index]
            .iter()
            .map(move |&at| &self.problem.demands[at])
    }

    fn meets(&self, index: usize, demand: &Demand, size: u64) -> bool {
        let trial = Trial {
            index,
            pair: self.pair(index),
            size,
        };
        broken(&demand.relation, &|dim| {
            self.look(dim, trial, self.sizes.len())
        })
        .0 == 0
    }

    /// The demand that a size meets and the usual one does not.
    fn demand(&self, index: usize, size: u64) -> SizeSource {
        let first = self.usual(index).first().map_or(size, |sized| sized.size);
        let is_decisive =
            |demand: &&Demand| self.meets(index, demand, size) && !self.meets(index, demand, first);
        let reason = self.demands(index).find(is_decisive).map_or_else(
            || "sizes must agree".to_owned(),
            |demand| demand.reason.clone(),
        );
        SizeSource::Demand { reason }
    }

    /// The source of a usual size: a demand, where sizes before it break one.
    fn source(&self, index: usize, found: &Sized) -> SizeSource {
        match self.usual(index).first() {
            Some(first) if first.size != found.size && !self.concerned[index].is_empty() => {
                self.demand(index, found.size)
            }
            _ => SizeSource::MadeUp,
        }
    }
}
